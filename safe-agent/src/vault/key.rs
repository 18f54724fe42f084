//! The keys of the vault, as types that erase themselves and cannot be printed.
//!
//! The vault key is random and never leaves the process unwrapped; everything else at rest is derived from it under a
//! label of its own, so that no two uses ever share a key.

use std::fmt;

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use rand_core::CryptoRng;
use ring::hkdf;
use zeroize::Zeroizing;

/// The key above all rows of one vault.
pub struct VaultKey(SecretBytes);

/// 32 secret bytes, erased on drop.
pub(super) type SecretBytes = Zeroizing<[u8; 32]>;

impl VaultKey {
    /// Draws the key of a new vault.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random(rng))
    }

    /// Derives the key for one use, named by a label that no other use has. For keyed hashes in row keys, say.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        derive(b"rohrpost/1 vault use", &self.0, &[label.as_bytes()])
    }

    /// The key under which the rows of the table with this number are sealed.
    pub(super) fn table_key(&self, number: u8) -> SecretBytes {
        derive(b"rohrpost/1 vault table", &self.0, &[&[number]])
    }

    /// Takes over a key that was unwrapped.
    pub(super) fn from_bytes(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// The key, to be wrapped.
    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey")
    }
}

/// What stands on a recovery sheet and opens the vault when the passphrase is lost.
pub struct RecoverySecret(SecretBytes);

impl RecoverySecret {
    /// Draws the secret of a new sheet.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random(rng))
    }

    /// Takes a secret that was read from a sheet.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret, to be printed on its sheet.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecoverySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoverySecret")
    }
}

/// What the owner types to open the vault. Its bytes count as typed: nothing is trimmed or normalised.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes over what was typed.
    pub fn new(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }

    /// The passphrase, to be stretched.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// HKDF-SHA256 (RFC 5869) with a label as salt.
pub(super) fn derive(label: &[u8], secret: &[u8; 32], info: &[&[u8]]) -> SecretBytes {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, label).extract(secret);
    let mut out = Zeroizing::new([0; 32]);
    expand(&prk, info, out.as_mut());
    out
}

/// HKDF's second half alone, for a secret that is uniform already.
pub(super) fn expand(prk: &hkdf::Prk, info: &[&[u8]], out: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "at most 44 bytes are asked for, far below HKDF's limit of 255 hashes")]
    prk.expand(info, Length(out.len())).and_then(|okm| okm.fill(out)).expect("the length is within HKDF's limit");
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Draws 32 random bytes.
fn random(rng: &mut impl CryptoRng) -> SecretBytes {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(bytes.as_mut());
    bytes
}

/// A key and a nonce for exactly one sealing with ChaCha20-Poly1305 (RFC 8439).
pub(super) struct OneSeal(Zeroizing<[u8; KEY_AND_NONCE_BYTES]>);

/// The bytes a seal adds.
pub(super) const TAG_BYTES: usize = 16;

const KEY_AND_NONCE_BYTES: usize = 44;

/// The seal does not fit: another key, other bytes or other associated data.
#[derive(Debug)]
pub(super) struct BrokenSeal;

impl OneSeal {
    /// Derives key and nonce from a uniform key and whatever makes this sealing unique.
    pub(super) fn derive(key: &[u8; 32], info: &[&[u8]]) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_AND_NONCE_BYTES]);
        expand(&hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key), info, bytes.as_mut());
        Self(bytes)
    }

    /// Seals in place and appends the tag.
    pub(super) fn seal(self, associated: &[u8], buffer: &mut Vec<u8>) {
        let (cipher, nonce) = self.cipher();
        #[expect(clippy::expect_used, reason = "a vector grows by a tag, and rows are far below the cipher's limit")]
        cipher.encrypt_in_place(&nonce, associated, buffer).expect("the row is below the cipher's limit");
    }

    /// Opens in place and cuts the tag off.
    pub(super) fn open(self, associated: &[u8], buffer: &mut Vec<u8>) -> Result<(), BrokenSeal> {
        let (cipher, nonce) = self.cipher();
        cipher.decrypt_in_place(&nonce, associated, buffer).map_err(|_| BrokenSeal)
    }

    fn cipher(&self) -> (ChaCha20Poly1305, Nonce) {
        let mut key = Zeroizing::new(Key::default());
        let mut nonce = Nonce::default();
        let (key_part, nonce_part) = self.0.split_at(key.len());
        key.copy_from_slice(key_part);
        nonce.copy_from_slice(nonce_part);
        (ChaCha20Poly1305::new(&key), nonce)
    }
}

#[cfg(test)]
mod tests;
