//! What the safe remembers of requests, so that each has one effect however often it arrives.
//!
//! Every new envelope of an enrolled device is counted and remembered before it is judged, whatever becomes of it. So a
//! copy that a relay delivers again costs no row, no leaf of the audit log and no sequence number, and what a device can
//! fill the disk with has a bound.

use rohrpost_e2ee::body::{DeviceId, Status};
use rohrpost_e2ee::window::SequenceError;
use rohrpost_wire::Timestamp;

use super::{CLOCK_GRACE_SECONDS, Incoming, REQUEST_SECONDS, REQUESTS_AFTER_REVOCATION, REQUESTS_PER_DEVICE};
use crate::audit::Refusal;
use crate::rows::{self, OutcomeRow, PrekeyRow, SeenRow, SequenceRow};
use crate::vault::{Draft, StoreError};

/// What became of a request before.
#[derive(Debug)]
pub(crate) enum Past {
    /// Never heard of.
    New,
    /// It has an outcome, and this is another envelope.
    Again(OutcomeRow),
    /// It has an outcome, and this is an envelope it came in before: of a change, so the outcome is told again.
    Answered(OutcomeRow),
    /// This very envelope was handled before, and there is nothing to tell again.
    Repeated,
}

/// Looks a request up.
pub(crate) fn look_up(draft: &Draft<'_>, incoming: &Incoming, device: DeviceId) -> Result<Past, StoreError> {
    let seen: Option<SeenRow> = rows::load(draft, &SeenRow::key_of(incoming.prekey, &incoming.envelope))?;
    let outcome = outcome_of(draft, incoming, device)?;
    let tells_again = |outcome: &OutcomeRow| incoming.operation.is_change() && outcome.is_of(&incoming.operation_hash);
    Ok(match (seen, outcome) {
        (None, None) => Past::New,
        (None, Some(outcome)) => Past::Again(outcome),
        (Some(_), Some(outcome)) if tells_again(&outcome) => Past::Answered(outcome),
        (Some(_), _) => Past::Repeated,
    })
}

/// The outcome of this request id, whatever operation it had.
pub(crate) fn outcome_of(
    draft: &Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
) -> Result<Option<OutcomeRow>, StoreError> {
    rows::load(draft, &OutcomeRow::key_of(&device, &incoming.id))
}

/// Why a request is not to be acted on, as far as its times and its past tell.
pub(crate) fn refusal(incoming: &Incoming, past: &Past, now: Timestamp) -> Option<(Status, Refusal)> {
    if incoming.created > now.plus(CLOCK_GRACE_SECONDS) {
        return Some((Status::ClockAhead, Refusal::OutOfTime));
    }
    if incoming.expires <= now || incoming.expires > incoming.prekey_until.plus(REQUEST_SECONDS) {
        return Some((Status::RequestExpired, Refusal::OutOfTime));
    }
    match past {
        Past::Again(outcome) if !outcome.is_of(&incoming.operation_hash) => Some((Status::Conflict, Refusal::Conflict)),
        Past::New | Past::Again(_) | Past::Answered(_) | Past::Repeated => None,
    }
}

/// Takes a sequence number, or says why not.
pub(crate) fn take_sequence(
    draft: &mut Draft<'_>,
    device: DeviceId,
    sequence: u64,
) -> Result<Option<(Status, Refusal)>, StoreError> {
    let mut row = sequence_row(draft, device)?;
    Ok(match row.window.take(sequence) {
        Ok(()) => {
            rows::save(draft, &row)?;
            None
        }
        Err(SequenceError::Used) => Some((Status::OutOfSequence, Refusal::SequenceReused)),
        Err(SequenceError::Outside) => Some((Status::OutOfSequence, Refusal::OutOfTime)),
    })
}

/// Whether there is room to record one more request of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There was, and it is taken.
    Taken,
    /// This is the first for which there is none: worth a leaf.
    JustFull,
    /// There has been none before: not worth a byte.
    Full,
}

/// Counts a request against its device's quota, which each prekey has for itself.
pub(crate) fn count(draft: &mut Draft<'_>, incoming: &Incoming, device: DeviceId) -> Result<Room, StoreError> {
    let mut row = sequence_row(draft, device)?;
    if !row.recorded.contains_key(&incoming.prekey) {
        forget_gone_prekeys(draft, &mut row)?;
    }
    let recorded = row.recorded.entry(incoming.prekey).or_default();
    let room = match *recorded {
        full if full > REQUESTS_PER_DEVICE => return Ok(Room::Full),
        REQUESTS_PER_DEVICE => Room::JustFull,
        _ => Room::Taken,
    };
    *recorded += 1;
    rows::save(draft, &row)?;
    Ok(room)
}

/// Counts a request against what is recorded of a revoked device, ever. False when that is used up.
pub(crate) fn count_after_revocation(draft: &mut Draft<'_>, device: DeviceId) -> Result<bool, StoreError> {
    let mut row = sequence_row(draft, device)?;
    if row.after_revocation >= REQUESTS_AFTER_REVOCATION {
        return Ok(false);
    }
    row.after_revocation += 1;
    rows::save(draft, &row)?;
    Ok(true)
}

/// What was recorded under a prekey goes with its secret, and so does the count.
fn forget_gone_prekeys(draft: &Draft<'_>, row: &mut SequenceRow) -> Result<(), StoreError> {
    for prekey in row.recorded.keys().copied().collect::<Vec<_>>() {
        if rows::load::<PrekeyRow>(draft, &prekey.0.0)?.is_none() {
            row.recorded.remove(&prekey);
        }
    }
    Ok(())
}

/// Whoever is enrolled has one from the first moment on: where it is missing it is lost, and with it which numbers were used.
fn sequence_row(draft: &Draft<'_>, device: DeviceId) -> Result<SequenceRow, StoreError> {
    rows::load(draft, &device.0.0)?.ok_or(StoreError::Damaged)
}

/// Remembers an envelope in the bucket of its prekey.
pub(crate) fn remember_envelope(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
) -> Result<(), StoreError> {
    let (prekey, envelope) = (incoming.prekey, incoming.envelope.0);
    rows::save(draft, &SeenRow { prekey, envelope, device, request: incoming.id })
}

/// Remembers how a request went, for as long as any envelope of it can be opened.
pub(crate) fn remember_outcome(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: DeviceId,
    status: Status,
) -> Result<(), StoreError> {
    let earlier = outcome_of(draft, incoming, device)?;
    let until = earlier.map_or(incoming.prekey_until, |row| row.until.max(incoming.prekey_until));
    let (request, operation) = (incoming.id, incoming.operation_hash);
    rows::save(draft, &OutcomeRow { device, request, operation, status, until })
}
