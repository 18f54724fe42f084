//! How an input is spoiled: what fuzzers have found to be worth trying, drawn from dice.

use crate::dice::Dice;
use crate::hostile;

/// Inputs do not grow beyond this by mutation; a target that needs longer ones makes them of choices.
const LONGEST: usize = 8 * 1024;

/// Lengths and numbers at which mistakes are made.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x3fff,
    0x4000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// A base, spoiled between one and four times, perhaps with parts of others.
pub(crate) fn mutate(bases: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bases.get(dice.below(bases.len())).cloned().unwrap_or_default();
    if dice.one_in(32) {
        let length = dice.below(300);
        bytes = dice.bytes(length);
    }
    for _ in 0..=dice.below(4) {
        spoil(&mut bytes, bases, dice);
    }
    bytes.truncate(LONGEST.max(bases.iter().map(Vec::len).max().unwrap_or(0)));
    bytes
}

fn spoil(bytes: &mut Vec<u8>, bases: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = (at + 1 + dice.below(16)).min(bytes.len());
    match dice.below(12) {
        0 | 1 => change(bytes, at, |byte| byte ^ 1 << (at % 8)),
        2 => {
            let value = dice.byte();
            change(bytes, at, |_| value);
        }
        3 => change(bytes, at, |byte| byte.wrapping_add(1)),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let length = dice.below(16);
            let fresh = dice.bytes(length);
            insert(bytes, at, &fresh);
        }
        7 => {
            let again = bytes[at..end].to_vec();
            insert(bytes, at, &again);
        }
        8 => overwrite(bytes, at, &number(dice)),
        9 => splice(bytes, at, bases, dice),
        10 => {
            let text = hostile::TEXTS[dice.below(hostile::TEXTS.len())];
            insert(bytes, at, text.as_bytes());
        }
        _ => {
            let length = 1 + dice.below(400);
            let filled = vec![dice.byte(); length];
            insert(bytes, at, &filled);
        }
    }
}

fn change(bytes: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte);
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    bytes.splice(at..at, more.iter().copied());
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
}

/// A number in one of the forms in which they stand in bytes: fixed, either end first, or as a varint.
fn number(dice: &mut Dice) -> Vec<u8> {
    let number = NUMBERS[dice.below(NUMBERS.len())];
    match dice.below(4) {
        0 => number.to_be_bytes()[4..].to_vec(),
        1 => number.to_be_bytes().to_vec(),
        2 => number.to_le_bytes().to_vec(),
        _ => rohrpost_wire::codec::encode(&number),
    }
}

/// The end of another base behind the start of this one.
fn splice(bytes: &mut Vec<u8>, at: usize, bases: &[Vec<u8>], dice: &mut Dice) {
    let Some(other) = bases.get(dice.below(bases.len())) else { return };
    let from = dice.below(other.len() + 1);
    bytes.truncate(at);
    bytes.extend_from_slice(&other[from..]);
}
