//! Who the safe is: founding it, and keeping its prekeys ahead of time.
//!
//! Pure over a draft. The root key exists in memory only while the safe is founded; afterwards it is on paper.

use std::collections::BTreeSet;

use rand_core::CryptoRng;
use rohrpost_e2ee::keys::{SealingSecret, SigningSecret};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{
    IDENTITY_SECONDS, IdentityRecord, PREKEY_LATE_SECONDS, PREKEY_SECONDS, PREKEY_SECRET_SECONDS,
    PREKEYS_AHEAD_SECONDS, PrekeyId, PrekeyRecord, RecordKind, RecordSet, RootStatement, Signed, next_root_hash,
};
use rohrpost_wire::{InboxId, RelayAddress, SUITE, SafePin, Timestamp, VERSION, limits};

use crate::audit::{self, Action, Actor, Event};
use crate::rows::{self, EpochKeys, IdentityRow, OutcomeRow, PracticeRow, PrekeyRow, SeenRow, Stored as _};
use crate::vault::{Draft, StoreError, Table};

/// The keys that go on paper and nowhere else.
#[derive(Debug)]
pub struct RootKeys {
    /// Signs the present identity and the next ones.
    pub root: SigningSecret,
    /// Takes its place when it is lost or exposed.
    pub next_root: SigningSecret,
}

/// Makes a safe: root statement, identity record of epoch 1, and the name of the practice.
pub fn found(
    draft: &mut Draft<'_>,
    practice: &str,
    relay: &RelayAddress,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<RootKeys, StoreError> {
    let roots = RootKeys { root: SigningSecret::generate(rng), next_root: SigningSecret::generate(rng) };
    let keys = EpochKeys {
        online: SigningSecret::generate(rng),
        audit: SigningSecret::generate(rng),
        route: SigningSecret::generate(rng),
    };
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: roots.root.public(),
        next_root_hash: next_root_hash(&roots.next_root.public().0),
        previous: None,
    };
    let statement = Signed::sign(RecordKind::Root, &statement, roots.root.signer());
    let pin = SafePin::of_statement(&statement.bytes);
    let record = IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin,
        epoch: 1,
        online_key: keys.online.public(),
        audit_key: keys.audit.public(),
        inbox: InboxId::of_route_key(&keys.route.public().0),
        relays: vec![relay.clone()],
        not_before: now,
        not_after: now.plus(IDENTITY_SECONDS),
    };
    let signed = Signed::sign(RecordKind::Identity, &record, roots.root.signer());
    rows::save(draft, &IdentityRow::new(pin, 1, &keys, vec![statement], signed, record.not_after))?;
    rows::save(draft, &PracticeRow { name: practice.to_owned(), relay: relay.clone(), created: now })?;
    audit::append(draft, &Event::new(now, Actor::Owner, Action::Founded), rng)?;
    Ok(roots)
}

/// The safe's own rows.
pub fn load(draft: &Draft<'_>) -> Result<(PracticeRow, IdentityRow), StoreError> {
    let practice = rows::load(draft, PracticeRow::KEY)?.ok_or(StoreError::Damaged)?;
    let identity = rows::load(draft, IdentityRow::KEY)?.ok_or(StoreError::Damaged)?;
    Ok((practice, identity))
}

/// Prekeys looked at: all there are, unless a clock has gone astray again and again.
const PREKEYS: usize = 4 * limits::PREKEY_RECORDS;

/// Above this many a clock that is astray gets none made any more: those of the right time, and of two wrong ones.
const ASTRAY_PREKEYS: usize = 2 * limits::PREKEY_RECORDS;

/// All prekeys whose secrets are kept and can be read, the earliest first.
pub fn prekeys(draft: &Draft<'_>) -> Result<Vec<PrekeyRow>, StoreError> {
    let mut prekeys = rows::page::<PrekeyRow>(draft, &[], None, PREKEYS)?.rows;
    prekeys.sort_by_key(|prekey| prekey.not_before);
    Ok(prekeys)
}

/// Makes prekeys until they reach 30 days ahead without a gap. Returns whether any were made.
pub fn top_up(draft: &mut Draft<'_>, clock: Timestamp, rng: &mut impl CryptoRng) -> Result<bool, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    if audit::is_clock_astray(draft, clock)? && prekeys(draft)?.len() > ASTRAY_PREKEYS {
        return Ok(false);
    }
    let (_, identity) = load(draft)?;
    // Not simply the last end: while the clock was wrong, prekeys of another time may have been made.
    let end = prekeys(draft)?
        .iter()
        .fold(now, |end, next| if next.not_before <= end { end.max(next.not_after) } else { end });
    let mut from = end;
    while from < now.plus(PREKEYS_AHEAD_SECONDS) {
        rows::save(draft, &new_prekey(&identity, from, rng))?;
        from = from.plus(PREKEY_SECONDS);
    }
    Ok(from != end)
}

fn new_prekey(identity: &IdentityRow, not_before: Timestamp, rng: &mut impl CryptoRng) -> PrekeyRow {
    let secret = SealingSecret::generate(rng);
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    let record = PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: identity.pin,
        epoch: identity.epoch,
        id: PrekeyId(Fixed(id)),
        key: secret.public(),
        pipe_key_hash: None,
        not_before,
        not_after: not_before.plus(PREKEY_SECONDS),
    };
    let signed = Signed::sign(RecordKind::Prekey, &record, identity.keys().online.signer());
    PrekeyRow::new(record.id, &secret, signed, record.not_before, record.not_after)
}

/// Replay records erased in one transaction, about; the rest goes with the next call.
const ERASED_AT_ONCE: usize = 2000;
/// The end of every bucket.
const LAST_ENVELOPE: [u8; 32] = [0xff; 32];
/// What the key of a replay record begins with.
const PREKEY_BYTES: usize = 8;

/// Erases the secrets of prekeys whose time is long over, and with each what was recorded under it. Returns whether
/// there may be more to erase.
///
/// By a clock that is astray nothing is erased.
pub fn retire(draft: &mut Draft<'_>, clock: Timestamp) -> Result<bool, StoreError> {
    if let Some(days) = audit::days_astray(draft, clock)? {
        tracing::warn!(days, "the clock is far ahead; set it, or vouch for it with `rohrpost-safe clock --accept`");
        return Ok(false);
    }
    audit::advance(draft, clock)?;
    let now = audit::effective_time(draft, clock)?;
    for prekey in prekeys(draft)? {
        // The secret goes first: from this commit on no envelope of the bucket opens, whatever is left in it.
        if is_over(prekey.not_after, now) {
            draft.delete(Table::Prekeys, &prekey.key())?;
        }
    }
    erase_orphans(draft, now)
}

/// Whether all that was kept for a prekey whose offer ended then is to be erased.
fn is_over(not_after: Timestamp, now: Timestamp) -> bool {
    not_after.plus(PREKEY_SECRET_SECONDS) < now
}

/// Walks from bucket to bucket by their keys, not through the rows of those that stay. A row that is damaged stands in
/// nobody's way.
fn erase_orphans(draft: &mut Draft<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let live: BTreeSet<Vec<u8>> = draft.keys(Table::Prekeys, &[], None, PREKEYS)?.into_iter().collect();
    let mut erased = 0;
    let mut after: Option<Vec<u8>> = None;
    while let Some(first) = draft.keys(Table::Seen, &[], after.as_deref(), 1)?.pop() {
        let bucket = first.get(..PREKEY_BYTES).unwrap_or(&first);
        if live.contains(bucket) {
            after = Some([bucket, &LAST_ENVELOPE].concat());
            continue;
        }
        for key in draft.keys(Table::Seen, bucket, after.as_deref(), ERASED_AT_ONCE)? {
            erase(draft, &key, now)?;
            after = Some(key);
            erased += 1;
        }
        if erased >= ERASED_AT_ONCE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Erases a replay record and, unless a later prekey carried the same request, its outcome.
fn erase(draft: &mut Draft<'_>, seen: &[u8], now: Timestamp) -> Result<(), StoreError> {
    if let Some(row) = intact::<SeenRow>(draft, seen)? {
        let outcome = OutcomeRow::key_of(&row.device, &row.request);
        // One that cannot be read answers nobody any more.
        if intact::<OutcomeRow>(draft, &outcome)?.is_none_or(|row| is_over(row.until, now)) {
            draft.delete(Table::Outcomes, &outcome)?;
        }
    }
    draft.delete(Table::Seen, seen)
}

/// A row, if it is there and can be read.
fn intact<T: rows::Stored>(draft: &Draft<'_>, key: &[u8]) -> Result<Option<T>, StoreError> {
    match rows::load(draft, key) {
        Err(StoreError::Damaged) => Ok(None),
        loaded => loaded,
    }
}

/// What the safe publishes at its relay: every prekey a client may still take.
pub fn record_set(draft: &Draft<'_>, clock: Timestamp) -> Result<RecordSet, StoreError> {
    let now = audit::effective_time(draft, clock)?;
    let (_, identity) = load(draft)?;
    let offered = |prekey: &PrekeyRow| prekey.not_after.plus(PREKEY_LATE_SECONDS) >= now;
    let prekeys = prekeys(draft)?.into_iter().filter(offered).take(limits::PREKEY_RECORDS);
    Ok(RecordSet {
        roots: identity.roots,
        identity: identity.record,
        prekeys: prekeys.map(|prekey| prekey.record).collect(),
    })
}

#[cfg(test)]
mod tests;
