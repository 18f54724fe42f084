//! What is packed inside other bytes: deflated behind a zlib or gzip header, or a long run of base64 or hexadecimal.

use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use crate::scanner::{AHEAD, Window};

/// Unpacks; what it needs for that is used again and again.
pub(crate) struct Unpacker {
    state: Box<DecompressorOxide>,
    out: Vec<u8>,
}

/// As much as is looked at of one piece.
const UNPACKED: usize = 4 * AHEAD;
/// Shorter runs are words and numbers; a secret in them has a form of its own.
const RUN: usize = 24;

impl Unpacker {
    pub(crate) fn new() -> Self {
        Self { state: Box::default(), out: vec![0; UNPACKED] }
    }

    /// Hands out everything that can be unpacked from what begins in a window, with where it began.
    pub(crate) fn each(&mut self, window: &Window<'_>, mut found: impl FnMut(&[u8], usize)) {
        for at in window.own.clone() {
            if let Some(header) = window.bytes.get(at..).and_then(header_bytes)
                && let Some(unpacked) = window.bytes.get(at + header..).and_then(|body| self.inflate(body))
            {
                found(unpacked, at);
            }
        }
        for (digits, skips, bits, value) in TEXTS {
            for (run, at) in runs(window, digits) {
                for rest in (0..skips).filter_map(|skip| run.get(skip..)) {
                    found(&decoded(rest, bits, value), at);
                }
            }
        }
    }

    /// What comes out before the end, a fault or enough.
    fn inflate(&mut self, body: &[u8]) -> Option<&[u8]> {
        self.state.init();
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
        let body = body.get(..AHEAD).unwrap_or(body);
        let (_, _, length) = decompress(&mut self.state, body, &mut self.out, 0, flags);
        self.out.get(..length).filter(|out| out.len() >= 8)
    }
}

/// The length of the header if these bytes begin with one: zlib's (RFC 1950) or gzip's (RFC 1952).
fn header_bytes(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x78, flags, ..] if (0x7800 + u16::from(flags)).is_multiple_of(31) && flags & 0x20 == 0 => Some(2),
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, ..] => gzip_header(bytes, flags),
        _ => None,
    }
}

/// The fixed ten bytes, then extra field, name, comment and checksum as the flags say.
fn gzip_header(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut at = 10;
    if flags & 4 != 0 {
        let field = bytes.get(at..)?.first_chunk::<2>()?;
        at += 2 + usize::from(u16::from_le_bytes(*field));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += 1 + bytes.get(at..)?.iter().take(1024).position(|byte| *byte == 0)?;
        }
    }
    Some(if flags & 2 == 0 { at } else { at + 2 })
}

/// Which bytes such a text is made of, at how many places of a group it may begin, the bits of a digit and its value.
type Text = (fn(u8) -> bool, usize, u32, fn(u8) -> Option<u8>);

/// Base64 of either alphabet, perhaps in lines, and hexadecimal.
const TEXTS: [Text; 2] = [
    (|byte| base64_digit(byte).is_some() || matches!(byte, b'\r' | b'\n'), 4, 6, base64_digit),
    (|byte| byte.is_ascii_hexdigit(), 2, 4, hex_digit),
];

/// The long runs of digits that begin in a window or go on in it, without line ends.
fn runs(window: &Window<'_>, is_digit: fn(u8) -> bool) -> Vec<(Vec<u8>, usize)> {
    let mut runs = Vec::new();
    let mut at = window.own.start;
    while at < window.own.end {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_digit(*byte)).unwrap_or(rest.len());
        if length >= RUN {
            let run = rest.iter().take(length).copied().filter(|byte| !byte.is_ascii_whitespace());
            runs.push((run.collect(), at));
        }
        at += length + 1;
    }
    runs
}

fn decoded(run: &[u8], bits: u32, value: impl Fn(u8) -> Option<u8>) -> Vec<u8> {
    let (mut bytes, mut held, mut held_bits) = (Vec::with_capacity(run.len()), 0_u32, 0);
    for digit in run.iter().map_while(|digit| value(*digit)) {
        held = held << bits | u32::from(digit);
        held_bits += bits;
        if held_bits >= 8 {
            held_bits -= 8;
            bytes.push(low_byte(held >> held_bits));
        }
    }
    bytes
}

fn low_byte(value: u32) -> u8 {
    let [_, _, _, low] = value.to_be_bytes();
    low
}

fn base64_digit(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
