//! One request and its reply.
//!
//! The client seals with [`seal_request`] and keeps an [`ExpectReply`]; the safe opens with [`open_request`] and keeps
//! a [`ReplySealer`], which is used up by the reply, so that none is made twice. A request is HPKE Base to a
//! prekey, a reply HPKE PSK to the request's fresh key: nobody without the prekey *and* the request makes one.

mod context;
mod open;
mod seal;

use std::fmt;

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{InboxId, SUITE, SafePin, VERSION};

pub use open::{EnrolProof, OpenedRequest, Proven, Recipient, open_request};
pub use seal::{Author, ReplySealer, RequestDraft, SealError, decoy_reply, seal_request, seal_unchecked_for_tests};

use crate::OpenError;
use crate::body::RequestId;
use crate::keys::SealingSecret;
use crate::secret::Secret;

/// Length of an X-Wing encapsulated key (draft-connolly-cfrg-xwing-kem §5.2).
pub const ENCAPSULATED_BYTES: usize = 1120;

/// The number of a reply where a request has its lane's kind.
const REPLY_KIND: u8 = 3;

/// How a request travels; bound by its seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A call: the answer comes on the same stream.
    Live,
    /// A deposit: the relay keeps it.
    Deposit {
        /// For how long.
        ttl: TtlClass,
        /// The key of the mailbox for the answer.
        reply_mailbox: Option<Fixed<32>>,
    },
}

impl Lane {
    fn kind(self) -> u8 {
        match self {
            Self::Live => 1,
            Self::Deposit { .. } => 2,
        }
    }

    /// Version, suite, kind, inbox id (16); for a deposit ttl class (1), 0 or 1, and the reply mailbox key (32) if 1.
    fn aad(self, inbox: &InboxId) -> Vec<u8> {
        let mut aad = vec![VERSION, SUITE, self.kind()];
        aad.extend(inbox.0.0);
        if let Self::Deposit { ttl, reply_mailbox } = self {
            aad.push(ttl as u8);
            aad.push(u8::from(reply_mailbox.is_some()));
            aad.extend(reply_mailbox.iter().flat_map(|key| key.0));
        }
        aad
    }
}

/// What stands in the clear before a sealed request: version, suite, kind, prekey id (8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which prekey opens it.
    pub prekey: PrekeyId,
    kind: u8,
}

const REQUEST_HEADER_BYTES: usize = 3 + 8;
const REPLY_HEADER_BYTES: usize = 3;

impl RequestHeader {
    /// Reads the header of a sealed request.
    pub fn parse(envelope: &[u8]) -> Result<Self, OpenError> {
        let (header, _) = envelope.split_first_chunk::<REQUEST_HEADER_BYTES>().ok_or(OpenError)?;
        let [version, suite, kind, prekey @ ..] = *header;
        let known = version == VERSION && suite == SUITE && (kind == 1 || kind == 2);
        if known { Ok(Self { prekey: PrekeyId(Fixed(prekey)), kind }) } else { Err(OpenError) }
    }
}

/// What the client keeps of a request to open its reply.
pub struct ExpectReply {
    id: RequestId,
    secret: SealingSecret,
    psk: Secret<32>,
    info: Vec<u8>,
}

impl fmt::Debug for ExpectReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExpectReply({:?})", self.id.0)
    }
}

/// SHA-256 of a request envelope, by which it is recognised when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvelopeHash(pub Fixed<32>);

impl EnvelopeHash {
    fn of(envelope: &[u8]) -> Self {
        Self(Fixed(rohrpost_wire::address::hash(b"rohrpost/1 request-envelope", &[envelope])))
    }
}

fn request_info(pin: &SafePin, prekey: PrekeyId) -> Vec<u8> {
    let parts: [&[u8]; 4] = [b"rohrpost/1 request\0", &[SUITE], &pin.0.0, &prekey.0.0];
    parts.concat()
}

fn reply_info(pin: &SafePin, request: &EnvelopeHash) -> Vec<u8> {
    let parts: [&[u8]; 4] = [b"rohrpost/1 reply\0", &[SUITE], &pin.0.0, &request.0.0];
    parts.concat()
}

/// What a device signs, and a link's HMAC covers: label, suite, pin (32), HPKE export (32), hash of the AAD (32), hash
/// of the body before the authentication (32). The export exists in this one envelope alone.
fn transcript(pin: &SafePin, export: &Secret<32>, aad: &[u8], body: &[u8]) -> Vec<u8> {
    let aad = rohrpost_wire::address::hash(b"rohrpost/1 aad", &[aad]);
    let body = rohrpost_wire::address::hash(b"rohrpost/1 body", &[body]);
    let parts: [&[u8]; 6] = [b"rohrpost/1 request-signature\0", &[SUITE], &pin.0.0, export.expose(), &aad, &body];
    parts.concat()
}

#[cfg(test)]
mod tests;
