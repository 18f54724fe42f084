//! A device wants to become one of a patient's, with a link and a PIN.
//!
//! Two transactions. [`count`] checks the proof of the link and counts the attempt; only after that is durable does
//! [`compare`] look at the PIN. So five tries are five tries for ever: across restarts, kills at any point, and any number
//! of requests in parallel. Bad proofs and repeated envelopes never count, and neither does a request that was counted
//! already and cut off before its PIN was compared: it brings the same guess once more. Where there is nothing to compare,
//! [`settle`] takes the second transaction's place, so that the disk tells nothing.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DEVICE_NAME_CHARS, DeviceId, Enrolled, LinkId, Payload, Pin, Status};
use rohrpost_e2ee::exchange::EnrolProof;
use rohrpost_e2ee::link::PIN_TRIES;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use subtle::ConstantTimeEq as _;

use crate::audit::{self, Action, Actor, Decision, Event, Refusal};
use crate::requests::past::{self, Past};
use crate::requests::{self, Answer, Handled, Incoming};
use crate::rows::{self, Attempt, DeviceRow, LinkRow, PatientRow, PracticeRow, SequenceRow};
use crate::texts;
use crate::vault::{Draft, StoreError};

/// Requests recorded with one link in its life: five PINs, and plenty for an answer that gets lost over and over. It
/// bounds what the finder of an old link can make the safe write.
pub const REQUESTS_PER_LINK: u16 = 100;

/// The claim to hold a link, with the key of the device that makes it.
#[derive(Debug)]
pub struct Enrolment {
    /// The link that is claimed.
    pub link: LinkId,
    /// The new device's key.
    pub key: Fixed<32>,
    /// The proof, to be checked with the link's key.
    pub proof: EnrolProof,
    /// What came another way than the link.
    pub pin: Pin,
    /// What the device calls itself.
    pub device_name: String,
}

impl Enrolment {
    /// The name the device will have.
    pub fn device(&self) -> DeviceId {
        DeviceId::of_key(&self.key)
    }
}

/// What counting came to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on its way to the seal")]
pub enum Counted {
    /// The attempt is counted; once that is durable, compare.
    Compare,
    /// There is nothing to compare.
    Answer {
        /// What to answer.
        answer: Answer,
        /// Whether anything was written. If so, [`settle`] first, or the time would tell that no PIN was compared.
        recorded: bool,
    },
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
    let link: Option<LinkRow> = rows::load(draft, &enrolment.link.0.0)?;
    let handled = match link.filter(|link| enrolment.proof.holds(&link.mac_key())) {
        None => Some(Handled::status(Status::NotAllowed)),
        Some(link) => admit(draft, incoming, link, device, now, rng)?,
    };
    let Some(handled) = handled else { return Ok(Counted::Compare) };
    let highest = requests::highest_sequence(draft, device)?;
    let answer = requests::finish(incoming, handled, highest, now);
    Ok(Counted::Answer { answer, recorded: draft.has_written() })
}

/// Second transaction of an enrolment that the first has decided: writes the link's row as it is, so that used, expired,
/// dead and wrong cost the disk the same. Whoever holds no link writes nothing in the first and is not let in here.
pub fn settle(draft: &mut Draft<'_>, enrolment: &Enrolment) -> Result<(), StoreError> {
    let link: Option<LinkRow> = rows::load(draft, &enrolment.link.0.0)?;
    link.map_or(Ok(()), |link| rows::save(draft, &link))
}

/// Counts the attempt of whoever holds the link, or says what to answer instead.
fn admit(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    mut link: LinkRow,
    device: DeviceId,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Option<Handled>, StoreError> {
    let past = past::look_up(draft, incoming, device)?;
    let refused = past::refusal(incoming, &past, now);
    let attempt = attempt_of(incoming, device);
    match &past {
        // A copy of an envelope leaves nothing more behind, so one that comes too late is not recorded again.
        Past::Repeated if link.uncompared.contains(&attempt) && refused.is_none() && !is_expired(&link, now) => {
            return Ok(None);
        }
        Past::Repeated => return Ok(Some(Handled::status(Status::Repeated))),
        Past::Answered(outcome) => return requests::again(draft, outcome).map(Some),
        Past::Again(outcome) if refused.is_none() => {
            if take_room(draft, incoming, &mut link, device)? {
                past::remember_outcome(draft, incoming, device, outcome.status)?;
            }
            return requests::again(draft, outcome).map(Some);
        }
        Past::Again(_) | Past::New => {}
    }
    if !take_room(draft, incoming, &mut link, device)? {
        return Ok(Some(Handled::status(Status::Busy)));
    }
    let counted = link.uncompared.contains(&attempt);
    let over = || over(&link, now).filter(|_| !counted || is_expired(&link, now));
    if let Some(refused) = refused.or(taken(draft, &link, device)?).or_else(over) {
        return refuse(draft, &link, device, refused, now, rng).map(Some);
    }
    if !counted {
        link.attempts += 1;
        link.uncompared.push(attempt);
        rows::save(draft, &link)?;
    }
    Ok(None)
}

fn attempt_of(incoming: &Incoming, device: DeviceId) -> Attempt {
    Attempt { device, request: incoming.id, operation: incoming.operation_hash }
}

/// Remembers an envelope on the link's account. False when that is used up.
fn take_room(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    link: &mut LinkRow,
    device: DeviceId,
) -> Result<bool, StoreError> {
    if link.recorded >= REQUESTS_PER_LINK {
        return Ok(false);
    }
    link.recorded += 1;
    rows::save(draft, link)?;
    past::remember_envelope(draft, incoming, device)?;
    Ok(true)
}

/// Whether a link can still enrol a device.
pub(crate) fn is_open(link: &LinkRow, now: Timestamp) -> bool {
    link.used_by.is_none() && over(link, now).is_none() && link.recorded < REQUESTS_PER_LINK
}

/// Why a link cannot enrol this device, whatever the PIN.
fn taken(draft: &Draft<'_>, link: &LinkRow, device: DeviceId) -> Result<Option<(Status, Refusal)>, StoreError> {
    if link.used_by.is_some() {
        return Ok(Some((Status::LinkUsed, Refusal::LinkUsed)));
    }
    // A key is one device's for ever: a second link must not move it to another patient or undo its revocation.
    let exists = rows::load::<DeviceRow>(draft, &device.0.0)?.is_some();
    Ok(exists.then_some((Status::NotAllowed, Refusal::NotAllowed)))
}

/// Why a link enrols nobody any more, though nobody has used it.
fn over(link: &LinkRow, now: Timestamp) -> Option<(Status, Refusal)> {
    if is_expired(link, now) {
        Some((Status::LinkExpired, Refusal::LinkExpired))
    } else if link.attempts >= PIN_TRIES {
        Some((Status::LinkDead, Refusal::LinkDead))
    } else {
        None
    }
}

fn is_expired(link: &LinkRow, now: Timestamp) -> bool {
    now > link.expires
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
    let mut link: LinkRow = rows::load(draft, &enrolment.link.0.0)?.ok_or(StoreError::Damaged)?;
    let attempt = attempt_of(incoming, device);
    let is_due = link.uncompared.contains(&attempt);
    link.uncompared.retain(|other| *other != attempt);
    // Whatever this comes to costs the disk the same.
    rows::save(draft, &link)?;
    let handled = match past::outcome_of(draft, incoming, device)? {
        // Another envelope of this request was compared since this one was counted: one request, one outcome.
        Some(outcome) if outcome.is_of(&incoming.operation_hash) => requests::again(draft, &outcome)?,
        Some(_) if is_due => refuse(draft, &link, device, (Status::Conflict, Refusal::Conflict), now, rng)?,
        // Any number of copies may have been counted together, and their try is worth one leaf.
        Some(_) => Handled::status(Status::Conflict),
        None if is_due => {
            let handled = decide(draft, enrolment, &link, now, rng)?;
            past::remember_outcome(draft, incoming, device, handled.status)?;
            handled
        }
        // It was compared, and its outcome is forgotten: a clock that was set ahead can come between.
        None => Handled::status(Status::Repeated),
    };
    Ok(requests::finish(incoming, handled, requests::highest_sequence(draft, device)?, now))
}

fn decide(
    draft: &mut Draft<'_>,
    enrolment: &Enrolment,
    link: &LinkRow,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let device = enrolment.device();
    if let Some(refused) = taken(draft, link, device)? {
        return refuse(draft, link, device, refused, now, rng);
    }
    if !matches(&enrolment.pin, &link.pin) {
        let left = PIN_TRIES.saturating_sub(link.attempts);
        return refuse(draft, link, device, (Status::WrongPin { left }, Refusal::WrongPin), now, rng);
    }
    let row = enrol(draft, link, enrolment, now)?;
    write_event(draft, link, device, Decision::Allowed, now, rng)?;
    welcome(draft, &row)
}

fn refuse(
    draft: &mut Draft<'_>,
    link: &LinkRow,
    device: DeviceId,
    (status, refusal): (Status, Refusal),
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    write_event(draft, link, device, Decision::Refused(refusal), now, rng)?;
    Ok(Handled::status(status))
}

fn matches(given: &Pin, kept: &Pin) -> bool {
    given.expose().ct_eq(kept.expose()).into()
}

fn enrol(
    draft: &mut Draft<'_>,
    link: &LinkRow,
    enrolment: &Enrolment,
    now: Timestamp,
) -> Result<DeviceRow, StoreError> {
    let device = DeviceRow {
        id: enrolment.device(),
        key: enrolment.key,
        patient: link.patient,
        name: enrolment.device_name.chars().filter(|c| texts::is_harmless(*c)).take(DEVICE_NAME_CHARS).collect(),
        enrolled: now,
        revoked: None,
    };
    let mut link = link.clone();
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
