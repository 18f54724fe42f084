//! Patients and their documents.

use std::fmt;

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DocumentId, TransferKey, VersionHash};
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::vault::{ContentId, Table};

/// Names a patient at this safe: random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PatientId(pub Fixed<16>);

impl PatientId {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(Fixed(bytes))
    }
}

/// A person the practice treats.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientRow {
    /// Random.
    pub id: PatientId,
    /// As the practice writes it.
    pub name: String,
    /// ISO 8601, if known.
    pub birth_date: Option<String>,
    /// The practice's own number, if any.
    pub number: Option<String>,
    /// When the patient was added.
    pub added: Timestamp,
}

impl Stored for PatientRow {
    const TABLE: Table = Table::Patients;

    fn key(&self) -> Vec<u8> {
        self.id.0.0.to_vec()
    }
}

impl fmt::Debug for PatientRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatientRow({:?})", self.id.0)
    }
}

/// A document of one patient. Its key starts with the patient's id: who looks among one patient's documents cannot
/// meet another's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Random.
    pub id: DocumentId,
    /// Whose it is.
    pub patient: PatientId,
    /// Where its bytes lie.
    pub content: Fixed<16>,
    /// What opens them.
    pub content_key: TransferKey,
    /// For people.
    pub title: String,
    /// As it was imported; data, never a path.
    pub file_name: String,
    /// By its content and name.
    pub media_type: String,
    /// Bytes.
    pub length: u64,
    /// Of the content.
    pub sha256: Fixed<32>,
    /// When it was imported.
    pub added: Timestamp,
}

impl DocumentRow {
    /// The key of a document.
    pub fn key_of(patient: &PatientId, document: &DocumentId) -> Vec<u8> {
        [patient.0.0, document.0.0].concat()
    }

    /// The name of its present content.
    pub fn version(&self) -> VersionHash {
        VersionHash::of_content(&self.id, self.length, &self.sha256)
    }

    /// Where its bytes lie.
    pub fn content_id(&self) -> ContentId {
        ContentId(self.content)
    }
}

impl Stored for DocumentRow {
    const TABLE: Table = Table::Documents;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.patient, &self.id)
    }
}

impl fmt::Debug for DocumentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentRow({:?}, {} bytes)", self.id.0, self.length)
    }
}
