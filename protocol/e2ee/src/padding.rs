//! Sizes an outsider may learn: few classes for envelopes, Padmé for objects.

use zeroize::Zeroizing;

use crate::OpenError;

/// The sizes a sealed body can have, in bytes before the AEAD tag.
pub const CLASSES: [usize; 5] = [4 * 1024, 16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024];

const PREFIX_BYTES: usize = 4;

/// A body longer than the largest class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("body longer than the largest padding class")]
pub struct TooLong;

/// Length (4 bytes, big-endian), body, zeros up to the smallest class that fits.
pub fn pad(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    pad_parts([body])
}

/// As [`pad`], of a body in parts: put together here, in the one buffer, and nowhere else.
pub fn pad_parts<const N: usize>(parts: [&[u8]; N]) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let class = CLASSES.into_iter().find(|class| *class >= PREFIX_BYTES + length).ok_or(TooLong)?;
    let length = u32::try_from(length).map_err(|_| TooLong)?;
    let mut padded = Zeroizing::new(Vec::with_capacity(class));
    padded.extend(length.to_be_bytes());
    for part in parts {
        padded.extend_from_slice(part);
    }
    padded.resize(class, 0);
    Ok(padded)
}

/// The body inside a padded plaintext; refuses any size that is no class, any class larger than needed and any byte of
/// padding that is not zero, so that a body has one padded form.
pub fn unpad(padded: &[u8]) -> Result<&[u8], OpenError> {
    let (prefix, rest) = padded.split_first_chunk::<PREFIX_BYTES>().ok_or(OpenError)?;
    let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(|_| OpenError)?;
    let (body, zeros) = rest.split_at_checked(length).ok_or(OpenError)?;
    let class = CLASSES.into_iter().find(|class| *class >= PREFIX_BYTES + length);
    let well_padded = class == Some(padded.len()) && zeros.iter().all(|byte| *byte == 0);
    if well_padded { Ok(body) } else { Err(OpenError) }
}

/// The padded length of bulk content: Padmé (Nikitin et al., *Reducing Metadata Leakage from Encrypted Files and
/// Communication with PURBs*, PETS 2019, §4). At most 12 % more, and a length tells O(log log n) bits.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - kept.min(exponent))) - 1;
    length.checked_add(mask).map_or(length, |sum| sum & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_takes_the_smallest_class_that_fits() {
        for class in CLASSES {
            assert_eq!(pad(&vec![1; class - 4]).unwrap().len(), class);
            assert_ne!(pad(&vec![1; class - 3]).map(|p| p.len()), Ok(class));
        }
        assert_eq!(pad(&vec![1; 1024 * 1024 - 3]), Err(TooLong));
    }

    #[test]
    fn padme_gives_the_lengths_of_its_paper() {
        // Worked from the definition: E = floor(log2 L), S = floor(log2 E) + 1, clear the last E − S bits upwards.
        for (length, padded) in
            [(0, 0), (1, 1), (9, 10), (100, 104), (1000, 1024), (65_537, 67_584), (1_000_000, 1_015_808)]
        {
            assert_eq!(padme(length), padded, "length {length}");
        }
        assert_eq!(padme(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_padded_body_comes_back(body in prop::collection::vec(any::<u8>(), 0..5000)) {
            let padded = pad(&body).unwrap();
            prop_assert_eq!(unpad(&padded), Ok(&body[..]));
            prop_assert_eq!(padded.capacity(), padded.len());
            let (front, back) = body.split_at(body.len() / 2);
            prop_assert_eq!(pad_parts([front, back]), Ok(padded));
        }

        #[test]
        fn a_padding_byte_or_length_changed_is_refused(length in 0usize..200, at in 0usize..4096) {
            let body = vec![9; length];
            let mut padded = pad(&body).unwrap();
            padded[at] ^= 0x80;
            prop_assert_ne!(unpad(&padded), Ok(&body[..]));
        }

        #[test]
        fn padme_grows_by_at_most_an_eighth_and_never_shrinks(length in 0u64..1 << 50) {
            let padded = padme(length);
            prop_assert!(padded >= length && padded - length <= length / 8 + 1);
            prop_assert_eq!(padme(padded), padded);
        }
    }
}
