//! What to answer a request: seen before? → authorise → handle → outcome, in one transaction.
//!
//! Pure over a draft: no clock, no socket, no disk; the caller opens envelopes before and seals replies after. Effect,
//! outcome, replay record and audit leaf are one draft, so they exist together or not at all. Only the counting of a
//! PIN attempt is a transaction of its own, and comes first: see [`crate::handlers::enrol`].

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DeviceId, Operation, Payload, Reply, RequestId, Status};
use rohrpost_e2ee::exchange::{EnvelopeHash, OpenedRequest, Proven, ReplySealer};
use rohrpost_e2ee::window::SequenceError;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{Timestamp, time};

use crate::audit::{self, Action, Actor, Decision, Event, Refusal};
use crate::handlers::{self, enrol};
use crate::rows::{self, DeviceRow, OutcomeRow, SeenRow, SequenceRow};
use crate::vault::{Draft, StoreError};

pub use crate::handlers::Transfer;
pub use crate::handlers::enrol::Enrolment;

/// How far ahead of the safe's clock a request may have been made.
pub const CLOCK_GRACE_SECONDS: u64 = 600;
/// How long a request may live beyond the offer of its prekey.
pub const REQUEST_SECONDS: u64 = 14 * time::DAY;
/// Requests of one device that are recorded under one prekey, offered for 48 h: one every 17 seconds. A row is about
/// 200 bytes on disk, so a device can fill 2 MB.
pub const REQUESTS_PER_DEVICE: u32 = 10_000;

/// Everything about an opened request but the means to answer it.
#[derive(Debug)]
pub struct Incoming {
    /// Names the request.
    pub id: RequestId,
    /// Names the envelope.
    pub envelope: EnvelopeHash,
    /// The prekey that opened it.
    pub prekey: PrekeyId,
    /// When that prekey's offer ends.
    pub prekey_until: Timestamp,
    /// Whether an object can follow the answer.
    pub live: bool,
    /// By the client's clock.
    pub created: Timestamp,
    /// By the client's clock.
    pub expires: Timestamp,
    /// What is asked for.
    pub operation: Operation,
    /// To notice another operation under the same id.
    pub operation_hash: Fixed<32>,
}

/// Who asks, split by what must happen next.
#[derive(Debug)]
pub enum Asker {
    /// Nobody: refused.
    Nobody,
    /// The holder of a device key.
    Device {
        /// The device.
        id: DeviceId,
        /// Its sequence number.
        sequence: u64,
    },
    /// Somebody with a link.
    Enrol(Enrolment),
}

impl Incoming {
    /// Takes an opened request apart.
    pub fn new(
        opened: OpenedRequest,
        prekey: PrekeyId,
        prekey_until: Timestamp,
        live: bool,
    ) -> (Self, Asker, ReplySealer) {
        let asker = match opened.who {
            Proven::Nobody => Asker::Nobody,
            Proven::Device { key, sequence } => Asker::Device { id: DeviceId::of_key(&key), sequence },
            Proven::Enrol { link, key, proof } => Asker::Enrol(Enrolment { link, key, proof }),
        };
        let incoming = Self {
            id: opened.id,
            envelope: opened.envelope,
            prekey,
            prekey_until,
            live,
            created: opened.created,
            expires: opened.expires,
            operation: opened.operation,
            operation_hash: opened.operation_hash,
        };
        (incoming, asker, opened.reply)
    }
}

/// What to answer.
#[derive(Debug)]
pub struct Answer {
    /// To be sealed.
    pub reply: Reply,
    /// The content to send behind it.
    pub transfer: Option<Transfer>,
}

/// How handling went, before it becomes a reply.
#[derive(Debug)]
pub struct Handled {
    pub(crate) status: Status,
    pub(crate) payload: Payload,
    pub(crate) transfer: Option<Transfer>,
}

impl Handled {
    pub(crate) fn status(status: Status) -> Self {
        Self { status, payload: Payload::None, transfer: None }
    }

    pub(crate) fn payload(payload: Payload) -> Self {
        Self { status: Status::Done, payload, transfer: None }
    }
}

/// Answers a device, or nobody. For an enrolment see [`enrol::count`] and [`enrol::compare`].
pub fn answer(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
    sequence: u64,
    clock: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Answer, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    let handled = match rows::load::<DeviceRow>(draft, &device.0.0)? {
        Some(row) => answer_device(draft, incoming, &row, sequence, now, rng)?,
        None => Handled::status(Status::NotAllowed),
    };
    finish(draft, incoming, Some(device), handled, now)
}

/// The answer for whoever is nobody: nothing is recorded, so nobody can fill the disk.
pub fn answer_nobody(draft: &Draft<'_>, incoming: &Incoming, clock: Timestamp) -> Result<Answer, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    finish(draft, incoming, None, Handled::status(Status::NotAllowed), now)
}

pub(crate) fn finish(
    draft: &Draft<'_>,
    incoming: &Incoming,
    device: Option<DeviceId>,
    handled: Handled,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let sequence: Option<SequenceRow> = device.map(|id| rows::load(draft, &id.0.0)).transpose()?.flatten();
    let reply = Reply {
        request: incoming.id,
        status: handled.status,
        safe_time: now,
        highest_sequence: sequence.map_or(0, |row| row.window.highest()),
        tickets: Vec::new(),
        payload: handled.payload,
    };
    Ok(Answer { reply, transfer: handled.transfer })
}

fn answer_device(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: &DeviceRow,
    sequence: u64,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let earlier = match admit(draft, incoming, device.id, now)? {
        Admitted::New => None,
        Admitted::Again(outcome) => Some(outcome),
        Admitted::Repeated => return Ok(Handled::status(Status::Repeated)),
        Admitted::Refused(status, refusal) => return refuse(draft, incoming, device, status, refusal, now, rng),
    };
    if let Err(error) = take_sequence(draft, device.id, sequence)? {
        let refusal = match error {
            SequenceError::Used => Refusal::SequenceReused,
            SequenceError::Outside => Refusal::OutOfTime,
        };
        return refuse(draft, incoming, device, Status::OutOfSequence, refusal, now, rng);
    }
    if !count(draft, incoming.prekey, device.id)? {
        return refuse(draft, incoming, device, Status::Busy, Refusal::Quota, now, rng);
    }
    if let Some(outcome) = earlier.filter(|_| incoming.operation.is_change()) {
        remember_envelope(draft, incoming, device.id)?;
        return again(draft, device.id, &outcome);
    }
    let handled = handlers::handle(draft, incoming, device, now, rng)?;
    record(draft, incoming, device.id, handled.status)?;
    Ok(handled)
}

fn refuse(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: &DeviceRow,
    status: Status,
    refusal: Refusal,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let action = handlers::action_of(&incoming.operation);
    write_event(draft, device, action, Decision::Refused(refusal), now, rng)?;
    Ok(Handled::status(status))
}

pub(crate) fn write_event(
    draft: &mut Draft<'_>,
    device: &DeviceRow,
    action: Action,
    decision: Decision,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    let event = Event { at: now, actor: Actor::Device(device.id), patient: Some(device.patient), action, decision };
    audit::append(draft, &event, rng)
}

/// Whether a request may be acted on, as far as its times and its past tell.
pub(crate) enum Admitted {
    /// Never seen.
    New,
    /// The same request in a new envelope, with the outcome it had.
    Again(OutcomeRow),
    /// The same envelope.
    Repeated,
    /// Not at all.
    Refused(Status, Refusal),
}

pub(crate) fn admit(
    draft: &Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
    now: Timestamp,
) -> Result<Admitted, StoreError> {
    if incoming.created > now.plus(CLOCK_GRACE_SECONDS) {
        return Ok(Admitted::Refused(Status::ClockAhead, Refusal::OutOfTime));
    }
    if incoming.expires <= now || incoming.expires > incoming.prekey_until.plus(REQUEST_SECONDS) {
        return Ok(Admitted::Refused(Status::RequestExpired, Refusal::OutOfTime));
    }
    let outcome: Option<OutcomeRow> = rows::load(draft, &OutcomeRow::key_of(&device, &incoming.id))?;
    if outcome.as_ref().is_some_and(|row| row.operation != incoming.operation_hash) {
        return Ok(Admitted::Refused(Status::Conflict, Refusal::Conflict));
    }
    let seen: Option<SeenRow> = rows::load(draft, &SeenRow::key_of(&incoming.prekey, &incoming.envelope))?;
    Ok(match (seen, outcome) {
        (Some(_), Some(outcome)) if incoming.operation.is_change() => Admitted::Again(outcome),
        (Some(_), _) => Admitted::Repeated,
        (None, Some(outcome)) => Admitted::Again(outcome),
        (None, None) => Admitted::New,
    })
}

fn take_sequence(
    draft: &mut Draft<'_>,
    device: DeviceId,
    sequence: u64,
) -> Result<Result<(), SequenceError>, StoreError> {
    let mut row = rows::load(draft, &device.0.0)?.unwrap_or_else(|| SequenceRow::new(device));
    let taken = row.window.take(sequence);
    if taken.is_ok() {
        rows::save(draft, &row)?;
    }
    Ok(taken)
}

/// Counts a request against its device's quota in this bucket. False when it is used up.
fn count(draft: &mut Draft<'_>, prekey: PrekeyId, device: DeviceId) -> Result<bool, StoreError> {
    let mut row = rows::load(draft, &device.0.0)?.unwrap_or_else(|| SequenceRow::new(device));
    if row.prekey != Some(prekey) {
        row.prekey = Some(prekey);
        row.recorded = 0;
    }
    if row.recorded >= REQUESTS_PER_DEVICE {
        return Ok(false);
    }
    row.recorded += 1;
    rows::save(draft, &row)?;
    Ok(true)
}

/// Remembers the envelope and the outcome of the request.
pub(crate) fn record(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
    status: Status,
) -> Result<(), StoreError> {
    remember_envelope(draft, incoming, device)?;
    rows::save(
        draft,
        &OutcomeRow {
            device,
            request: incoming.id,
            operation: incoming.operation_hash,
            status,
            prekey: incoming.prekey,
        },
    )
}

pub(crate) fn remember_envelope(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
) -> Result<(), StoreError> {
    let (prekey, envelope) = (incoming.prekey, incoming.envelope.0);
    rows::save(draft, &SeenRow { prekey, envelope, device, request: incoming.id })
}

/// The answer to a change that was made before: nothing is changed again, but the right to the answer is decided anew.
pub(crate) fn again(draft: &Draft<'_>, device: DeviceId, outcome: &OutcomeRow) -> Result<Handled, StoreError> {
    match rows::load::<DeviceRow>(draft, &device.0.0)? {
        Some(row) if outcome.status == Status::Done && row.revoked.is_none() => enrol::welcome(draft, &row),
        _ if outcome.status == Status::Done => Ok(Handled::status(Status::NotAllowed)),
        _ => Ok(Handled::status(outcome.status)),
    }
}

#[cfg(test)]
mod tests;
