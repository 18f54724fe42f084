//! Names: random or hashes, so that none tells anything or can be guessed.

use rand_core::CryptoRng;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

/// Names one request for ever; a client that got no answer asks again under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub Fixed<16>);

/// Names a document at its safe: random, so that none can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId(pub Fixed<16>);

/// Names a device at its safe: the first 16 bytes of the labelled hash of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId(pub Fixed<16>);

/// Names a link at its safe; derived from the link's secret and telling nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub Fixed<16>);

/// Names one content of a document: the labelled hash of its id, length and SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VersionHash(pub Fixed<32>);

impl RequestId {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random(rng))
    }
}

impl DocumentId {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random(rng))
    }
}

impl DeviceId {
    /// The name of the device with this key.
    pub fn of_key(device_key: &Fixed<32>) -> Self {
        let hash = rohrpost_wire::address::hash(b"rohrpost/1 device", &[&device_key.0]);
        let mut id = [0; 16];
        id.copy_from_slice(hash.split_at(16).0);
        Self(Fixed(id))
    }
}

impl VersionHash {
    /// The version of a document with this content.
    pub fn of_content(document: &DocumentId, length: u64, sha256: &Fixed<32>) -> Self {
        let parts: [&[u8]; 3] = [&document.0.0, &length.to_be_bytes(), &sha256.0];
        Self(Fixed(rohrpost_wire::address::hash(b"rohrpost/1 version", &parts)))
    }
}

fn random(rng: &mut impl CryptoRng) -> Fixed<16> {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Fixed(bytes)
}
