//! What time it is for the safe: its clock, held against the latest time at which it has acted.
//!
//! Backwards it never goes. Forwards a clock is believed for 45 days at once; one that is further ahead is used to judge
//! what has ended, which can be made good, but neither erases a key nor moves the mark, which cannot. The practice can
//! vouch for it. See `docs/decisions/0005-a-clock-that-runs-away.md`.

use rand_core::CryptoRng;
use rohrpost_wire::Timestamp;
use rohrpost_wire::records::{PREKEY_SECRET_SECONDS, PREKEYS_AHEAD_SECONDS};
use rohrpost_wire::time::DAY;

use super::{Action, Actor, Event, append, head};
use crate::rows::{self, AuditHead};
use crate::vault::{Draft, StoreError};

/// How far the clock may be ahead of the mark. A safe that was off for longer has no prekey left with which anybody could
/// have written to it, so it has nothing to lose by waiting for its practice.
pub const LONGEST_JUMP_SECONDS: u64 = PREKEYS_AHEAD_SECONDS + PREKEY_SECRET_SECONDS;

/// The time at which to act: never earlier than one at which something was decided before.
pub fn effective_time(draft: &Draft<'_>, clock: Timestamp) -> Result<Timestamp, StoreError> {
    Ok(clock.max(head(draft)?.time))
}

/// Whether the clock is too far ahead to erase anything by it.
pub fn is_clock_astray(draft: &Draft<'_>, clock: Timestamp) -> Result<bool, StoreError> {
    Ok(is_astray(&head(draft)?, clock))
}

/// How many days the clock is ahead, if it is astray.
pub fn days_astray(draft: &Draft<'_>, clock: Timestamp) -> Result<Option<u64>, StoreError> {
    let head = head(draft)?;
    Ok(is_astray(&head, clock).then(|| clock.0.saturating_sub(head.time.0) / DAY))
}

/// Moves the mark along with a clock that is believed, a day at a time: a quiet safe must not find its clock astray.
pub fn advance(draft: &mut Draft<'_>, clock: Timestamp) -> Result<(), StoreError> {
    let mut head = head(draft)?;
    if clock < head.time.plus(DAY) || is_astray(&head, clock) {
        return Ok(());
    }
    head.time = clock;
    rows::save(draft, &head)
}

/// Takes the practice's word for the clock: the mark is set to it, forwards or backwards, and that is recorded.
pub fn accept_clock(draft: &mut Draft<'_>, clock: Timestamp, rng: &mut impl CryptoRng) -> Result<(), StoreError> {
    let mut head = head(draft)?;
    head.time = clock;
    rows::save(draft, &head)?;
    append(draft, &Event::new(clock, Actor::Owner, Action::ClockAccepted), rng)
}

pub(super) fn is_astray(head: &AuditHead, clock: Timestamp) -> bool {
    clock > head.time.plus(LONGEST_JUMP_SECONDS)
}

#[cfg(test)]
mod tests;
