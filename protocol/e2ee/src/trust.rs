//! Why a client believes that a sealing key belongs to a safe: pin → chain of roots → identity record → prekey.
//!
//! The pin comes from the link, out of the relay's reach. Everything else comes through the relay and is believed only
//! as far as a signature carries it back to the pin. Nothing is sealed to a key that did not come out of [`verify`].

use rohrpost_wire::codec::{self, DecodeError};
use rohrpost_wire::proof::ProofError;
use rohrpost_wire::records::{
    IdentityRecord, PREKEY_EARLY_SECONDS, PREKEY_LATE_SECONDS, PrekeyId, PrekeyRecord, RecordKind, RecordSet,
    RootChain, RootStatement, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{InboxId, RelayAddress, SUITE, SafePin, Timestamp, VERSION, limits};
use serde::{Deserialize, Serialize};

use crate::keys::SealingKey;
use crate::link::Link;

/// What a client already knows of a safe and will not go below. Kept by the client between its visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whose records these must be.
    pub pin: SafePin,
    /// The highest epoch met, in the link or in a verified record.
    pub epoch: u32,
    /// The longest chain of root statements met, in the link or verified.
    pub chain: RootChain,
    /// When the newest verified identity record of this epoch began; 0 before the first.
    pub identity_from: Timestamp,
}

impl Known {
    /// What a link says of its safe.
    pub fn of_link(link: &Link) -> Self {
        Self { pin: link.pin, epoch: link.epoch, chain: link.chain, identity_from: Timestamp(0) }
    }

    /// Takes over what is newer. True if anything was. What was verified against an older `Known` may come in any
    /// order, so neither the chain nor the records ever go back.
    pub fn learn(&mut self, safe: &TrustedSafe) -> bool {
        let (before, seen) = (*self, safe.known);
        if seen.pin != self.pin {
            return false;
        }
        if seen.chain.length > self.chain.length {
            self.chain = seen.chain;
        }
        if seen.age() > self.age() {
            (self.epoch, self.identity_from) = seen.age();
        }
        *self != before
    }

    fn age(&self) -> (u32, Timestamp) {
        (self.epoch, self.identity_from)
    }
}

/// A safe whose records were verified, and the prekey to seal to now. [`verify`] alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSafe {
    known: Known,
    inbox: InboxId,
    relays: Vec<RelayAddress>,
    identity_until: Timestamp,
    prekey_id: PrekeyId,
    prekey: SealingKey,
    prekey_until: Timestamp,
}

impl TrustedSafe {
    /// Its name.
    pub fn pin(&self) -> SafePin {
        self.known.pin
    }

    /// What its records say that is to be remembered, with [`Known::learn`].
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Its inbox.
    pub fn inbox(&self) -> InboxId {
        self.inbox
    }

    /// Its relays.
    pub fn relays(&self) -> &[RelayAddress] {
        &self.relays
    }

    /// When the identity record ends.
    pub fn identity_until(&self) -> Timestamp {
        self.identity_until
    }

    /// The prekey's name.
    pub fn prekey_id(&self) -> PrekeyId {
        self.prekey_id
    }

    /// The prekey.
    pub fn prekey(&self) -> &SealingKey {
        &self.prekey
    }

    /// When the prekey's offer ends; a request lives at most 14 days longer.
    pub fn prekey_until(&self) -> Timestamp {
        self.prekey_until
    }

    /// A safe that nothing vouches for, with this prekey.
    #[doc(hidden)]
    pub fn unverified_for_tests(inbox: InboxId, prekey: &PrekeyRecord) -> Self {
        let chain = RootChain { length: 1, newest: StatementHash(prekey.safe_pin.0) };
        Self {
            known: Known { pin: prekey.safe_pin, epoch: prekey.epoch, chain, identity_from: prekey.not_before },
            inbox,
            relays: Vec::new(),
            identity_until: prekey.not_after,
            prekey_id: prekey.id,
            prekey: prekey.key,
            prekey_until: prekey.not_after,
        }
    }
}

/// Why records are not believed. For the client's own use: a relay never hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// A record is not the one encoding of its kind.
    #[error("malformed record")]
    Malformed,
    /// The chain does not start at the pin or leaves the one already known, or a signature or commitment does not hold.
    #[error("records are not signed by the safe that is pinned")]
    NotThisSafe,
    /// An epoch, record, chain or suite older than one already known: a rolled-back or replayed record.
    #[error("records are older than ones already seen")]
    RolledBack,
    /// A version or suite this client does not speak.
    #[error("records of an unknown version or suite")]
    Unsupported,
    /// The identity record is not valid at this time.
    #[error("the identity record is not valid now")]
    Outdated,
    /// No prekey is valid at this time.
    #[error("no prekey is valid now")]
    NoPrekey,
}

impl From<DecodeError> for TrustError {
    fn from(DecodeError: DecodeError) -> Self {
        Self::Malformed
    }
}

impl From<ProofError> for TrustError {
    fn from(ProofError: ProofError) -> Self {
        Self::NotThisSafe
    }
}

/// Verifies a published set against what is known, at time `now`.
pub fn verify(set: &RecordSet, known: &Known, now: Timestamp) -> Result<TrustedSafe, TrustError> {
    let (root, chain) = verify_roots(&set.roots, known)?;
    let identity = verify_identity(&set.identity, &root, known)?;
    let prekeys = set.prekeys.iter().map(|signed| verify_prekey(signed, &identity)).collect::<Result<Vec<_>, _>>()?;
    // Only now the time: whoever forges behind a record that has ended is to be taken for a forger all the same.
    check_time(&identity, now)?;
    let prekey = choose_prekey(prekeys, now).ok_or(TrustError::NoPrekey)?;
    Ok(TrustedSafe {
        known: Known { pin: known.pin, epoch: identity.epoch, chain, identity_from: identity.not_before },
        inbox: identity.inbox,
        relays: identity.relays,
        identity_until: identity.not_after,
        prekey_id: prekey.id,
        prekey: prekey.key,
        prekey_until: prekey.not_after,
    })
}

/// Walks the chain: the first statement gives the pin and signs itself; each further one is signed by the key to which
/// its predecessor committed, and names that predecessor. A commitment alone would not do: whoever steals a root key
/// after it was retired could sign another statement of it, and so another chain of any length. Returns the last
/// statement, and the chain to be remembered.
fn verify_roots(roots: &[Signed], known: &Known) -> Result<(RootStatement, RootChain), TrustError> {
    let chain = RootChain::of(roots).ok_or(TrustError::Malformed)?;
    let (first, successors) = roots.split_first().ok_or(TrustError::Malformed)?;
    if SafePin::of_statement(&first.bytes) != known.pin {
        return Err(TrustError::NotThisSafe);
    }
    let seen = roots.get(..usize::from(known.chain.length)).ok_or(TrustError::RolledBack)?;
    if RootChain::of(seen) != Some(known.chain) {
        return Err(TrustError::NotThisSafe);
    }
    let mut root = verify_root(first)?;
    if root.previous.is_some() {
        return Err(TrustError::NotThisSafe);
    }
    let mut previous = first;
    for successor in successors {
        let next = verify_root(successor)?;
        let named = next.previous == Some(StatementHash::of_statement(&previous.bytes));
        if !named || next_root_hash(&next.root_key.0) != root.next_root_hash {
            return Err(TrustError::NotThisSafe);
        }
        if next.suite_floor < root.suite_floor {
            return Err(TrustError::RolledBack);
        }
        (root, previous) = (next, successor);
    }
    Ok((root, chain))
}

fn verify_root(signed: &Signed) -> Result<RootStatement, TrustError> {
    let statement: RootStatement = codec::decode(&signed.bytes)?;
    if statement.version != VERSION || statement.suite_floor > SUITE {
        return Err(TrustError::Unsupported);
    }
    signed.verify(RecordKind::Root, &statement.root_key)?;
    Ok(statement)
}

fn verify_identity(signed: &Signed, root: &RootStatement, known: &Known) -> Result<IdentityRecord, TrustError> {
    signed.verify(RecordKind::Identity, &root.root_key)?;
    let identity: IdentityRecord = codec::decode(&signed.bytes)?;
    check_kind(identity.version, identity.suite, identity.safe_pin, known.pin)?;
    let relays = &identity.relays;
    if relays.is_empty() || relays.len() > limits::RELAYS || !relays.iter().all(RelayAddress::is_well_formed) {
        return Err(TrustError::Malformed);
    }
    // The suite needs no look at the floor: the one suite there is, is not below any floor that was taken.
    if (identity.epoch, identity.not_before) < known.age() {
        return Err(TrustError::RolledBack);
    }
    Ok(identity)
}

/// The same grace as for a prekey: a client's clock may be an hour slow.
fn check_time(identity: &IdentityRecord, now: Timestamp) -> Result<(), TrustError> {
    let is_due = now.plus(PREKEY_EARLY_SECONDS) >= identity.not_before && now <= identity.not_after;
    if is_due { Ok(()) } else { Err(TrustError::Outdated) }
}

/// The prekey whose time it is; within the grace of an hour before and a day after, the one whose time is nearest.
fn choose_prekey(prekeys: Vec<PrekeyRecord>, now: Timestamp) -> Option<PrekeyRecord> {
    let due = prekeys.into_iter().filter_map(|prekey| Some((distance(&prekey, now)?, prekey)));
    due.min_by_key(|(distance, _)| *distance).map(|(_, prekey)| prekey)
}

fn verify_prekey(signed: &Signed, identity: &IdentityRecord) -> Result<PrekeyRecord, TrustError> {
    signed.verify(RecordKind::Prekey, &identity.online_key)?;
    let prekey: PrekeyRecord = codec::decode(&signed.bytes)?;
    check_kind(prekey.version, prekey.suite, prekey.safe_pin, identity.safe_pin)?;
    if prekey.epoch == identity.epoch { Ok(prekey) } else { Err(TrustError::RolledBack) }
}

fn check_kind(version: u8, suite: u8, pin: SafePin, expected: SafePin) -> Result<(), TrustError> {
    if version != VERSION || suite != SUITE {
        return Err(TrustError::Unsupported);
    }
    if pin == expected { Ok(()) } else { Err(TrustError::NotThisSafe) }
}

/// 0 within the prekey's time, the seconds to it within the grace, `None` beyond.
fn distance(prekey: &PrekeyRecord, now: Timestamp) -> Option<u64> {
    if now < prekey.not_before {
        let early = prekey.not_before.0 - now.0;
        (early <= PREKEY_EARLY_SECONDS).then_some(early)
    } else if now > prekey.not_after {
        let late = now.0 - prekey.not_after.0;
        (late <= PREKEY_LATE_SECONDS).then_some(late)
    } else {
        Some(0)
    }
}

#[cfg(test)]
mod tests;
