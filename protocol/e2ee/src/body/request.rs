//! What a client asks.

use std::fmt;

use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use super::bounded;
use super::ids::{DocumentId, LinkId, RequestId, VersionHash};
use super::pin::Pin;
use crate::keys::SealingKey;

/// A request without its authentication, which covers exactly these bytes.
#[derive(Clone, Serialize, Deserialize)]
pub struct RequestBody {
    /// The same in every envelope of one request.
    pub id: RequestId,
    /// When it was made.
    pub created: Timestamp,
    /// After this it has no effect.
    pub expires: Timestamp,
    /// Fresh; the reply is sealed to it.
    pub reply_key: SealingKey,
    /// Who asks.
    pub who: Who,
    /// For what.
    pub operation: Operation,
}

/// Who asks, before it is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// 0: nobody in particular.
    Nobody,
    /// 1: an enrolled device.
    Device {
        /// Its Ed25519 key; the safe knows the device by its hash.
        key: Fixed<32>,
        /// Fresh for every request; see [`crate::window`].
        sequence: u64,
    },
    /// 2: a device that wants to be enrolled.
    Enrol {
        /// The link it was given.
        link: LinkId,
        /// The key it will use from now on.
        key: Fixed<32>,
    },
}

/// The proof of who asks; the last field of a sealed request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// 0: for nobody.
    None,
    /// 1: the device key's signature over the transcript.
    Device(Fixed<64>),
    /// 2: the new device key's signature and the link's HMAC over the same transcript.
    Enrol {
        /// By the new device key.
        signature: Fixed<64>,
        /// Under the key derived from the link's secret.
        mac: Fixed<32>,
    },
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// 0: make this device one of the patient's. A change.
    Enrol {
        /// The PIN from the other way.
        pin: Pin,
        /// How the practice shows the device, at most [`DEVICE_NAME_CHARS`] characters.
        #[serde(deserialize_with = "bounded::device_name")]
        device_name: String,
    },
    /// 1: the documents shared with this patient, a page of them.
    Documents {
        /// Continue after this one.
        after: Option<DocumentId>,
    },
    /// 2: one document's content, as an object behind the reply. Live only.
    Document {
        /// Which.
        document: DocumentId,
        /// From which byte.
        offset: u64,
        /// For a resumed transfer: only if this is still the content.
        version: Option<VersionHash>,
    },
    /// 3: whether the safe knows this device, and for whom.
    Status,
}

/// Characters of a device name; an enrolment with a longer one does not open.
pub const DEVICE_NAME_CHARS: usize = 64;

/// Documents in one page: at about 450 bytes an entry, a page stays within the 64 KiB class.
pub const DOCUMENTS_PER_PAGE: usize = 100;

/// Characters of a title, file name or media type; longer ones are cut at the safe and refused by a client.
pub const NAME_CHARS: usize = 120;

impl Operation {
    /// Whether it changes anything at the safe, so that its outcome is kept and given again instead of acting again.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Enrol { .. } => true,
            Self::Documents { .. } | Self::Document { .. } | Self::Status => false,
        }
    }

    /// A fixed name for logs and records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Enrol { .. } => "enrol",
            Self::Documents { .. } => "documents",
            Self::Document { .. } => "document",
            Self::Status => "status",
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({})", self.name())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestBody({:?}, {})", self.id.0, self.operation.name())
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authentication")
    }
}
