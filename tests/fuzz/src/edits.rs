//! Changes to genuine bytes, read from an input: what a relay, a wire or a disk can do to them.

use crate::input::Input;

/// Applies up to so many changes: bits flipped, bytes set, ends cut, bytes added, parts of `other` laid over.
pub(crate) fn apply(bytes: &mut Vec<u8>, other: &[u8], input: &mut Input<'_>, most: usize) {
    for _ in 0..most {
        if input.is_over() {
            return;
        }
        one(bytes, other, input);
    }
}

fn one(bytes: &mut Vec<u8>, other: &[u8], input: &mut Input<'_>) {
    let kind = input.choice(6);
    let at = input.place(bytes.len());
    match kind {
        0 | 1 => {
            let bit = 1 << input.choice(8);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
        }
        2 => {
            let value = input.byte();
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
        }
        3 => bytes.truncate(at),
        4 => {
            let length = input.choice(64);
            bytes.extend_from_slice(input.take(length));
        }
        _ => {
            let length = 1 + input.choice(64);
            for (byte, foreign) in bytes.iter_mut().zip(other).skip(at).take(length) {
                *byte = *foreign;
            }
        }
    }
}
