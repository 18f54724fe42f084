//! Whether records are over, by the protocol's times and not by the product's code.

use rohrpost_wire::codec;
use rohrpost_wire::records::{IdentityRecord, PrekeyRecord, RecordSet, Signed};

use crate::time::{Millis, WallClock};

/// Seconds for which a prekey may be taken before its time, and after.
const GRACE: (u64, u64) = (3600, 86_400);

/// Whether nobody who knows the time may seal by these: their identity has ended, or the time of every prekey.
pub(super) fn is_over(set: &RecordSet, now: Millis) -> bool {
    let identity: Option<IdentityRecord> = codec::decode(&set.identity.bytes).ok();
    let ended = identity.is_none_or(|record| record.not_after < WallClock::default().read(now));
    ended || set.prekeys.iter().all(|prekey| !is_due(prekey, now))
}

fn is_due(prekey: &Signed, now: Millis) -> bool {
    let (now, (early, late)) = (WallClock::default().read(now), GRACE);
    let record: Option<PrekeyRecord> = codec::decode(&prekey.bytes).ok();
    record.is_some_and(|record| now.plus(early) >= record.not_before && now <= record.not_after.plus(late))
}
