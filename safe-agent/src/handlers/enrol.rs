//! A device wants to become one of a patient's, with a link and a PIN.
//!
//! Two transactions. [`count`] checks the proof of the link and counts the attempt; only after that is durable does
//! [`compare`] look at the PIN. So five tries are five tries for ever: across restarts, kills at any point, and any
//! number of requests in parallel. Bad proofs and replays never count.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DEVICE_NAME_CHARS, DeviceId, Enrolled, LinkId, Operation, Payload, Pin, Status};
use rohrpost_e2ee::exchange::EnrolProof;
use rohrpost_e2ee::link::PIN_TRIES;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use subtle::ConstantTimeEq as _;

use crate::audit::{self, Action, Actor, Decision, Event, Refusal};
use crate::requests::{self, Admitted, Answer, Handled, Incoming};
use crate::rows::{self, DeviceRow, LinkRow, PatientRow, PracticeRow, SequenceRow};
use crate::vault::{Draft, StoreError};

/// The claim to hold a link, with the key of the device that makes it.
#[derive(Debug)]
pub struct Enrolment {
    /// The link that is claimed.
    pub link: LinkId,
    /// The new device's key.
    pub key: Fixed<32>,
    /// The proof, to be checked with the link's key.
    pub proof: EnrolProof,
}

impl Enrolment {
    /// The name the device will have.
    pub fn device(&self) -> DeviceId {
        DeviceId::of_key(&self.key)
    }
}

/// What counting came to.
#[derive(Debug)]
pub enum Counted {
    /// The attempt is counted; once that is durable, compare.
    Compare,
    /// There is nothing to compare.
    Answer(Answer),
}

/// First transaction: checks everything but the PIN and counts the attempt.
pub fn count(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    enrolment: &Enrolment,
    clock: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Counted, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    let device = enrolment.device();
    let answer =
        |draft: &Draft<'_>, handled| requests::finish(draft, incoming, Some(device), handled, now).map(Counted::Answer);
    let link: Option<LinkRow> = rows::load(draft, &enrolment.link.0.0)?;
    let Some(mut link) = link.filter(|link| enrolment.proof.holds(&link.mac_key())) else {
        return answer(draft, Handled::status(Status::NotAllowed));
    };
    let (status, refusal) = match requests::admit(draft, incoming, device, now)? {
        Admitted::Again(outcome) => {
            requests::remember_envelope(draft, incoming, device)?;
            let handled = requests::again(draft, device, &outcome)?;
            return answer(draft, handled);
        }
        Admitted::Repeated => return answer(draft, Handled::status(Status::Repeated)),
        Admitted::Refused(status, refusal) => (status, refusal),
        Admitted::New => match unusable(&link, now) {
            Some(refused) => refused,
            None => {
                link.attempts += 1;
                rows::save(draft, &link)?;
                requests::remember_envelope(draft, incoming, device)?;
                return Ok(Counted::Compare);
            }
        },
    };
    write_event(draft, &link, device, Decision::Refused(refusal), now, rng)?;
    answer(draft, Handled::status(status))
}

/// Why a link enrols nobody any more.
fn unusable(link: &LinkRow, now: Timestamp) -> Option<(Status, Refusal)> {
    if link.used_by.is_some() {
        Some((Status::LinkUsed, Refusal::LinkUsed))
    } else if now > link.expires {
        Some((Status::LinkExpired, Refusal::LinkExpired))
    } else if link.attempts >= PIN_TRIES {
        Some((Status::LinkDead, Refusal::LinkDead))
    } else {
        None
    }
}

/// Second transaction: compares the PIN and enrols.
pub fn compare(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    enrolment: &Enrolment,
    clock: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Answer, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    let device = enrolment.device();
    let link: LinkRow = rows::load(draft, &enrolment.link.0.0)?.ok_or(StoreError::Damaged)?;
    let Operation::Enrol { pin, device_name } = &incoming.operation else {
        return requests::finish(draft, incoming, None, Handled::status(Status::NotAllowed), now);
    };
    let (handled, decision) = if link.used_by.is_some() {
        refused(Status::LinkUsed, Refusal::LinkUsed)
    } else if rows::load::<DeviceRow>(draft, &device.0.0)?.is_some() {
        // A key is one device's for ever: a second link must not move it to another patient or undo its revocation.
        refused(Status::NotAllowed, Refusal::NotAllowed)
    } else if matches(pin, &link.pin) {
        let row = enrol(draft, link.clone(), enrolment, device_name, now)?;
        (welcome(draft, &row)?, Decision::Allowed)
    } else {
        refused(Status::WrongPin { left: PIN_TRIES.saturating_sub(link.attempts) }, Refusal::WrongPin)
    };
    requests::record(draft, incoming, device, handled.status)?;
    write_event(draft, &link, device, decision, now, rng)?;
    requests::finish(draft, incoming, Some(device), handled, now)
}

fn refused(status: Status, refusal: Refusal) -> (Handled, Decision) {
    (Handled::status(status), Decision::Refused(refusal))
}

fn matches(given: &Pin, kept: &Pin) -> bool {
    given.expose().ct_eq(kept.expose()).into()
}

fn enrol(
    draft: &mut Draft<'_>,
    mut link: LinkRow,
    enrolment: &Enrolment,
    device_name: &str,
    now: Timestamp,
) -> Result<DeviceRow, StoreError> {
    let device = DeviceRow {
        id: enrolment.device(),
        key: enrolment.key,
        patient: link.patient,
        name: device_name.chars().filter(|c| !c.is_control()).take(DEVICE_NAME_CHARS).collect(),
        enrolled: now,
        revoked: None,
    };
    link.used_by = Some(device.id);
    rows::save(draft, &link)?;
    rows::save(draft, &device)?;
    rows::save(draft, &SequenceRow::new(device.id))?;
    Ok(device)
}

/// What a device is told about whose it is.
pub(crate) fn owner(draft: &Draft<'_>, device: &DeviceRow) -> Result<Enrolled, StoreError> {
    let practice: PracticeRow = rows::load(draft, PracticeRow::KEY)?.ok_or(StoreError::Damaged)?;
    let patient: PatientRow = rows::load(draft, &device.patient.0.0)?.ok_or(StoreError::Damaged)?;
    Ok(Enrolled { practice: practice.name, patient: patient.name })
}

pub(crate) fn welcome(draft: &Draft<'_>, device: &DeviceRow) -> Result<Handled, StoreError> {
    Ok(Handled::payload(Payload::Enrolled(owner(draft, device)?)))
}

fn write_event(
    draft: &mut Draft<'_>,
    link: &LinkRow,
    device: DeviceId,
    decision: Decision,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    let (actor, action) = (Actor::Device(device), Action::Enrolment(link.id));
    audit::append(draft, &Event { at: now, actor, patient: Some(link.patient), action, decision }, rng)
}
