//! Opening: the safe opens a request, the client opens its reply.

use std::fmt;

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{InboxId, SUITE, SafePin, Timestamp, VERSION, codec, proof};

use super::context::{self, Export as _, Psk};
use super::{
    ENCAPSULATED_BYTES, EnvelopeHash, ExpectReply, Lane, REPLY_HEADER_BYTES, REPLY_KIND, REQUEST_HEADER_BYTES,
    ReplySealer, RequestHeader, request_info, transcript,
};
use crate::OpenError;
use crate::body::{Authentication, LinkId, Operation, Reply, RequestBody, RequestId, Who};
use crate::keys::SealingSecret;
use crate::link::LinkMacKey;
use crate::padding;

/// As whom the safe opens: what it knows of itself, never what an envelope says.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The safe's pin.
    pub pin: &'a SafePin,
    /// Its own inbox id.
    pub inbox: &'a InboxId,
    /// How the envelope came.
    pub lane: Lane,
}

/// A request whose seal and signature hold. Nothing has been decided about it.
pub struct OpenedRequest {
    /// Names the request.
    pub id: RequestId,
    /// Names this envelope of it.
    pub envelope: EnvelopeHash,
    /// When it was made, by the client's clock.
    pub created: Timestamp,
    /// When it loses its effect.
    pub expires: Timestamp,
    /// Who asks, as far as a signature can prove it.
    pub who: Proven,
    /// What is asked for.
    pub operation: Operation,
    /// Hash of the operation, to notice another one under the same id.
    pub operation_hash: Fixed<32>,
    /// To answer it.
    pub reply: ReplySealer,
}

/// Without the operation's hash: even its first bytes would betray a PIN, of which there are only a million.
impl fmt::Debug for OpenedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedRequest({:?}, {}, {:?})", self.id.0, self.operation.name(), self.who)
    }
}

/// Who asks, with the proofs that need no memory already checked.
#[derive(Debug)]
pub enum Proven {
    /// Nobody in particular.
    Nobody,
    /// The holder of this device key; whether the device is enrolled is the safe's to know.
    Device {
        /// The key.
        key: Fixed<32>,
        /// The sequence number.
        sequence: u64,
    },
    /// The holder of this new device key; whether it holds the link is for [`EnrolProof::holds`].
    Enrol {
        /// The link that is claimed.
        link: LinkId,
        /// The new device key.
        key: Fixed<32>,
        /// The proof of holding the link.
        proof: EnrolProof,
    },
}

/// The claim to hold a link, to be checked with the key that the safe keeps of it.
pub struct EnrolProof {
    transcript: Vec<u8>,
    mac: Fixed<32>,
}

impl EnrolProof {
    /// Whether the sender holds the link.
    pub fn holds(&self, key: &LinkMacKey) -> bool {
        key.verify(&self.transcript, &self.mac)
    }
}

impl fmt::Debug for EnrolProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolProof")
    }
}

/// Opens a request with the prekey that its header names. One error for everything that can be wrong with it.
pub fn open_request(
    envelope: &[u8],
    prekey: &SealingSecret,
    recipient: Recipient<'_>,
) -> Result<OpenedRequest, OpenError> {
    let header = RequestHeader::parse(envelope)?;
    if header.kind != recipient.lane.kind() {
        return Err(OpenError);
    }
    let (_, rest) = envelope.split_at_checked(REQUEST_HEADER_BYTES).ok_or(OpenError)?;
    let (encapsulated, sealed) = rest.split_first_chunk::<ENCAPSULATED_BYTES>().ok_or(OpenError)?;
    let info = request_info(recipient.pin, header.prekey);
    let aad = recipient.lane.aad(recipient.inbox);
    let mut context = context::receiver(prekey, encapsulated, &info, None)?;
    let padded = context::open(&mut context, sealed, &aad)?;

    let plaintext = padding::unpad(&padded)?;
    let (body, authentication) = codec::decode_prefix::<RequestBody>(plaintext).map_err(|_| OpenError)?;
    let signed = plaintext.strip_suffix(authentication).ok_or(OpenError)?;
    let authentication = codec::decode(authentication).map_err(|_| OpenError)?;
    // Before anything is decided: what is asked with it could take effect, and never be answered.
    if !context::is_key(&body.reply_key) {
        return Err(OpenError);
    }
    let transcript = transcript(recipient.pin, &context.export_secret(b"sig"), &aad, signed);

    let request = EnvelopeHash::of(envelope);
    let psk = context.export_secret(b"reply psk");
    let reply = ReplySealer { id: body.id, key: body.reply_key, psk, pin: *recipient.pin, request };
    let operation_hash = hash_operation(&body.operation);
    Ok(OpenedRequest {
        id: body.id,
        envelope: request,
        created: body.created,
        expires: body.expires,
        who: prove(body.who, authentication, transcript)?,
        operation: body.operation,
        operation_hash,
        reply,
    })
}

/// Checks the signature against the key that the body names.
fn prove(who: Who, authentication: Authentication, transcript: Vec<u8>) -> Result<Proven, OpenError> {
    let check =
        |key: &Fixed<32>, signature: &Fixed<64>| proof::verify(key, &transcript, signature).map_err(|_| OpenError);
    match (who, authentication) {
        (Who::Nobody, Authentication::None) => Ok(Proven::Nobody),
        (Who::Device { key, sequence }, Authentication::Device(signature)) => {
            check(&key, &signature)?;
            Ok(Proven::Device { key, sequence })
        }
        (Who::Enrol { link, key }, Authentication::Enrol { signature, mac }) => {
            check(&key, &signature)?;
            Ok(Proven::Enrol { link, key, proof: EnrolProof { transcript, mac } })
        }
        _ => Err(OpenError),
    }
}

/// Keyed by nothing but the label: it is kept in a sealed row and never leaves the safe.
fn hash_operation(operation: &Operation) -> Fixed<32> {
    let bytes = codec::encode_secret(operation);
    Fixed(rohrpost_wire::address::hash(b"rohrpost/1 operation", &[&bytes]))
}

impl ExpectReply {
    /// Opens the reply to this request and no other. One error for everything that can be wrong with it; what does not
    /// open uses nothing up, so a forgery in front of the reply does not spoil the reply.
    pub fn open(&self, envelope: &[u8]) -> Result<Reply, OpenError> {
        let (header, rest) = envelope.split_first_chunk::<REPLY_HEADER_BYTES>().ok_or(OpenError)?;
        if *header != [VERSION, SUITE, REPLY_KIND] {
            return Err(OpenError);
        }
        let (encapsulated, sealed) = rest.split_first_chunk::<ENCAPSULATED_BYTES>().ok_or(OpenError)?;
        let psk = Psk { key: &self.psk, id: &self.id.0.0 };
        let mut context = context::receiver(&self.secret, encapsulated, &self.info, Some(&psk))?;
        let padded = context::open(&mut context, sealed, header)?;
        let reply: Reply = codec::decode(padding::unpad(&padded)?).map_err(|_| OpenError)?;
        if reply.request == self.id { Ok(reply) } else { Err(OpenError) }
    }
}
