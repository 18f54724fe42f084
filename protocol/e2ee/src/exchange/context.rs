//! HPKE (RFC 9180) with the suite fixed at compile time: X-Wing, HKDF-SHA256, ChaCha20-Poly1305.
//!
//! Modes are chosen here and nowhere else: Base for requests, PSK for replies.

use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, PskBundle, Serializable as _};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::ENCAPSULATED_BYTES;
use crate::OpenError;
use crate::keys::{SealingKey, SealingSecret};
use crate::secret::Secret;

pub(super) type Sender = AeadCtxS<ChaCha20Poly1305, HkdfSha256, XWing>;
pub(super) type Receiver = AeadCtxR<ChaCha20Poly1305, HkdfSha256, XWing>;

/// A pre-shared key and its name (RFC 9180 §5.1.2).
pub(super) struct Psk<'a> {
    pub(super) key: &'a Secret<32>,
    pub(super) id: &'a [u8],
}

/// A public key that is none.
pub(super) struct BadKey;

/// Whether nothing but randomness stands between this key and a seal to it. X-Wing takes every X25519 value, so that an
/// encapsulation to a key that was read cannot fail.
pub(super) fn is_key(key: &SealingKey) -> bool {
    <XWing as Kem>::PublicKey::from_bytes(&key.0).is_ok()
}

pub(super) fn sender(
    key: &SealingKey,
    info: &[u8],
    psk: Option<&Psk<'_>>,
    rng: &mut impl CryptoRng,
) -> Result<([u8; ENCAPSULATED_BYTES], Sender), BadKey> {
    let key = <XWing as Kem>::PublicKey::from_bytes(&key.0).map_err(|_| BadKey)?;
    let mode = match psk {
        None => OpModeS::Base,
        Some(psk) => OpModeS::Psk(PskBundle::new(psk.key.expose(), psk.id).map_err(|_| BadKey)?),
    };
    let (encapsulated, context): (<XWing as Kem>::EncappedKey, Sender) =
        hpke::setup_sender_with_rng(&mode, &key, info, rng).map_err(|_| BadKey)?;
    let mut bytes = [0; ENCAPSULATED_BYTES];
    encapsulated.write_exact(&mut bytes);
    Ok((bytes, context))
}

pub(super) fn receiver(
    secret: &SealingSecret,
    encapsulated: &[u8; ENCAPSULATED_BYTES],
    info: &[u8],
    psk: Option<&Psk<'_>>,
) -> Result<Receiver, OpenError> {
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError)?;
    let mode = match psk {
        None => OpModeR::Base,
        Some(psk) => OpModeR::Psk(PskBundle::new(psk.key.expose(), psk.id).map_err(|_| OpenError)?),
    };
    hpke::setup_receiver(&mode, &secret.to_hpke(), &encapsulated, info).map_err(|_| OpenError)
}

pub(super) fn open(context: &mut Receiver, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    context.open(sealed, aad).map(Zeroizing::new).map_err(|_| OpenError)
}

/// RFC 9180 §5.3: a secret of this context for another purpose.
pub(super) trait Export {
    fn export_secret(&self, label: &[u8]) -> Secret<32>;
}

impl Export for Sender {
    fn export_secret(&self, label: &[u8]) -> Secret<32> {
        fill(|out| self.export(label, out))
    }
}

impl Export for Receiver {
    fn export_secret(&self, label: &[u8]) -> Secret<32> {
        fill(|out| self.export(label, out))
    }
}

fn fill(export: impl FnOnce(&mut [u8]) -> Result<(), hpke::HpkeError>) -> Secret<32> {
    let mut bytes = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "32 bytes are within the exporter's limit")]
    export(bytes.as_mut()).expect("the length is fixed");
    Secret::from_bytes(*bytes)
}
