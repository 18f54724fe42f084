//! Strict postcard: one value has one encoding.
//!
//! postcard itself takes over-long varints and leaves trailing bytes alone. What is signed or hashed must not have two
//! encodings, so a decoder here refuses whatever does not encode to the same bytes again.

use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// Decodes a value that fills `bytes` exactly and canonically.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) = decode_prefix(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError) }
}

/// Decodes a value from the front of `bytes` and returns the rest. The value is canonical; the rest is not looked at.
pub fn decode_prefix<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), DecodeError> {
    let (value, rest): (T, &[u8]) = postcard::take_from_bytes(bytes).map_err(|_| DecodeError)?;
    let consumed = bytes.strip_suffix(rest).ok_or(DecodeError)?;
    if encode(&value) == consumed { Ok((value, rest)) } else { Err(DecodeError) }
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
