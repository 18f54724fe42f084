//! The signed records by which a client knows a safe: root statements, the identity record, prekeys.
//!
//! They are public and a relay stores them; it does not judge them. Who trusts them, and why, is decided by the client
//! (`rohrpost-e2ee`, `trust`). A record is signed and hashed as the bytes that were received.

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};

use crate::SUITE;
use crate::address::{InboxId, RelayAddress, SafePin, hash};
use crate::codec::{self, DecodeError};
use crate::fixed::Fixed;
use crate::limits;
use crate::proof::{self, ProofError};
use crate::time::{DAY, HOUR, Timestamp};

/// How long an identity record is valid.
pub const IDENTITY_SECONDS: u64 = 400 * DAY;
/// How long a prekey is offered.
pub const PREKEY_SECONDS: u64 = 48 * HOUR;
/// How long before its time a client takes a prekey, for clocks that are slow.
pub const PREKEY_EARLY_SECONDS: u64 = HOUR;
/// How long after its time a client takes a prekey, for clocks that are fast and safes that were off.
pub const PREKEY_LATE_SECONDS: u64 = 24 * HOUR;
/// How long after its time a prekey's secret is kept: a deposit of the longest class, and a day.
pub const PREKEY_SECRET_SECONDS: u64 = 15 * DAY;
/// How far ahead prekeys are published, so that a safe that is off can still be written to.
pub const PREKEYS_AHEAD_SECONDS: u64 = 30 * DAY;

/// The length of an X-Wing encapsulation key (draft-connolly-cfrg-xwing-kem §5.2).
pub const SEALING_KEY_BYTES: usize = 1216;

/// What a root key says once: who it is and which key comes after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStatement {
    /// The protocol version.
    pub version: u8,
    /// The lowest suite this safe will ever speak.
    pub suite_floor: u8,
    /// The Ed25519 root key, kept offline.
    pub root_key: Fixed<32>,
    /// The labelled hash of the next root key, which only the printed recovery sheet knows.
    pub next_root_hash: Fixed<32>,
    /// The statement before this one; `None` for the first. A thief of a retired root key can sign another statement
    /// of that key, but no statement that stands behind it.
    pub previous: Option<StatementHash>,
}

/// The labelled hash of a root statement as received; what its successor, links and clients remember of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatementHash(pub Fixed<32>);

impl StatementHash {
    /// Hashes a statement's bytes.
    pub fn of_statement(bytes: &[u8]) -> Self {
        Self(Fixed(hash(b"rohrpost/1 root-link", &[bytes])))
    }
}

/// A chain of root statements by its end: a client that has seen it takes no other chain through this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootChain {
    /// How many statements, at least 1.
    pub length: u8,
    /// The last of them, which holds all before it.
    pub newest: StatementHash,
}

impl RootChain {
    /// The end of a chain; `None` for an empty one and one of more than [`limits::ROOT_STATEMENTS`].
    pub fn of(roots: &[Signed]) -> Option<Self> {
        let newest = StatementHash::of_statement(&roots.last()?.bytes);
        let length = u8::try_from(roots.len()).ok().filter(|length| usize::from(*length) <= limits::ROOT_STATEMENTS)?;
        Some(Self { length, newest })
    }
}

/// Who a safe is for one epoch; signed by the root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// The protocol version.
    pub version: u8,
    /// The suite.
    pub suite: u8,
    /// The safe.
    pub safe_pin: SafePin,
    /// Rises with every change of the keys below and after every restore; a client never goes back.
    pub epoch: u32,
    /// The Ed25519 key that signs prekeys in this epoch.
    pub online_key: Fixed<32>,
    /// The Ed25519 key that signs the audit log's checkpoints.
    pub audit_key: Fixed<32>,
    /// The safe's inbox at its relays.
    pub inbox: InboxId,
    /// Where it can be reached, at most [`limits::RELAYS`].
    pub relays: Vec<RelayAddress>,
    /// From when; later than in every record of this epoch before it, which is the order of records in one epoch.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// The name of one prekey: random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PrekeyId(pub Fixed<8>);

/// One sealing key and when to use it; signed by the online key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrekeyRecord {
    /// The protocol version.
    pub version: u8,
    /// The suite.
    pub suite: u8,
    /// The safe.
    pub safe_pin: SafePin,
    /// The epoch of the identity record whose online key signs this.
    pub epoch: u32,
    /// Names the key in an envelope's header.
    pub id: PrekeyId,
    /// The X-Wing encapsulation key.
    pub key: Fixed<SEALING_KEY_BYTES>,
    /// Reserved: the hash of the key the safe shows on a pipe.
    pub pipe_key_hash: Option<Fixed<32>>,
    /// From when it is offered.
    pub not_before: Timestamp,
    /// Until when it is offered.
    pub not_after: Timestamp,
}

/// Which kind of record a signature is over; each has a label of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A [`RootStatement`].
    Root,
    /// An [`IdentityRecord`].
    Identity,
    /// A [`PrekeyRecord`].
    Prekey,
}

impl RecordKind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Root => b"rohrpost/1 root-statement\0",
            Self::Identity => b"rohrpost/1 identity-record\0",
            Self::Prekey => b"rohrpost/1 prekey-record\0",
        }
    }
}

/// The bytes of a record as received, and a signature over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The record's canonical encoding.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// Over label, suite (1) and bytes.
    pub signature: Fixed<64>,
}

impl Signed {
    /// Signs a record.
    pub fn sign<T: Serialize>(kind: RecordKind, record: &T, key: &SigningKey) -> Self {
        let bytes = codec::encode(record);
        let signature = key.sign(&[kind.label(), &[SUITE], &bytes].concat());
        Self { bytes, signature: Fixed(signature.to_bytes()) }
    }

    /// Checks the signature over the bytes as they are.
    pub fn verify(&self, kind: RecordKind, key: &Fixed<32>) -> Result<(), ProofError> {
        proof::verify(key, &[kind.label(), &[SUITE], &self.bytes].concat(), &self.signature)
    }
}

/// Everything a safe publishes at a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The chain of root statements, the first one first.
    pub roots: Vec<Signed>,
    /// The identity record of the present epoch.
    pub identity: Signed,
    /// Prekeys, the earliest first.
    pub prekeys: Vec<Signed>,
}

impl RecordSet {
    /// Decodes a set within its bounds. Signatures are not looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::RECORDS_BYTES {
            return Err(DecodeError);
        }
        let set: Self = codec::decode(bytes)?;
        let bounded = set.roots.len() <= limits::ROOT_STATEMENTS && set.prekeys.len() <= limits::PREKEY_RECORDS;
        if bounded && !set.roots.is_empty() { Ok(set) } else { Err(DecodeError) }
    }

    /// The set as it is published.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

impl SafePin {
    /// The pin that a first root statement, as received, gives its safe.
    pub fn of_statement(bytes: &[u8]) -> Self {
        Self(Fixed(hash(b"rohrpost/1 safe-pin", &[bytes])))
    }
}

/// What a root statement commits to: the labelled hash of the key that comes next.
pub fn next_root_hash(next_root_key: &[u8; 32]) -> Fixed<32> {
    Fixed(hash(b"rohrpost/1 next-root", &[next_root_key]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_kind_key_and_bytes_alone() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = Fixed(key.verifying_key().to_bytes());
        let signed = Signed::sign(RecordKind::Root, &7u32, &key);
        assert_eq!(signed.verify(RecordKind::Root, &public), Ok(()));
        assert_eq!(signed.verify(RecordKind::Prekey, &public), Err(ProofError));
        let other = Fixed(SigningKey::from_bytes(&[4; 32]).verifying_key().to_bytes());
        assert_eq!(signed.verify(RecordKind::Root, &other), Err(ProofError));
        let changed = Signed { bytes: vec![8], ..signed };
        assert_eq!(changed.verify(RecordKind::Root, &public), Err(ProofError));
    }

    #[test]
    fn a_full_set_fits_its_limit() {
        let signed = |length| Signed { bytes: vec![0; length], signature: Fixed([0; 64]) };
        let set = RecordSet {
            roots: vec![signed(110); limits::ROOT_STATEMENTS],
            identity: signed(1400),
            prekeys: vec![signed(SEALING_KEY_BYTES + 140); limits::PREKEY_RECORDS],
        };
        assert_eq!(RecordSet::decode(&set.encode()), Ok(set));
    }

    #[test]
    fn a_set_without_a_root_or_with_too_many_records_is_refused() {
        let signed = Signed { bytes: vec![], signature: Fixed([0; 64]) };
        let rootless = RecordSet { roots: vec![], identity: signed.clone(), prekeys: vec![] };
        assert_eq!(RecordSet::decode(&rootless.encode()), Err(DecodeError));
        let crowded = RecordSet {
            roots: vec![signed.clone()],
            identity: signed.clone(),
            prekeys: vec![signed; limits::PREKEY_RECORDS + 1],
        };
        assert_eq!(RecordSet::decode(&crowded.encode()), Err(DecodeError));
    }
}
