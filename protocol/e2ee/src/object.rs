//! Bulk content under its own key: C2SP chunked encryption (c2sp.org/chunked-encryption) with AES-256-GCM and
//! HKDF-SHA-512.
//!
//! An object is a 56-byte header (salt, key commitment) and 16 KiB chunks, each with its tag; the last chunk is always
//! shorter, perhaps empty, and by that alone marks the end. A chunk that opens has the right position in the right
//! object under the right context; an object whose last chunk never came is truncated, never complete.

use std::fmt;

use rand_core::CryptoRng;
use ring::aead::{self, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::OpenError;
use crate::secret::Secret;

/// Plaintext bytes in every chunk but the last.
pub const CHUNK_BYTES: usize = 16 * 1024;
/// The AEAD tag behind every chunk.
pub const TAG_BYTES: usize = 16;
/// Salt and key commitment before the first chunk.
pub const HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;
/// The salt: random, never used twice under one key.
pub const SALT_BYTES: usize = 24;

const COMMITMENT_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const DERIVED_BYTES: usize = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES;
const CHUNKS_MAX: u64 = 1 << 38;

/// The bytes a content of `length` bytes takes as an object; `None` for more than an object can hold.
pub fn sealed_length(length: u64) -> Option<u64> {
    let chunks = length / CHUNK_BYTES as u64 + 1;
    (chunks <= CHUNKS_MAX).then(|| HEADER_BYTES as u64 + length + chunks * TAG_BYTES as u64)
}

/// The random key of one object.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectKey(Secret<KEY_BYTES>);

impl ObjectKey {
    /// Draws a key for one object.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::generate(rng))
    }

    /// Takes a key that was kept or received.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The key, to be sealed into a row or a reply.
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        self.0.expose()
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectKey")
    }
}

/// Seals one object, chunk after chunk.
pub struct ObjectSealer {
    cipher: Cipher,
    header: [u8; HEADER_BYTES],
    next: u64,
    finished: bool,
}

impl ObjectSealer {
    /// Begins an object. The salt is fresh random bytes; the context says what the object is and never repeats the key.
    pub fn new(key: &ObjectKey, salt: [u8; SALT_BYTES], context: &[u8]) -> Self {
        let (cipher, commitment) = Cipher::derive(key, &salt, context);
        let mut header = [0; HEADER_BYTES];
        let (salt_part, commitment_part) = header.split_at_mut(SALT_BYTES);
        salt_part.copy_from_slice(&salt);
        commitment_part.copy_from_slice(&commitment);
        Self { cipher, header, next: 0, finished: false }
    }

    /// What stands before the first chunk.
    pub fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// Seals the next chunk in place and appends its tag. A chunk of [`CHUNK_BYTES`] is not the last; a shorter one,
    /// even an empty one, is. Fails on a longer chunk, after the last one and beyond 4 PiB.
    pub fn seal(&mut self, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        if self.finished || chunk.len() > CHUNK_BYTES || self.next >= CHUNKS_MAX {
            return Err(SealError);
        }
        self.finished = chunk.len() < CHUNK_BYTES;
        let nonce = self.cipher.nonce(self.next);
        self.next += 1;
        self.cipher.key.seal_in_place_append_tag(nonce, aead::Aad::empty(), chunk).map_err(|_| SealError)
    }

    /// Whether the last chunk has been sealed.
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}

/// Opens one object, in order or from any chunk.
pub struct ObjectOpener {
    cipher: Cipher,
    next: u64,
    finished: bool,
}

impl ObjectOpener {
    /// Begins with the header; refuses another key, context or object before a chunk is looked at.
    pub fn new(key: &ObjectKey, header: &[u8; HEADER_BYTES], context: &[u8]) -> Result<Self, OpenError> {
        let (salt, commitment) = header.split_first_chunk::<SALT_BYTES>().ok_or(OpenError)?;
        let (cipher, expected) = Cipher::derive(key, salt, context);
        if bool::from(expected.ct_eq(commitment)) {
            Ok(Self { cipher, next: 0, finished: false })
        } else {
            Err(OpenError)
        }
    }

    /// Opens the next sealed chunk in place and cuts off its tag. Fails after the last one.
    pub fn open_in_place(&mut self, chunk: &mut Vec<u8>) -> Result<(), OpenError> {
        if self.finished || chunk.len() > CHUNK_BYTES + TAG_BYTES || self.next >= CHUNKS_MAX {
            return Err(OpenError);
        }
        let nonce = self.cipher.nonce(self.next);
        let opened = self.cipher.key.open_in_place(nonce, aead::Aad::empty(), chunk).map_err(|_| OpenError)?;
        let length = opened.len();
        chunk.truncate(length);
        self.next += 1;
        self.finished = length < CHUNK_BYTES;
        Ok(())
    }

    /// Goes to chunk number `index`, which starts at [`HEADER_BYTES`] + index × ([`CHUNK_BYTES`] + [`TAG_BYTES`]).
    pub fn seek(&mut self, index: u64) {
        self.next = index;
        self.finished = false;
    }

    /// Whether the last chunk has been opened. An object that ends before this is truncated.
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}

struct Cipher {
    key: LessSafeKey,
    base_nonce: Zeroizing<[u8; NONCE_BYTES]>,
}

impl Cipher {
    fn derive(key: &ObjectKey, salt: &[u8; SALT_BYTES], context: &[u8]) -> (Self, [u8; COMMITMENT_BYTES]) {
        let info: [&[u8]; 3] = [b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", salt, context];
        let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA512, key.expose());
        #[expect(clippy::expect_used, reason = "76 bytes are within HKDF's limit of 255 hashes")]
        prk.expand(&info, Length).and_then(|okm| okm.fill(derived.as_mut())).expect("the length is fixed");
        let (key_bytes, rest) = derived.split_at(KEY_BYTES);
        let (nonce, commitment) = rest.split_at(NONCE_BYTES);
        #[expect(clippy::expect_used, reason = "the key is exactly 32 bytes")]
        let key = UnboundKey::new(&aead::AES_256_GCM, key_bytes).expect("the length is fixed");
        let mut base_nonce = Zeroizing::new([0; NONCE_BYTES]);
        base_nonce.copy_from_slice(nonce);
        let mut fixed = [0; COMMITMENT_BYTES];
        fixed.copy_from_slice(commitment);
        (Self { key: LessSafeKey::new(key), base_nonce }, fixed)
    }

    fn nonce(&self, index: u64) -> Nonce {
        let mut nonce = *self.base_nonce;
        for (byte, counter) in nonce.iter_mut().rev().zip(index.to_le_bytes()) {
            *byte ^= counter;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        DERIVED_BYTES
    }
}

/// A chunk that may not follow: too long, or after the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such chunk may follow")]
pub struct SealError;

impl fmt::Debug for ObjectSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectSealer(chunk {})", self.next)
    }
}

impl fmt::Debug for ObjectOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectOpener(chunk {})", self.next)
    }
}

#[cfg(test)]
mod tests;
