//! Bytes as software writes them down: hexadecimal, base64, escapes, arrays.

use std::fmt::Write as _;

/// Every encoding of these bytes, by name. What its neighbours decide is left away, so that it is found between them.
pub(crate) fn of(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("hex", each(bytes, "", |byte| format!("{byte:02x}"))),
        ("HEX", each(bytes, "", |byte| format!("{byte:02X}"))),
        ("hex with colons", each(bytes, ":", |byte| format!("{byte:02x}"))),
        ("HEX with colons", each(bytes, ":", |byte| format!("{byte:02X}"))),
        ("hex with spaces", each(bytes, " ", |byte| format!("{byte:02x}"))),
        ("hex array", each(bytes, ", ", |byte| format!("0x{byte:02x}"))),
        ("array", each(bytes, ", ", |byte| byte.to_string())),
        ("dense array", each(bytes, ",", |byte| byte.to_string())),
        ("lined array", each(bytes, ",\n    ", |byte| byte.to_string())),
        ("escapes", bytes.escape_ascii().to_string()),
        ("url", each(bytes, "", |byte| kept(byte, "-._~", |byte| format!("%{byte:02X}")))),
        ("lower url", each(bytes, "", |byte| kept(byte, "-._~", |byte| format!("%{byte:02x}")))),
        ("form", each(bytes, "", |byte| if byte == b' ' { "+".into() } else { kept(byte, "-._~", percent) })),
        ("whole url", each(bytes, "", percent)),
        ("quoted-printable", each(bytes, "", |byte| kept(byte, " -._~,:;/!?()+", |byte| format!("={byte:02X}")))),
    ];
    for places in 0..3 {
        all.push(("base64", inner(bytes, places, 6, 8, BASE64)));
        all.push(("base64url", inner(bytes, places, 6, 8, BASE64_URL)));
    }
    for places in 0..5 {
        let text = inner(bytes, places, 5, 8, BASE32);
        all.push(("lower base32", text.to_lowercase()));
        all.push(("base32", text));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        all.push(("json", escaped(text, |unit, out| write!(out, "\\u{unit:04x}"))));
        all.push(("JSON", escaped(text, |unit, out| write!(out, "\\u{unit:04X}"))));
        all.push(("html", text.chars().map(entity).collect()));
    }
    all.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// The digits of an encoding with `digit` bits in each that `bytes` alone decide when `before` other bytes stand in front.
pub(crate) fn inner(bytes: &[u8], before: usize, digit: usize, group: usize, alphabet: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let skipped = before * group;
    let (first, last) = (skipped.div_ceil(digit), (skipped + bytes.len() * 8) / digit);
    let value = |place: usize| (0..digit).fold(0, |sum, at| sum << 1 | usize::from(bit(place * digit + at - skipped)));
    (first..last).filter_map(|place| alphabet.get(value(place)).map(|byte| char::from(*byte))).collect()
}

fn each(bytes: &[u8], between: &str, show: impl Fn(u8) -> String) -> String {
    bytes.iter().map(|byte| show(*byte)).collect::<Vec<_>>().join(between)
}

fn kept(byte: u8, also: &str, escape: impl Fn(u8) -> String) -> String {
    let plain = byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte);
    if plain { char::from(byte).to_string() } else { escape(byte) }
}

fn percent(byte: u8) -> String {
    format!("%{byte:02X}")
}

fn escaped(text: &str, escape: impl Fn(u16, &mut String) -> std::fmt::Result) -> String {
    let mut out = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok().filter(u8::is_ascii) {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(b'\n') => out.push_str("\\n"),
            Some(plain) => out.push(char::from(plain)),
            None => drop(escape(unit, &mut out)),
        }
    }
    out
}

fn entity(letter: char) -> String {
    if letter.is_ascii() { letter.to_string() } else { format!("&#{};", u32::from(letter)) }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4648, section 10.
    #[test]
    fn the_standards_own_examples_come_out() {
        assert_eq!(inner(b"foobar", 0, 6, 8, BASE64), "Zm9vYmFy");
        assert_eq!(inner(b"fooba", 0, 5, 8, BASE32), "MZXW6YTB");
        let hex = of(b"foobar").into_iter().find(|(name, _)| *name == "hex").unwrap();
        assert_eq!(hex.1, b"666f6f626172");
    }
}
