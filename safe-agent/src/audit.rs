//! The record of every decision.
//!
//! A leaf is written in the same transaction as the effect and the outcome it records: there is no effect without its
//! leaf and no leaf without its effect. Each leaf carries a random salt, and `leaf_hash` = SHA-256(0x00 ‖ salt ‖ event)
//! in the manner of RFC 6962 §2.1, so that a later Merkle tree can be built over hashes that tell nothing.

mod head;
mod time;

use rand_core::CryptoRng;
use ring::digest;
use rohrpost_e2ee::body::{DeviceId, DocumentId, LinkId};
use rohrpost_wire::Timestamp;
use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use crate::rows::{self, PatientId, Stored};
use crate::vault::{Draft, StoreError, Table};

pub use head::head;
pub use time::{LONGEST_JUMP_SECONDS, accept_clock, advance, days_astray, effective_time, is_clock_astray};

/// One thing that was decided: by whom, about whom, what, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the safe's clock.
    pub at: Timestamp,
    /// Who asked.
    pub actor: Actor,
    /// Whose data.
    pub patient: Option<PatientId>,
    /// What for.
    pub action: Action,
    /// How it went.
    pub decision: Decision,
}

impl Event {
    /// An allowed action about nobody in particular.
    pub fn new(at: Timestamp, actor: Actor, action: Action) -> Self {
        Self { at, actor, patient: None, action, decision: Decision::Allowed }
    }

    /// The same about a patient.
    #[must_use]
    pub fn about(self, patient: PatientId) -> Self {
        Self { patient: Some(patient), ..self }
    }

    /// The same, refused.
    #[must_use]
    pub fn refused(self, reason: Refusal) -> Self {
        Self { decision: Decision::Refused(reason), ..self }
    }
}

/// Who asked. Order is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// 0: the practice, at the safe itself.
    Owner,
    /// 1: a device.
    Device(DeviceId),
    /// 2: the safe on its own.
    Safe,
}

/// What was asked for. Order is part of the format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// 0: the safe was made.
    Founded,
    /// 1: a patient was added.
    PatientAdded,
    /// 2: a document was imported.
    DocumentAdded(DocumentId),
    /// 3: a document was shared.
    Shared(DocumentId),
    /// 4: a document is no longer shared.
    Unshared(DocumentId),
    /// 5: a link was made.
    LinkMade(LinkId),
    /// 6: a device tried to enrol, or did.
    Enrolment(LinkId),
    /// 7: a device was revoked.
    DeviceRevoked(DeviceId),
    /// 8: documents were listed.
    Listed {
        /// How many were shown.
        documents: u32,
    },
    /// 9: a document was read from this byte on.
    Read {
        /// Which.
        document: DocumentId,
        /// From where.
        offset: u64,
    },
    /// 10: a device asked about itself.
    StatusAsked,
    /// 11: the practice vouched for the clock.
    ClockAccepted,
    /// 12: the practice went on although confirmed commits were missing.
    LossAccepted {
        /// How many.
        missing: u64,
    },
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// 0: as asked.
    Allowed,
    /// 1: not.
    Refused(Refusal),
}

/// Why not. Order is part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// 0: no right to it, or no such thing.
    NotAllowed,
    /// 1: the device is revoked.
    Revoked,
    /// 2: the PIN was wrong.
    WrongPin,
    /// 3: the link had been used.
    LinkUsed,
    /// 4: the link's time was over.
    LinkExpired,
    /// 5: too many wrong PINs.
    LinkDead,
    /// 6: a sequence number was used twice: perhaps a copied device.
    SequenceReused,
    /// 7: another operation under a used request id.
    Conflict,
    /// 8: outside its time.
    OutOfTime,
    /// 9: the document is not the version that was named.
    Changed,
    /// 10: not on this lane.
    WrongLane,
    /// 11: more than is recorded of one device.
    Quota,
    /// 12: what was asked for is damaged.
    Damaged,
}

/// A leaf of the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaf {
    /// Its place.
    pub number: u64,
    /// Random; hides the event behind the hash.
    pub salt: Fixed<16>,
    /// The event's canonical encoding.
    pub event: Vec<u8>,
    /// SHA-256(0x00 ‖ salt ‖ event).
    pub hash: Fixed<32>,
}

impl Leaf {
    /// What it records, if the leaf is as it was written.
    pub fn event(&self) -> Result<Event, StoreError> {
        let intact = self.hash == leaf_hash(&self.salt, &self.event);
        if intact { codec::decode(&self.event).map_err(|_| StoreError::Damaged) } else { Err(StoreError::Damaged) }
    }

    fn event_at(&self, number: u64) -> Result<Event, StoreError> {
        if self.number == number { self.event() } else { Err(StoreError::Damaged) }
    }
}

impl Stored for Leaf {
    const TABLE: Table = Table::Audit;

    fn key(&self) -> Vec<u8> {
        self.number.to_be_bytes().to_vec()
    }
}

fn leaf_hash(salt: &Fixed<16>, event: &[u8]) -> Fixed<32> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0]);
    context.update(&salt.0);
    context.update(event);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Fixed(hash)
}

/// Appends an event and moves the high-water mark of time, unless the event's is too far ahead to be believed.
pub fn append(draft: &mut Draft<'_>, event: &Event, rng: &mut impl CryptoRng) -> Result<(), StoreError> {
    let mut head = head(draft)?;
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let (salt, bytes) = (Fixed(salt), codec::encode(event));
    let hash = leaf_hash(&salt, &bytes);
    rows::save(draft, &Leaf { number: head.next, salt, event: bytes, hash })?;
    head.next += 1;
    if head.next == 1 || !time::is_astray(&head, event.at) {
        head.time = head.time.max(event.at);
    }
    rows::save(draft, &head)
}

/// Part of the record.
#[derive(Debug)]
pub struct Part {
    /// What could be read, with its numbers.
    pub events: Vec<(u64, Event)>,
    /// How many leaves are missing, or not as they were written.
    pub damaged: u64,
    /// The number after the last that was looked at, if there are more.
    pub next: Option<u64>,
}

/// Reads the leaves from a number on, at most `limit`, past those that are damaged.
pub fn part(draft: &Draft<'_>, from: u64, limit: usize) -> Result<Part, StoreError> {
    let head = head(draft)?;
    let end = from.saturating_add(limit as u64).min(head.next);
    let mut part = Part { events: Vec::new(), damaged: 0, next: (end < head.next).then_some(end) };
    for number in from..end {
        match rows::load::<Leaf>(draft, &number.to_be_bytes()).map(|leaf| leaf.map(|leaf| leaf.event_at(number))) {
            Ok(Some(Ok(event))) => part.events.push((number, event)),
            Ok(None | Some(Err(StoreError::Damaged))) | Err(StoreError::Damaged) => part.damaged += 1,
            Ok(Some(Err(error))) | Err(error) => return Err(error),
        }
    }
    if part.next.is_none() {
        // A leaf behind the end is damage too: the end was set back.
        let last = head.next.checked_sub(1).map(u64::to_be_bytes);
        part.damaged += draft.keys(Table::Audit, &[], last.as_ref().map(<[u8; 8]>::as_slice), 1)?.len() as u64;
    }
    Ok(part)
}

/// As [`part`], whole or not at all: a leaf that is missing is damage, in the middle as at the end.
pub fn read(draft: &Draft<'_>, from: u64, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
    let part = part(draft, from, limit)?;
    if part.damaged == 0 { Ok(part.events) } else { Err(StoreError::Damaged) }
}

#[cfg(test)]
mod tests;
