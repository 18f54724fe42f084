//! Hashes of what could be guessed: "the hash of the patient's number as the address" is a leak as good as the number.

use md5::{Digest as _, Md5};
use ring::digest;

use crate::blake3;
use crate::encodings;

/// The forms of a text's hashes, by name: of the text as it is, trimmed, in small and in capital letters and without what
/// stands between letters and digits. The first 16 bytes stand for the hash: addresses are often cut to them.
pub(crate) fn of(text: &str) -> Vec<(String, Vec<u8>)> {
    let squeezed: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let mut texts = vec![text.to_owned(), text.trim().to_owned(), text.to_lowercase(), text.to_uppercase()];
    texts.extend([squeezed.to_lowercase(), squeezed.to_uppercase(), squeezed]);
    texts.sort();
    texts.dedup();
    let hashes = texts.iter().flat_map(|text| hashes(text.as_bytes()));
    hashes.flat_map(|(name, hash)| shown(name, &hash)).collect()
}

fn shown(name: &'static str, hash: &[u8]) -> Vec<(String, Vec<u8>)> {
    let start = hash.get(..16).unwrap_or(hash);
    let useful = ["hex", "HEX", "base64", "base64url", "base32", "array"];
    let encoded = encodings::of(start).into_iter().filter(|(form, _)| useful.contains(form));
    let encoded = encoded.map(|(form, bytes)| (format!("{name} as {form}"), bytes));
    encoded.chain([(name.to_owned(), start.to_vec())]).collect()
}

fn hashes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let ring = [
        ("sha-1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
        ("sha-256", &digest::SHA256),
        ("sha-384", &digest::SHA384),
        ("sha-512", &digest::SHA512),
    ];
    let mut all: Vec<_> =
        ring.into_iter().map(|(name, algorithm)| (name, digest::digest(algorithm, bytes).as_ref().to_vec())).collect();
    all.push(("md5", Md5::digest(bytes).to_vec()));
    all.extend(blake3::hash(bytes).map(|hash| ("blake3", hash.to_vec())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 1321 A.5, FIPS 180-4 examples.
    #[test]
    fn known_hashes_are_among_the_forms() {
        let forms = of("abc");
        for hex in [
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c",
            "ba7816bf8f01cfea414140de5dae2223",
            "ddaf35a193617abacc417349ae204131",
        ] {
            assert!(forms.iter().any(|(_, bytes)| bytes == hex.as_bytes()), "{hex}");
        }
    }
}
