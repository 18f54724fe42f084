//! What stands before an object: what it is, and the key that opens it.

use std::fmt;

use rohrpost_wire::SUITE;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use super::bounded;
use super::ids::VersionHash;
use super::request::Operation;
use crate::object::ObjectKey;
use crate::secret::{Secret, inside_seal};

/// What an object is and how to open it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Names this transfer.
    pub object: Fixed<16>,
    /// The key of this transfer and no other.
    pub key: TransferKey,
    /// Which content.
    pub version: VersionHash,
    /// SHA-256 of the whole content.
    pub sha256: Fixed<32>,
    /// Length of the whole content.
    pub total: u64,
    /// Where the object starts within the content.
    pub offset: u64,
    /// Length of the object without its padding: `total` − `offset`.
    pub length: u64,
    /// Length with its padding of zeros.
    pub padded: u64,
    /// For people, at most [`NAME_CHARS`](super::NAME_CHARS) characters, as the next two.
    #[serde(deserialize_with = "bounded::name")]
    pub title: String,
    /// As it was imported; data, never a path.
    #[serde(deserialize_with = "bounded::name")]
    pub file_name: String,
    /// By its content and name.
    #[serde(deserialize_with = "bounded::name")]
    pub media_type: String,
}

/// An object's key on its way to the recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferKey(#[serde(with = "inside_seal")] Secret<32>);

impl From<&ObjectKey> for TransferKey {
    fn from(key: &ObjectKey) -> Self {
        Self(Secret::from_bytes(*key.expose()))
    }
}

impl From<&TransferKey> for ObjectKey {
    fn from(key: &TransferKey) -> Self {
        Self::from_bytes(*key.0.expose())
    }
}

impl Manifest {
    /// The context of the object's encryption: label, suite, object id, version hash, direction (1: from the safe).
    pub fn context(&self) -> Vec<u8> {
        let parts: [&[u8]; 5] = [b"rohrpost/1 object\0", &[SUITE], &self.object.0, &self.version.0.0, &[1]];
        parts.concat()
    }

    /// Whether the lengths belong together; a manifest for which they do not is refused.
    pub fn is_consistent(&self) -> bool {
        self.offset.checked_add(self.length) == Some(self.total) && self.padded == crate::padding::padme(self.length)
    }

    /// Whether the object is what was asked for: this document, from this byte on, in the version that was named.
    pub fn answers(&self, operation: &Operation) -> bool {
        let Operation::Document { document, offset, version } = operation else { return false };
        let named = VersionHash::of_content(document, self.total, &self.sha256);
        self.offset == *offset && self.version == named && version.is_none_or(|version| version == named)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({} bytes)", self.total)
    }
}
