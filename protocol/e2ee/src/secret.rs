//! Secret bytes: never printed, never serialised by accident, compared in constant time, and erased when dropped.
//!
//! Erased is the copy that is dropped, and encodings made with `codec::encode_secret`. Not: copies the compiler leaves
//! on the stack when a value moves, pages written to swap, and what `ring` makes of a key for its own use (HMAC, HKDF
//! and AES-GCM states are not erased by it). It shortens how long a secret lies about; it is no wall against whoever
//! reads this process's memory.

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// `N` secret bytes. `grep expose` finds every place that looks at them.
#[derive(Clone)]
pub struct Secret<const N: usize>(Zeroizing<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes over bytes; the caller's copy is the caller's to erase.
    pub fn from_bytes(bytes: [u8; N]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes the bytes if there are exactly `N`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }

    /// Draws fresh random bytes.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; N]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// The bytes themselves, for the one computation that needs them.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_ref()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({N} bytes)")
    }
}

/// How a secret field is written inside a sealed body, link or row, and nowhere else: `#[serde(with = "inside_seal")]`.
pub mod inside_seal {
    use rohrpost_wire::fixed::Fixed;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use zeroize::Zeroize as _;

    use super::Secret;

    /// Writes the bytes.
    pub fn serialize<S: Serializer, const N: usize>(secret: &Secret<N>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Fixed(*secret.expose());
        let written = bytes.serialize(serializer);
        bytes.0.zeroize();
        written
    }

    /// Reads the bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<Secret<N>, D::Error> {
        let mut bytes = Fixed::<N>::deserialize(deserializer)?;
        let secret = Secret::from_bytes(bytes.0);
        bytes.0.zeroize();
        Ok(secret)
    }
}
