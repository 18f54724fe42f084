//! What a safe answers.

use std::fmt;

use rohrpost_wire::{TicketId, Timestamp};
use serde::{Deserialize, Serialize};

use super::bounded;
use super::ids::{DocumentId, RequestId, VersionHash};
use super::manifest::Manifest;

/// A reply, sealed to the request's fresh key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request it answers.
    pub request: RequestId,
    /// How it went.
    pub status: Status,
    /// The safe's clock, by which clients set theirs.
    pub safe_time: Timestamp,
    /// The highest sequence number the safe has from this device.
    pub highest_sequence: u64,
    /// Reserved: permits for further calls.
    pub tickets: Vec<TicketId>,
    /// What was asked for.
    pub payload: Payload,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// 0: as asked.
    Done,
    /// 1: this very envelope has been answered before; ask again in a new one.
    Repeated,
    /// 2: not found or not allowed, which are one.
    NotAllowed,
    /// 3: the PIN is wrong.
    WrongPin {
        /// How many tries are left in the link's life.
        left: u8,
    },
    /// 4: the link has enrolled a device already.
    LinkUsed,
    /// 5: the link's time is over.
    LinkExpired,
    /// 6: five wrong PINs; the link is dead.
    LinkDead,
    /// 7: the request's time is over, or lies beyond what may be.
    RequestExpired,
    /// 8: the request was made in the safe's future; set the clock by `safe_time`.
    ClockAhead,
    /// 9: the document is not the version that was named.
    Changed,
    /// 10: this request id stands for another operation.
    Conflict,
    /// 11: the sequence number was used before, or is too far from the highest.
    OutOfSequence,
    /// 12: this operation goes live only.
    LiveOnly,
    /// 13: too many requests of this device are being kept; later.
    Busy,
    /// 14: the safe cannot read the document; the practice has been told.
    Damaged,
}

/// What a reply carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// 0: nothing.
    None,
    /// 1: the device belongs to a patient now.
    Enrolled(Enrolled),
    /// 2: a page of documents.
    Documents(DocumentPage),
    /// 3: an object follows the reply.
    Object(Box<Manifest>),
    /// 4: whether all is well.
    Status(SafeStatus),
}

/// Whom a device belongs to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The practice, as it calls itself.
    pub practice: String,
    /// The patient, as the practice calls them.
    pub patient: String,
}

/// A page of documents, in the order of their ids.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPage {
    /// At most [`DOCUMENTS_PER_PAGE`](super::DOCUMENTS_PER_PAGE).
    #[serde(deserialize_with = "bounded::page")]
    pub documents: Vec<DocumentEntry>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// One document as a patient sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentEntry {
    /// To ask for it.
    pub id: DocumentId,
    /// Its present content.
    pub version: VersionHash,
    /// For people, at most [`NAME_CHARS`](super::NAME_CHARS) characters, as the next two.
    #[serde(deserialize_with = "bounded::name")]
    pub title: String,
    /// As it was imported; data, never a path.
    #[serde(deserialize_with = "bounded::name")]
    pub file_name: String,
    /// By its content and name.
    #[serde(deserialize_with = "bounded::name")]
    pub media_type: String,
    /// Bytes.
    pub length: u64,
    /// When it was shared.
    pub shared: Timestamp,
    /// Until when it is shared.
    pub until: Option<Timestamp>,
}

/// What a device is told about itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeStatus {
    /// The practice, as it calls itself.
    pub practice: String,
    /// The patient, as the practice calls them.
    pub patient: String,
    /// The device, as it called itself.
    #[serde(deserialize_with = "bounded::device_name")]
    pub device_name: String,
    /// Documents shared with the patient now.
    pub documents: u32,
}

impl Reply {
    /// Takes the manifest of the object that follows, if one does.
    pub fn take_manifest(&mut self) -> Option<Box<Manifest>> {
        match std::mem::replace(&mut self.payload, Payload::None) {
            Payload::Object(manifest) => Some(manifest),
            other @ (Payload::None | Payload::Enrolled(_) | Payload::Documents(_) | Payload::Status(_)) => {
                self.payload = other;
                None
            }
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?}, {:?}, {:?})", self.request.0, self.status, self.payload)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("Payload(none)"),
            Self::Enrolled(_) => f.write_str("Payload(enrolled)"),
            Self::Documents(page) => write!(f, "Payload({} documents)", page.documents.len()),
            Self::Object(manifest) => write!(f, "Payload(object of {} bytes)", manifest.length),
            Self::Status(_) => f.write_str("Payload(status)"),
        }
    }
}

impl fmt::Debug for DocumentEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentEntry({:?})", self.id.0)
    }
}

impl fmt::Debug for DocumentPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentPage({} documents)", self.documents.len())
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolled")
    }
}

impl fmt::Debug for SafeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafeStatus")
    }
}
