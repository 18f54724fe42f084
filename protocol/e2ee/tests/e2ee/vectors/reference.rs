//! Sealed requests and replies once more, straight from `docs/protocol.md` and HPKE: to look at what opening does not
//! show, and to seal what an honest client never would.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, PskBundle, Serializable as _};
use rand_core::{TryCryptoRng, TryRng};
use rohrpost_wire::address::hash;

/// Randomness that was written down before: plays its bytes once and no byte more.
pub(super) struct Played(Vec<u8>);

impl Played {
    pub(super) fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }

    /// Whether every byte has been drawn.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for Played {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("nothing in this protocol draws single words")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("nothing in this protocol draws single words")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0[..out.len()]);
        self.0.drain(..out.len());
        Ok(())
    }
}

impl TryCryptoRng for Played {}

/// Different bytes for every number, the same in every run.
pub(super) fn bytes(number: u8) -> [u8; 32] {
    hash(b"rohrpost/1 vector", &[&[number]])
}

/// The 64 bytes of an encapsulation.
pub(super) fn encapsulation(number: u8) -> [u8; 64] {
    [bytes(number), bytes(number ^ 0xff)].concat().try_into().unwrap()
}

/// A pre-shared key and its name.
pub(super) type Psk<'a> = Option<(&'a [u8], &'a [u8])>;

/// What an HPKE context exports for the two uses there are.
pub(super) struct Exports {
    pub(super) signature: [u8; 32],
    pub(super) reply_psk: [u8; 32],
}

/// Seals `plaintext`, which may depend on what the context exports. Returns encapsulated key and ciphertext.
pub(super) fn seal(
    public: &[u8],
    randomness: &[u8; 64],
    (info, aad): (&[u8], &[u8]),
    psk: Psk<'_>,
    plaintext: impl FnOnce(&Exports) -> Vec<u8>,
) -> Vec<u8> {
    let key = <XWing as Kem>::PublicKey::from_bytes(public).unwrap();
    let mode = psk.map_or(OpModeS::Base, |(psk, id)| OpModeS::Psk(PskBundle::new(psk, id).unwrap()));
    let mut rng = Played::new(&[randomness]);
    let (encapsulated, mut context) =
        hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(&mode, &key, info, &mut rng).unwrap();
    let exports = exports(|label, out| context.export(label, out).unwrap());
    let sealed = context.seal(&plaintext(&exports), aad).unwrap();
    [&encapsulated.to_bytes()[..], &sealed].concat()
}

/// Opens encapsulated key and ciphertext.
pub(super) fn open(seed: &[u8; 32], sealed: &[u8], (info, aad): (&[u8], &[u8]), psk: Psk<'_>) -> (Vec<u8>, Exports) {
    let key = <XWing as Kem>::PrivateKey::from_bytes(seed).unwrap();
    let (encapsulated, sealed) = sealed.split_at(1120);
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).unwrap();
    let mode = psk.map_or(OpModeR::Base, |(psk, id)| OpModeR::Psk(PskBundle::new(psk, id).unwrap()));
    let mut context =
        hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(&mode, &key, &encapsulated, info).unwrap();
    let plaintext = context.open(sealed, aad).unwrap();
    (plaintext, exports(|label, out| context.export(label, out).unwrap()))
}

fn exports(export: impl Fn(&[u8], &mut [u8])) -> Exports {
    let mut exports = Exports { signature: [0; 32], reply_psk: [0; 32] };
    export(b"sig", &mut exports.signature);
    export(b"reply psk", &mut exports.reply_psk);
    exports
}

/// Length (4, big-endian), body, zeros up to the class; none if the class is too small.
pub(super) fn pad(body: &[u8], class: usize) -> Vec<u8> {
    let mut padded = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    padded.extend(body);
    padded.resize(class.max(padded.len()), 0);
    padded
}

/// The body of a padded plaintext.
pub(super) fn unpad(padded: &[u8]) -> Vec<u8> {
    let (length, rest) = padded.split_first_chunk::<4>().unwrap();
    rest[..usize::try_from(u32::from_be_bytes(*length)).unwrap()].to_vec()
}

/// Label, suite, pin, prekey id.
pub(super) fn request_info(pin: &[u8], prekey_id: &[u8]) -> Vec<u8> {
    [b"rohrpost/1 request\0", &[1][..], pin, prekey_id].concat()
}

/// Label, suite, pin, labelled hash of the request's envelope.
pub(super) fn reply_info(pin: &[u8], request: &[u8]) -> Vec<u8> {
    [b"rohrpost/1 reply\0", &[1][..], pin, &request_hash(request)].concat()
}

/// The labelled hash of a request's envelope.
pub(super) fn request_hash(envelope: &[u8]) -> [u8; 32] {
    hash(b"rohrpost/1 request-envelope", &[envelope])
}

/// Version, suite, kind, inbox; for a deposit ttl class, flag and reply mailbox key.
pub(super) fn request_aad(inbox: &[u8], deposit: Option<(u8, Option<[u8; 32]>)>) -> Vec<u8> {
    let kind = if deposit.is_some() { 2 } else { 1 };
    let mut aad = [&[1, 1, kind][..], inbox].concat();
    if let Some((ttl, mailbox)) = deposit {
        aad.extend([ttl, u8::from(mailbox.is_some())]);
        aad.extend(mailbox.into_iter().flatten());
    }
    aad
}

/// Label, suite, pin, export, hash of the AAD, hash of the body before the authentication.
pub(super) fn transcript(pin: &[u8], exports: &Exports, aad: &[u8], signed: &[u8]) -> Vec<u8> {
    let (aad, body) = (hash(b"rohrpost/1 aad", &[aad]), hash(b"rohrpost/1 body", &[signed]));
    [b"rohrpost/1 request-signature\0", &[1][..], pin, &exports.signature, &aad, &body].concat()
}
