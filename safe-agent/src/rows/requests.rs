//! What became of requests: seen envelopes, outcomes, sequence windows.

use std::collections::BTreeMap;

use rohrpost_e2ee::body::{DeviceId, RequestId, Status};
use rohrpost_e2ee::exchange::EnvelopeHash;
use rohrpost_e2ee::window::SequenceWindow;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::vault::Table;

/// An envelope that was handled. Kept in the bucket of its prekey and erased with the prekey's secret: from then on
/// the envelope cannot be opened at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRow {
    /// The bucket.
    pub prekey: PrekeyId,
    /// The envelope.
    pub envelope: Fixed<32>,
    /// Who sent it.
    pub device: DeviceId,
    /// The request in it.
    pub request: RequestId,
}

impl SeenRow {
    /// The key of an envelope.
    pub fn key_of(prekey: PrekeyId, envelope: &EnvelopeHash) -> Vec<u8> {
        let parts: [&[u8]; 2] = [&prekey.0.0, &envelope.0.0];
        parts.concat()
    }
}

impl Stored for SeenRow {
    const TABLE: Table = Table::Seen;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.prekey, &EnvelopeHash(self.envelope))
    }
}

/// How a request went: status and ids only, so that the answer to a repetition is made anew, after authorising anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// Who asked.
    pub device: DeviceId,
    /// Under which id.
    pub request: RequestId,
    /// What for, to notice another operation under the same id.
    pub operation: Fixed<32>,
    /// How it went.
    pub status: Status,
    /// When the offer of the latest prekey that carried it ends; kept as long as that prekey's secret.
    pub until: Timestamp,
}

impl OutcomeRow {
    /// The key of a request.
    pub fn key_of(device: &DeviceId, request: &RequestId) -> Vec<u8> {
        [device.0.0, request.0.0].concat()
    }

    /// Whether this is what was asked for.
    pub fn is_of(&self, operation: &Fixed<32>) -> bool {
        self.operation == *operation
    }
}

impl Stored for OutcomeRow {
    const TABLE: Table = Table::Outcomes;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.device, &self.request)
    }
}

/// The used sequence numbers of one device, and how much is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceRow {
    /// Whose.
    pub device: DeviceId,
    /// Which numbers.
    pub window: SequenceWindow,
    /// How many requests of this device are recorded, in the bucket of each prekey.
    pub recorded: BTreeMap<PrekeyId, u32>,
    /// How many requests were recorded after the device was revoked.
    pub after_revocation: u32,
}

impl SequenceRow {
    /// A device that has asked nothing yet.
    pub fn new(device: DeviceId) -> Self {
        Self { device, window: SequenceWindow::default(), recorded: BTreeMap::new(), after_revocation: 0 }
    }
}

impl Stored for SequenceRow {
    const TABLE: Table = Table::Sequences;

    fn key(&self) -> Vec<u8> {
        self.device.0.0.to_vec()
    }
}
