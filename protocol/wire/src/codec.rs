//! Strict postcard: one value has one encoding.
//!
//! postcard itself takes over-long varints and leaves trailing bytes alone. What is signed or hashed must not have two
//! encodings, so a decoder here refuses whatever does not encode to the same bytes again. It compares byte by byte and
//! keeps no second encoding: what is decoded may be a secret, and a freed buffer is not an erased one.

use postcard::de_flavors::{Flavor as Source, Slice};
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// The bytes are not the one encoding of a value of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed encoding")]
pub struct DecodeError;

/// Encodes a value.
///
/// # Panics
///
/// Never for the types of this protocol: encoding to memory fails only for maps of unknown length, and there are none.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "no type of the protocol has a field of unknown length")]
    postcard::to_allocvec(value).expect("every length is known")
}

/// Encodes a value that holds a secret or plaintext: into one buffer of the exact length, which is never moved and is
/// erased when dropped.
///
/// # Panics
///
/// As [`encode`]: never for the types of this protocol.
pub fn encode_secret<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    encode_secret_behind(&[], value)
}

/// Encodes a value that holds a secret or plaintext behind a few bytes that say what it is, as [`encode_secret`] does.
///
/// # Panics
///
/// As [`encode`]: never for the types of this protocol.
pub fn encode_secret_behind<T: Serialize>(front: &[u8], value: &T) -> Zeroizing<Vec<u8>> {
    #[expect(clippy::expect_used, reason = "no type of the protocol has a field of unknown length")]
    let length = postcard::experimental::serialized_size(value).expect("every length is known");
    let mut bytes = Zeroizing::new(vec![0; front.len() + length]);
    let (head, tail) = bytes.split_at_mut(front.len());
    head.copy_from_slice(front);
    #[expect(clippy::expect_used, reason = "a value has the same length twice")]
    postcard::to_slice(value, tail).expect("the length is exact");
    bytes
}

/// Decodes a value that fills `bytes` exactly and canonically.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) = decode_prefix(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError) }
}

/// Decodes a value from the front of `bytes` and returns the rest. The value is canonical; the rest is not looked at.
pub fn decode_prefix<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), DecodeError> {
    let mut source = postcard::Deserializer::from_flavor(Unannounced(Slice::new(bytes)));
    let value = T::deserialize(&mut source).map_err(|_| DecodeError)?;
    let rest = source.finalize().map_err(|_| DecodeError)?;
    let consumed = bytes.strip_suffix(rest).ok_or(DecodeError)?;
    let same = postcard::serialize_with_flavor(&value, Compare { left: consumed }).unwrap_or(false);
    if same { Ok((value, rest)) } else { Err(DecodeError) }
}

/// Bytes from which a list is read without making room for as many elements as it announces: an element may be far
/// larger in memory than the one byte for which it can be announced.
struct Unannounced<'a>(Slice<'a>);

impl<'a> Source<'a> for Unannounced<'a> {
    type Remainder = &'a [u8];
    type Source = &'a [u8];

    fn pop(&mut self) -> postcard::Result<u8> {
        self.0.pop()
    }

    /// postcard makes room for a list that is not longer than this.
    fn size_hint(&self) -> Option<usize> {
        Some(0)
    }

    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'a [u8]> {
        self.0.try_take_n(count)
    }

    fn finalize(self) -> postcard::Result<&'a [u8]> {
        self.0.finalize()
    }
}

/// Takes an encoding byte by byte and holds it against the bytes that are expected.
struct Compare<'a> {
    left: &'a [u8],
}

impl Flavor for Compare<'_> {
    type Output = bool;

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.left = self.left.strip_prefix(data).ok_or(postcard::Error::SerializeBufferFull)?;
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn finalize(self) -> postcard::Result<bool> {
        Ok(self.left.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlong_varint_is_refused() {
        assert_eq!(decode::<u32>(&[5]), Ok(5));
        assert_eq!(decode::<u32>(&[0x85, 0x00]), Err(DecodeError));
    }

    #[test]
    fn a_secret_is_encoded_as_anything_else_and_into_no_more_than_it_needs() {
        let value = (7u8, vec![300u16; 300], Some("text"));
        let (plain, secret) = (encode(&value), encode_secret(&value));
        assert_eq!(*secret, plain);
        assert_eq!(secret.capacity(), secret.len(), "a buffer that grew left its first bytes somewhere");
        let behind = encode_secret_behind(&[1, 2], &value);
        assert_eq!((&behind[..2], &behind[2..]), (&[1, 2][..], &plain[..]));
        assert_eq!(behind.capacity(), behind.len());
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(decode::<u32>(&[5, 0]), Err(DecodeError));
        assert_eq!(decode_prefix::<u32>(&[5, 0]), Ok((5, &[0u8][..])));
    }

    #[test]
    fn a_length_beyond_the_input_allocates_nothing() {
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(decode::<Vec<u8>>(&bomb), Err(DecodeError));
    }
}
