//! Frames: what is said on a stream before bytes are only forwarded.
//!
//! On the wire a frame is its length (4 bytes, big-endian, of what follows), its number (2 bytes, big-endian) and a
//! canonical postcard body. Sealed bytes never stand inside a frame: they follow one as a *blob*, a 4-byte big-endian
//! length and that many bytes, so a relay can forward them without a copy of its own.

use serde::{Deserialize, Serialize};

use crate::address::{EnvelopeId, InboxId, MailboxId, TicketId};
use crate::codec::{self, DecodeError};
use crate::error::ErrorCode;
use crate::fixed::Fixed;
use crate::limits;
use crate::proof::Challenge;

/// Everything a frame can say. The number of each is in its documentation and in [`Frame::number`].
///
/// Reserved: 9 `pipe`, 10 `tickets`, 11 `withdraw tickets`, 12 `relay key change`. Retired: none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// 1, safe → relay: makes this connection the safe's. Answered by `Done`.
    Login(Login),
    /// 2, logged-in safe → relay: a blob of signed records follows. Answered by `Done` once durable.
    Publish,
    /// 3, anyone → relay: asks for a safe's records. Answered by `Done` and a blob.
    Records(InboxId),
    /// 4, anyone → relay: a sealed request follows as a blob, then perhaps an object. Answered by `Done`, from where
    /// on the stream carries the safe's own bytes.
    Call(Call),
    /// 5, anyone → relay: an envelope follows as a blob. Answered by `Queued` once durable.
    Deposit(Deposit),
    /// 6, owner → relay: asks for what waits. Answered by `Delivery` and a blob each, then `Drained`.
    Fetch(Fetch),
    /// 7, owner → relay: these have been taken over for good. Answered by `Done` once they are erased.
    Ack(Ack),
    /// 8, mailbox owner → relay: asks for a challenge. Answered by `Challenged`.
    Challenge,
    /// 32, relay → anyone: the request on this stream is refused.
    Refused(ErrorCode),
    /// 33, relay → anyone: the request on this stream has succeeded.
    Done,
    /// 34, relay → anyone: the envelope is stored durably under this id.
    Queued(EnvelopeId),
    /// 35, relay → owner: an envelope follows as a blob.
    Delivery(Delivery),
    /// 36, relay → owner: no more in this answer.
    Drained,
    /// 37, relay → mailbox owner: sign this, once, on this connection.
    Challenged(Challenge),
    /// 38, relay → safe, first on a stream the relay opened: a call follows, its sealed request as a blob.
    Incoming(Incoming),
}

/// The proof that this connection is a safe's. See [`crate::proof::login_transcript`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The Ed25519 key whose hash is the inbox id.
    pub route_key: Fixed<32>,
    /// Counts the logins of a safe; kept in its vault. Carried, not yet enforced.
    pub counter: u64,
    /// By the route key over the login transcript.
    pub signature: Fixed<64>,
}

/// A live request to a safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The safe.
    pub to: InboxId,
    /// Reserved: the permit for this delivery. Never part of the sealed request.
    pub ticket: Option<TicketId>,
}

/// An envelope to keep until its owner has taken it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// The safe, or a reply mailbox that waits for that safe's answer.
    pub to: Destination,
    /// Reserved: the permit for this delivery.
    pub ticket: Option<TicketId>,
    /// How long to keep it.
    pub ttl: TtlClass,
    /// The key of the reply mailbox to open, in which only the safe in `to` may deposit.
    pub reply_mailbox: Option<Fixed<32>>,
}

impl Deposit {
    /// The id under which a relay keeps the envelope: the hash of all it was given but the ticket.
    pub fn envelope_id(&self, envelope: &[u8]) -> EnvelopeId {
        let header = codec::encode(&(&self.to, self.ttl, &self.reply_mailbox));
        let length = (header.len() as u64).to_be_bytes();
        EnvelopeId(Fixed(crate::address::hash(b"rohrpost/1 envelope", &[&length, &header, envelope])))
    }
}

/// Whose mailbox an envelope goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Destination {
    /// A safe's standing inbox.
    Inbox(InboxId),
    /// A one-use reply mailbox.
    Mailbox(MailboxId),
}

/// How long a relay keeps an envelope. Classes, not seconds: an unusual time would single out its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum TtlClass {
    /// One day.
    Day = 0,
    /// Seven days.
    Week = 1,
    /// Fourteen days, the longest a request may live.
    Fortnight = 2,
}

impl TtlClass {
    /// The length in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Day => crate::time::DAY,
            Self::Week => 7 * crate::time::DAY,
            Self::Fortnight => 14 * crate::time::DAY,
        }
    }
}

/// Asks for waiting envelopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fetch {
    /// A safe asks on its logged-in connection; with `wait`, the answer comes when there is at least one.
    Inbox {
        /// Whether to wait for the first envelope.
        wait: bool,
    },
    /// The owner of a reply mailbox asks, with a proof over a challenge.
    Mailbox(MailboxProof),
}

/// Erases envelopes that are safely with their owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// `None`: the safe of this logged-in connection.
    pub mailbox: Option<MailboxProof>,
    /// Which.
    pub ids: AckIds,
}

/// The ids of one ack, at most [`limits::FETCH_ENVELOPES`]: the one part of a frame whose length is its sender's choice,
/// so that with this bound every frame fits [`limits::FRAME_BYTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<EnvelopeId>")]
pub struct AckIds(Vec<EnvelopeId>);

impl AckIds {
    /// Takes as many from the front as one ack may hold; the rest is for the next.
    pub fn take(ids: &mut Vec<EnvelopeId>) -> Self {
        Self(ids.drain(..ids.len().min(limits::FETCH_ENVELOPES)).collect())
    }
}

/// More ids than one ack may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more ids than one ack may hold")]
pub struct TooManyIds;

impl TryFrom<Vec<EnvelopeId>> for AckIds {
    type Error = TooManyIds;

    fn try_from(ids: Vec<EnvelopeId>) -> Result<Self, TooManyIds> {
        if ids.len() <= limits::FETCH_ENVELOPES { Ok(Self(ids)) } else { Err(TooManyIds) }
    }
}

impl From<AckIds> for Vec<EnvelopeId> {
    fn from(ids: AckIds) -> Self {
        ids.0
    }
}

impl std::ops::Deref for AckIds {
    type Target = [EnvelopeId];

    fn deref(&self) -> &[EnvelopeId] {
        &self.0
    }
}

/// The proof of owning a reply mailbox. See [`crate::proof::mailbox_transcript`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxProof {
    /// The Ed25519 key whose hash is the mailbox id.
    pub mailbox_key: Fixed<32>,
    /// By that key over the mailbox transcript with this connection's challenge.
    pub signature: Fixed<64>,
}

/// What stands before a delivered envelope: what the sender told the relay, for the recipient to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// For the ack.
    pub id: EnvelopeId,
    /// As deposited; bound by the seal.
    pub ttl: TtlClass,
    /// As deposited; bound by the seal.
    pub reply_mailbox: Option<Fixed<32>>,
}

/// What stands before a call at the safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Reserved: the ticket that was spent, so that the safe sees whose was misused.
    pub ticket: Option<TicketId>,
}

impl Frame {
    /// The number on the wire.
    pub fn number(&self) -> u16 {
        match self {
            Self::Login(_) => 1,
            Self::Publish => 2,
            Self::Records(_) => 3,
            Self::Call(_) => 4,
            Self::Deposit(_) => 5,
            Self::Fetch(_) => 6,
            Self::Ack(_) => 7,
            Self::Challenge => 8,
            Self::Refused(_) => 32,
            Self::Done => 33,
            Self::Queued(_) => 34,
            Self::Delivery(_) => 35,
            Self::Drained => 36,
            Self::Challenged(_) => 37,
            Self::Incoming(_) => 38,
        }
    }

    /// The frame as it travels, length included.
    ///
    /// # Panics
    ///
    /// Never: the longest frame there can be, an ack of [`limits::FETCH_ENVELOPES`] ids, is far within
    /// [`limits::FRAME_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        let body = match self {
            Self::Login(body) => codec::encode(body),
            Self::Records(body) => codec::encode(body),
            Self::Call(body) => codec::encode(body),
            Self::Deposit(body) => codec::encode(body),
            Self::Fetch(body) => codec::encode(body),
            Self::Ack(body) => codec::encode(body),
            Self::Refused(code) => codec::encode(&code.number()),
            Self::Queued(body) => codec::encode(body),
            Self::Delivery(body) => codec::encode(body),
            Self::Challenged(body) => codec::encode(body),
            Self::Incoming(body) => codec::encode(body),
            Self::Publish | Self::Challenge | Self::Done | Self::Drained => Vec::new(),
        };
        #[expect(clippy::expect_used, reason = "no frame is longer than its limit; `AckIds` is bounded")]
        let length = u32::try_from(body.len() + 2).expect("a frame is at most 16 KiB");
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend(self.number().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// Decodes a frame from its number and body, the length already read and checked by [`frame_length`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (number, body) = bytes.split_first_chunk::<2>().ok_or(FrameError::Malformed)?;
        let frame = match u16::from_be_bytes(*number) {
            1 => Self::Login(codec::decode(body)?),
            2 => Self::Publish,
            3 => Self::Records(codec::decode(body)?),
            4 => Self::Call(codec::decode(body)?),
            5 => Self::Deposit(codec::decode(body)?),
            6 => Self::Fetch(codec::decode(body)?),
            7 => Self::Ack(codec::decode(body)?),
            8 => Self::Challenge,
            32 => Self::Refused(ErrorCode::from_number(codec::decode(body)?).ok_or(FrameError::UnknownCode)?),
            33 => Self::Done,
            34 => Self::Queued(codec::decode(body)?),
            35 => Self::Delivery(codec::decode(body)?),
            36 => Self::Drained,
            37 => Self::Challenged(codec::decode(body)?),
            38 => Self::Incoming(codec::decode(body)?),
            _ => return Err(FrameError::UnknownNumber),
        };
        let bodiless = matches!(frame, Self::Publish | Self::Challenge | Self::Done | Self::Drained);
        if bodiless && !body.is_empty() { Err(FrameError::Malformed) } else { Ok(frame) }
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the one encoding of a value.
    #[error("malformed frame")]
    Malformed,
    /// Longer than its limit allows.
    #[error("frame or blob longer than its limit")]
    TooLarge,
    /// A number this version does not know.
    #[error("unknown frame number")]
    UnknownNumber,
    /// A refusal for a reason this version does not know.
    #[error("unknown error code")]
    UnknownCode,
}

impl FrameError {
    /// What to tell the peer that sent it.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Malformed => ErrorCode::Malformed,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::UnknownNumber | Self::UnknownCode => ErrorCode::UnexpectedFrame,
        }
    }
}

impl From<DecodeError> for FrameError {
    fn from(DecodeError: DecodeError) -> Self {
        Self::Malformed
    }
}

/// Reads a frame's length field; refuses what [`limits::FRAME_BYTES`] does not allow, before anything is allocated.
pub fn frame_length(field: [u8; 4]) -> Result<usize, FrameError> {
    blob_length(field, limits::FRAME_BYTES)
}

/// Reads a blob's length field against the limit for what is expected there.
pub fn blob_length(field: [u8; 4], limit: usize) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_be_bytes(field)).map_err(|_| FrameError::TooLarge)?;
    if length <= limit { Ok(length) } else { Err(FrameError::TooLarge) }
}

/// The length field that stands before a blob.
///
/// # Panics
///
/// If the blob is 4 GiB or longer, far beyond every limit of this protocol.
pub fn blob_prefix(blob: &[u8]) -> [u8; 4] {
    #[expect(clippy::expect_used, reason = "no caller holds a blob beyond its limit of 1 MiB")]
    u32::try_from(blob.len()).expect("a blob is far shorter than 4 GiB").to_be_bytes()
}

#[cfg(test)]
mod tests;
