//! Sealing: the client's request, the safe's reply, and the decoy for what does not open.

use std::fmt;

use ed25519_dalek::Signer as _;
use rand_core::CryptoRng;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;
use rohrpost_wire::records::PREKEY_LATE_SECONDS;
use rohrpost_wire::{SUITE, SafePin, Timestamp, VERSION, codec};

use super::context::{self, BadKey, Export as _, Psk};
use super::{ENCAPSULATED_BYTES, EnvelopeHash, ExpectReply, Lane, REPLY_KIND, reply_info, request_info, transcript};
use crate::body::{Authentication, Operation, Reply, RequestBody, RequestId, Who};
use crate::keys::{SealingKey, SealingSecret, SigningSecret};
use crate::link::LinkSecret;
use crate::padding::{self, TooLong};
use crate::secret::Secret;
use crate::trust::TrustedSafe;

/// What a client wants to ask, before it is sealed. One draft may be sealed several times, each into a new envelope.
#[derive(Clone, Debug)]
pub struct RequestDraft {
    /// The same for every try.
    pub id: RequestId,
    /// Now.
    pub created: Timestamp,
    /// When it shall lose its effect.
    pub expires: Timestamp,
    /// What to ask for.
    pub operation: Operation,
}

/// In whose name a request is sealed.
#[derive(Debug)]
pub enum Author<'a> {
    /// In nobody's.
    Nobody,
    /// In a device's, with a sequence number it has not used.
    Device {
        /// The device key.
        key: &'a SigningSecret,
        /// Fresh.
        sequence: u64,
    },
    /// In that of a device with an invitation.
    Enrol {
        /// The device key that shall be enrolled.
        key: &'a SigningSecret,
        /// The invitation.
        link: &'a LinkSecret,
    },
}

/// Why something cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is none.
    #[error("the recipient's key is not valid")]
    BadKey,
    /// The request was made too long after the prekey's time: the safe's records must be fetched anew.
    #[error("the safe's prekey is over")]
    PrekeyOver,
    /// The request ends before it begins, or later than the prekey's secret lives.
    #[error("the request's time is not one the safe would take")]
    BadTime,
    /// The body does not fit the largest class.
    #[error("body longer than the largest padding class")]
    TooLong,
}

impl From<BadKey> for SealError {
    fn from(BadKey: BadKey) -> Self {
        Self::BadKey
    }
}

impl From<TooLong> for SealError {
    fn from(TooLong: TooLong) -> Self {
        Self::TooLong
    }
}

/// Seals a request to a verified safe. Returns the envelope and what is needed to open its reply. What the safe would
/// refuse for its times is not sealed: neither to a prekey that is over, nor to live longer than that prekey's secret.
pub fn seal_request(
    safe: &TrustedSafe,
    lane: Lane,
    draft: &RequestDraft,
    author: &Author<'_>,
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, ExpectReply), SealError> {
    draft.check_times(safe.prekey_until())?;
    seal_unchecked_for_tests(safe, lane, draft, author, rng)
}

/// As [`seal_request`], whatever the draft's times are: what a client could send that does not follow the protocol.
#[doc(hidden)]
pub fn seal_unchecked_for_tests(
    safe: &TrustedSafe,
    lane: Lane,
    draft: &RequestDraft,
    author: &Author<'_>,
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, ExpectReply), SealError> {
    let info = request_info(&safe.pin(), safe.prekey_id());
    let (encapsulated, mut context) = context::sender(safe.prekey(), &info, None, rng)?;
    let reply_secret = SealingSecret::generate(rng);
    let aad = lane.aad(&safe.inbox());

    let body = codec::encode_secret(&RequestBody {
        id: draft.id,
        created: draft.created,
        expires: draft.expires,
        reply_key: reply_secret.public(),
        who: author.who(),
        operation: draft.operation.clone(),
    });
    let transcript = transcript(&safe.pin(), &context.export_secret(b"sig"), &aad, &body);
    let authentication = codec::encode(&author.authenticate(&transcript));

    let sealed = context.seal(&padding::pad_parts([&body, &authentication])?, &aad).map_err(|_| SealError::BadKey)?;
    let header: [&[u8]; 4] = [&[VERSION, SUITE, lane.kind()], &safe.prekey_id().0.0, &encapsulated, &sealed];
    let envelope = header.concat();
    let expect = ExpectReply {
        id: draft.id,
        secret: reply_secret,
        psk: context.export_secret(b"reply psk"),
        info: reply_info(&safe.pin(), &EnvelopeHash::of(&envelope)),
    };
    Ok((envelope, expect))
}

impl RequestDraft {
    fn check_times(&self, prekey_until: Timestamp) -> Result<(), SealError> {
        if self.created > prekey_until.plus(PREKEY_LATE_SECONDS) {
            return Err(SealError::PrekeyOver);
        }
        let ends = self.expires > self.created && self.expires <= prekey_until.plus(TtlClass::Fortnight.seconds());
        if ends { Ok(()) } else { Err(SealError::BadTime) }
    }
}

impl Author<'_> {
    fn who(&self) -> Who {
        match self {
            Self::Nobody => Who::Nobody,
            Self::Device { key, sequence } => Who::Device { key: key.public(), sequence: *sequence },
            Self::Enrol { key, link } => Who::Enrol { link: link.id(), key: key.public() },
        }
    }

    fn authenticate(&self, transcript: &[u8]) -> Authentication {
        let sign = |key: &SigningSecret| Fixed(key.signer().sign(transcript).to_bytes());
        match self {
            Self::Nobody => Authentication::None,
            Self::Device { key, .. } => Authentication::Device(sign(key)),
            Self::Enrol { key, link } => {
                Authentication::Enrol { signature: sign(key), mac: link.mac_key().prove(transcript) }
            }
        }
    }
}

/// What the safe keeps of an opened request to seal its reply, once.
pub struct ReplySealer {
    pub(super) id: RequestId,
    pub(super) key: SealingKey,
    pub(super) psk: Secret<32>,
    pub(super) pin: SafePin,
    pub(super) request: EnvelopeHash,
}

impl ReplySealer {
    /// Seals the reply. Every reply encapsulates afresh.
    pub fn seal(self, reply: &Reply, rng: &mut impl CryptoRng) -> Result<Vec<u8>, SealError> {
        let info = reply_info(&self.pin, &self.request);
        let psk = Psk { key: &self.psk, id: &self.id.0.0 };
        let body = codec::encode_secret(reply);
        seal_reply(&self.key, &info, &psk, &body, rng)
    }
}

impl fmt::Debug for ReplySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplySealer({:?})", self.id.0)
    }
}

/// Bytes that look like a sealed reply of the smallest class and that nobody can open: the answer to an envelope that
/// does not open. A real seal to a key thrown away, because an X25519 public value is not uniformly random bytes.
pub fn decoy_reply(rng: &mut impl CryptoRng) -> Result<Vec<u8>, SealError> {
    let nobody = SealingSecret::generate(rng).public();
    let psk = Secret::generate(rng);
    seal_reply(&nobody, b"", &Psk { key: &psk, id: &[0; 16] }, b"", rng)
}

fn seal_reply(
    key: &SealingKey,
    info: &[u8],
    psk: &Psk<'_>,
    body: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let header = [VERSION, SUITE, REPLY_KIND];
    let (encapsulated, mut context): ([u8; ENCAPSULATED_BYTES], _) = context::sender(key, info, Some(psk), rng)?;
    let sealed = context.seal(&padding::pad(body)?, &header).map_err(|_| SealError::BadKey)?;
    let parts: [&[u8]; 3] = [&header, &encapsulated, &sealed];
    Ok(parts.concat())
}
