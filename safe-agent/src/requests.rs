//! What to answer a request: seen before? → authorise → handle → outcome, in one transaction.
//!
//! Pure over a draft: no clock, no socket, no disk; the caller opens envelopes before and seals replies after. Effect,
//! outcome, replay record and audit leaf are one draft, so they exist together or not at all. Only the counting of a
//! PIN attempt is a transaction of its own, and comes first: see [`crate::handlers::enrol`].

pub(crate) mod past;

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DeviceId, Operation, Payload, Reply, RequestId, Status};
use rohrpost_e2ee::exchange::{EnvelopeHash, OpenedRequest, Proven, ReplySealer};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{Timestamp, time};

use crate::audit::{self, Action, Actor, Decision, Event, Refusal};
use crate::handlers::{self, enrol};
use crate::rows::{self, DeviceRow, OutcomeRow, SequenceRow};
use crate::vault::{Draft, StoreError};

use self::past::{Past, Room};

pub use crate::handlers::Transfer;
pub use crate::handlers::enrol::Enrolment;

/// How far ahead of the safe's clock a request may have been made.
pub const CLOCK_GRACE_SECONDS: u64 = 600;
/// How long a request may live beyond the offer of its prekey.
pub const REQUEST_SECONDS: u64 = 14 * time::DAY;
/// Requests of one device that are recorded under one prekey, offered for 48 h: one every 17 seconds. Each costs a
/// replay record, an outcome and a leaf, about 300 bytes apiece on disk, so a device can fill 10 MB a prekey.
pub const REQUESTS_PER_DEVICE: u32 = 10_000;

/// Requests of a revoked device that are recorded, in all its life: enough to see that somebody still tries, and its owner
/// fills no disk.
pub const REQUESTS_AFTER_REVOCATION: u32 = 100;

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
    /// Somebody who claims to have a link.
    Enrol(Enrolment),
}

impl Asker {
    /// The device that asks, if one does.
    pub(crate) fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Nobody => None,
            Self::Device { id, .. } => Some(*id),
            Self::Enrol(enrolment) => Some(enrolment.device()),
        }
    }
}

impl Incoming {
    /// Takes an opened request apart.
    pub fn new(
        opened: OpenedRequest,
        prekey: PrekeyId,
        prekey_until: Timestamp,
        live: bool,
    ) -> (Self, Asker, ReplySealer) {
        let asker = match (opened.who, &opened.operation) {
            (Proven::Device { key, sequence }, _) => Asker::Device { id: DeviceId::of_key(&key), sequence },
            (Proven::Enrol { link, key, proof }, Operation::Enrol { pin, device_name }) => {
                let (pin, device_name) = (pin.clone(), device_name.clone());
                Asker::Enrol(Enrolment { link, key, proof, pin, device_name })
            }
            // With a link one can enrol and nothing else.
            (Proven::Nobody | Proven::Enrol { .. }, _) => Asker::Nobody,
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

impl Answer {
    /// For a request that meets a row that cannot be read.
    pub(crate) fn damaged(request: RequestId, highest_sequence: u64, now: Timestamp) -> Self {
        let reply = Reply {
            request,
            status: Status::Damaged,
            safe_time: now,
            highest_sequence,
            tickets: Vec::new(),
            payload: Payload::None,
        };
        Self { reply, transfer: None }
    }
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
    let highest = highest_sequence(draft, device)?;
    let handled = match rows::load::<DeviceRow>(draft, &device.0.0)? {
        Some(row) => answer_device(draft, incoming, &row, sequence, now, rng)?,
        None => Handled::status(Status::NotAllowed),
    };
    Ok(finish(incoming, handled, highest, now))
}

/// The answer for whoever is nobody: nothing is recorded, so nobody can fill the disk.
pub fn answer_nobody(draft: &Draft<'_>, incoming: &Incoming, clock: Timestamp) -> Result<Answer, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    Ok(finish(incoming, Handled::status(Status::NotAllowed), 0, now))
}

/// What the safe has of a device before the request at hand: a client that had more confirmed sees a safe set back.
pub(crate) fn highest_sequence(draft: &Draft<'_>, device: DeviceId) -> Result<u64, StoreError> {
    let row: Option<SequenceRow> = rows::load(draft, &device.0.0)?;
    Ok(row.map_or(0, |row| row.window.highest()))
}

pub(crate) fn finish(incoming: &Incoming, handled: Handled, highest_sequence: u64, now: Timestamp) -> Answer {
    let reply = Reply {
        request: incoming.id,
        status: handled.status,
        safe_time: now,
        highest_sequence,
        tickets: Vec::new(),
        payload: handled.payload,
    };
    Answer { reply, transfer: handled.transfer }
}

fn answer_device(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: &DeviceRow,
    sequence: u64,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let past = past::look_up(draft, incoming, device.id)?;
    match &past {
        Past::Repeated => return Ok(Handled::status(Status::Repeated)),
        Past::Answered(outcome) => return again(draft, outcome),
        Past::New | Past::Again(_) => {}
    }
    if device.revoked.is_some() && !past::count_after_revocation(draft, device.id)? {
        return Ok(Handled::status(Status::NotAllowed));
    }
    match past::count(draft, incoming, device.id)? {
        Room::Taken => past::remember_envelope(draft, incoming, device.id)?,
        Room::JustFull => return refuse(draft, incoming, device, (Status::Busy, Refusal::Quota), now, rng),
        Room::Full => return Ok(Handled::status(Status::Busy)),
    }
    let refused = match past::refusal(incoming, &past, now) {
        None => past::take_sequence(draft, device.id, sequence)?,
        refused => refused,
    };
    if let Some(refused) = refused {
        return refuse(draft, incoming, device, refused, now, rng);
    }
    if let Past::Again(outcome) = past
        && incoming.operation.is_change()
    {
        past::remember_outcome(draft, incoming, device.id, outcome.status)?;
        return again(draft, &outcome);
    }
    let handled = handlers::handle(draft, incoming, device, now, rng)?;
    past::remember_outcome(draft, incoming, device.id, handled.status)?;
    Ok(handled)
}

fn refuse(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: &DeviceRow,
    (status, refusal): (Status, Refusal),
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

/// The answer to a change that was made before: nothing is changed again, but the right to the answer is decided anew.
pub(crate) fn again(draft: &Draft<'_>, outcome: &OutcomeRow) -> Result<Handled, StoreError> {
    match rows::load::<DeviceRow>(draft, &outcome.device.0.0)? {
        Some(row) if outcome.status == Status::Done && row.revoked.is_none() => enrol::welcome(draft, &row),
        _ if outcome.status == Status::Done => Ok(Handled::status(Status::NotAllowed)),
        _ => Ok(Handled::status(outcome.status)),
    }
}

#[cfg(test)]
mod tests;
