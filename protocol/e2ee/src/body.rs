//! What stands inside a sealed request and a sealed reply.
//!
//! Plaintext: nothing here prints its content. Enum variants are numbered by their order, which is part of the
//! protocol: new ones go at the end, retired ones stay.

use std::fmt;

use rand_core::CryptoRng;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{TicketId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keys::SealingKey;
use crate::object::ObjectKey;
use crate::secret::{Secret, inside_seal};

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

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;

/// The six digits that go another way than the link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin(#[serde(with = "inside_seal")] Secret<PIN_DIGITS>);

impl Pin {
    /// Draws six uniform digits by rejection: a byte below 250 gives one digit without bias.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut digits = [0; PIN_DIGITS];
        for digit in &mut digits {
            *digit = loop {
                let mut byte = [0];
                rng.fill_bytes(&mut byte);
                let [byte] = byte;
                if byte < 250 {
                    break b'0' + byte % 10;
                }
            };
        }
        Self(Secret::from_bytes(digits))
    }

    /// Reads six digits as a person types them: spaces and dashes between them do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: zeroize::Zeroizing<Vec<u8>> =
            zeroize::Zeroizing::new(text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'\n' | b'\r')).collect());
        if digits.iter().all(u8::is_ascii_digit) { Secret::from_slice(&digits).map(Self) } else { None }
    }

    /// The digits, to be shown once to whoever passes them on, and kept in a sealed row.
    pub fn expose(&self) -> &[u8; PIN_DIGITS] {
        self.0.expose()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

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

/// Characters of a device name.
pub const DEVICE_NAME_CHARS: usize = 64;

/// Documents in one page: at about 450 bytes an entry, a page stays within the 64 KiB class.
pub const DOCUMENTS_PER_PAGE: usize = 100;

/// Characters of a title or file name in an entry; longer ones are cut at the safe.
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
    /// At most [`DOCUMENTS_PER_PAGE`].
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
    /// For people.
    pub title: String,
    /// As it was imported; data, never a path.
    pub file_name: String,
    /// By its content and name.
    pub media_type: String,
    /// Bytes.
    pub length: u64,
    /// When it was shared.
    pub shared: Timestamp,
    /// Until when it is shared.
    pub until: Option<Timestamp>,
}

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
    /// For people.
    pub title: String,
    /// As it was imported; data, never a path.
    pub file_name: String,
    /// By its content and name.
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

/// What a device is told about itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeStatus {
    /// The practice, as it calls itself.
    pub practice: String,
    /// The patient, as the practice calls them.
    pub patient: String,
    /// The device, as it called itself.
    pub device_name: String,
    /// Documents shared with the patient now.
    pub documents: u32,
}

impl Manifest {
    /// The context of the object's encryption: label, object id, version hash, direction (1: from the safe).
    pub fn context(&self) -> Vec<u8> {
        let parts: [&[u8]; 4] = [b"rohrpost/1 object\0", &self.object.0, &self.version.0.0, &[1]];
        parts.concat()
    }

    /// Whether the lengths belong together; a manifest for which they do not is refused.
    pub fn is_consistent(&self) -> bool {
        self.offset.checked_add(self.length) == Some(self.total) && self.padded == crate::padding::padme(self.length)
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

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({} bytes)", self.total)
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
