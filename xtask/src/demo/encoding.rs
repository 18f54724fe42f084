//! How a secret may be disguised: hexadecimal and base64, and the way back out of a link.

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).flatten().collect()
}

/// What every base64 text that holds `bytes` holds, whatever stands before and after them: one text for each of the
/// three places in a group of three that the first byte can have.
pub(super) fn base64_anywhere(bytes: &[u8], alphabet: &[u8; 64]) -> Vec<String> {
    (0..3).map(|before| inner_digits(bytes, before, alphabet)).collect()
}

/// The digits that `bytes` alone decide when `before` other bytes stand in front of them.
fn inner_digits(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let skipped = before * 8;
    let first = skipped.div_ceil(6);
    let last = (skipped + bytes.len() * 8) / 6;
    let digit = |place: usize| (0..6).fold(0, |sum, at| sum << 1 | usize::from(bit(place * 6 + at - skipped)));
    (first..last).filter_map(|place| alphabet.get(digit(place)).map(|byte| char::from(*byte))).collect()
}

/// The bytes of a base64url text without padding; nothing if it is none.
pub(super) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<usize>> =
        text.bytes().map(|byte| URL_ALPHABET.iter().position(|known| *known == byte)).collect();
    let digits = digits?;
    let bit = |at: usize| digits.get(at / 6).map_or(0, |digit| digit >> (5 - at % 6) & 1);
    let whole = digits.len() * 6 / 8;
    let byte = |place: usize| (0..8).fold(0, |sum, at| sum << 1 | bit(place * 8 + at));
    (0..whole).map(|place| u8::try_from(byte(place)).ok()).collect()
}

pub(super) const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(super) const URL_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4648, section 10.
    #[test]
    fn the_standards_own_examples_come_out() {
        assert_eq!(hex(b"foobar"), "666f6f626172");
        assert_eq!(base64_anywhere(b"foobar", ALPHABET)[0], "Zm9vYmFy");
        assert_eq!(from_base64url("Zm9vYmE").unwrap(), b"fooba");
        assert_eq!(from_base64url("Zm9v YmE"), None);
    }

    #[test]
    fn a_text_is_found_in_base64_wherever_it_stands() {
        let disguises = base64_anywhere("Jörg Žofka".as_bytes(), ALPHABET);
        for before in ["", "a", "ab", "abc", "abcd"] {
            let around = format!("{before}Jörg Žofka, born");
            let encoded = inner_digits(around.as_bytes(), 0, ALPHABET);
            assert!(disguises.iter().any(|disguise| encoded.contains(disguise)), "{before}");
        }
    }
}
