//! Who may do what: grants, devices, links.

use std::fmt;

use rohrpost_e2ee::body::{DeviceId, DocumentId, LinkId, Pin, RequestId};
use rohrpost_e2ee::link::LinkMacKey;
use rohrpost_e2ee::secret::{Secret, inside_seal};
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use super::Stored;
use super::people::{DocumentRow, PatientId};
use crate::vault::Table;

/// What a grant allows, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights(u8);

impl Rights {
    /// To see that it is there.
    pub const LIST: Self = Self(1);
    /// To read it.
    pub const READ: Self = Self(2);
    /// What sharing a document gives its patient.
    pub const SHARED: Self = Self(1 | 2);

    /// Whether all of `wanted` is allowed.
    pub fn contain(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// The right of a patient to one document. No row, no right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Who: every device of this patient.
    pub subject: PatientId,
    /// To what.
    pub document: DocumentId,
    /// To do what.
    pub rights: Rights,
    /// Since when.
    pub shared: Timestamp,
    /// Until when, that second included.
    pub not_after: Option<Timestamp>,
}

impl Stored for GrantRow {
    const TABLE: Table = Table::Grants;

    fn key(&self) -> Vec<u8> {
        DocumentRow::key_of(&self.subject, &self.document)
    }
}

/// A device that a link has enrolled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// The hash of its key.
    pub id: DeviceId,
    /// Its Ed25519 key.
    pub key: Fixed<32>,
    /// Whose it is.
    pub patient: PatientId,
    /// As it called itself.
    pub name: String,
    /// When it was enrolled.
    pub enrolled: Timestamp,
    /// When the practice revoked it.
    pub revoked: Option<Timestamp>,
}

impl Stored for DeviceRow {
    const TABLE: Table = Table::Devices;

    fn key(&self) -> Vec<u8> {
        self.id.0.0.to_vec()
    }
}

impl fmt::Debug for DeviceRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceRow({:?})", self.id.0)
    }
}

/// An invitation. The safe keeps the key of its proof, not its secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRow {
    /// Derived from the secret.
    pub id: LinkId,
    /// For whom.
    pub patient: PatientId,
    #[serde(with = "inside_seal")]
    mac_key: Secret<32>,
    /// What must come with it.
    pub pin: Pin,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// How many PINs were compared, right or wrong; counted before the comparison.
    pub attempts: u8,
    /// How many requests with this link were recorded; beyond a bound none is answered any more.
    pub recorded: u16,
    /// The one device it has enrolled.
    pub used_by: Option<DeviceId>,
    /// What was counted and not compared yet, because the safe or the line was cut off in between. Never longer than the
    /// attempts.
    pub uncompared: Vec<Attempt>,
}

/// One counted try of a link. The operation holds the PIN, so the same attempt is the same guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose.
    pub device: DeviceId,
    /// In which request.
    pub request: RequestId,
    /// The hash of the operation.
    pub operation: Fixed<32>,
}

impl LinkRow {
    /// A link that nobody has used.
    pub fn new(id: LinkId, patient: PatientId, mac_key: &LinkMacKey, pin: Pin, expires: Timestamp) -> Self {
        let mac_key = Secret::from_bytes(*mac_key.expose());
        Self { id, patient, mac_key, pin, expires, attempts: 0, recorded: 0, used_by: None, uncompared: Vec::new() }
    }

    /// The key of the proof of holding it.
    pub fn mac_key(&self) -> LinkMacKey {
        LinkMacKey::from_bytes(*self.mac_key.expose())
    }
}

impl Stored for LinkRow {
    const TABLE: Table = Table::Links;

    fn key(&self) -> Vec<u8> {
        self.id.0.0.to_vec()
    }
}

impl fmt::Debug for LinkRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkRow({:?})", self.id.0)
    }
}
