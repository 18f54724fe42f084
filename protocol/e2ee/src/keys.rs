//! Key pairs: sealing keys (X-Wing) and signing keys (Ed25519), their secrets unprintable and erased.

use std::fmt;

use ed25519_dalek::SigningKey;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use rand_core::CryptoRng;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::SEALING_KEY_BYTES;

use crate::secret::Secret;

/// The public half of a sealing key pair.
pub type SealingKey = Fixed<SEALING_KEY_BYTES>;

/// The secret half of an X-Wing key pair: a random 32-byte seed, never derived from anything
/// (draft-connolly-cfrg-xwing-kem §5.2; `DeriveKeyPair` differs between implementations).
#[derive(Clone)]
pub struct SealingSecret(Secret<32>);

impl SealingSecret {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::generate(rng))
    }

    /// Takes one that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The seed, to be kept in a sealed row.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The public half.
    pub fn public(&self) -> SealingKey {
        let mut bytes = [0; SEALING_KEY_BYTES];
        XWing::sk_to_pk(&self.to_hpke()).write_exact(&mut bytes);
        Fixed(bytes)
    }

    pub(crate) fn to_hpke(&self) -> <XWing as hpke::Kem>::PrivateKey {
        #[expect(clippy::expect_used, reason = "every 32-byte seed is a private key")]
        <XWing as hpke::Kem>::PrivateKey::from_bytes(self.0.expose()).expect("a seed has 32 bytes")
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingSecret")
    }
}

/// The secret half of an Ed25519 key pair (RFC 8032): root, online, audit, route, device or mailbox key.
#[derive(Clone)]
pub struct SigningSecret(SigningKey);

impl SigningSecret {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let seed: Secret<32> = Secret::generate(rng);
        Self::from_bytes(seed.expose())
    }

    /// Takes one that was kept or read from a recovery sheet.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, to be kept in a sealed row or printed on a recovery sheet.
    pub fn expose(&self) -> Secret<32> {
        Secret::from_bytes(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> Fixed<32> {
        Fixed(self.0.verifying_key().to_bytes())
    }

    /// The key for signing; erases itself when dropped.
    pub fn signer(&self) -> &SigningKey {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}
