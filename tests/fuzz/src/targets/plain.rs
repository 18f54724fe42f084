//! Plain values that decide: the sequence window against a set, padding against its definition.

use std::collections::BTreeSet;

use rohrpost_e2ee::padding::{self, CLASSES};
use rohrpost_e2ee::window::{SequenceError, SequenceWindow, WINDOW};
use rohrpost_wire::codec;

use crate::input::Input;
use crate::target::Verdict;

/// The window is the set of all numbers that were used, within its width of the highest; written down and read again it
/// is the same.
pub(super) fn window(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let (mut window, mut used, mut highest) = (SequenceWindow::default(), BTreeSet::new(), 0u64);
    let mut taken = false;
    while !input.is_over() {
        let number = number(&mut input, highest);
        let expected = if number == 0 || number.abs_diff(highest) >= WINDOW {
            Err(SequenceError::Outside)
        } else if used.contains(&number) {
            Err(SequenceError::Used)
        } else {
            Ok(())
        };
        assert_eq!(window.check(number), expected, "{number} behind {highest}");
        assert_eq!(window.take(number), expected, "{number} behind {highest}");
        if expected.is_ok() {
            taken = true;
            used.insert(number);
            highest = highest.max(number);
        }
        assert_eq!(window.highest(), highest);
        window = codec::decode(&codec::encode(&window)).unwrap();
    }
    Verdict::taken(taken)
}

fn number(input: &mut Input<'_>, highest: u64) -> u64 {
    match input.choice(4) {
        0 => highest.saturating_add(1 + u64::from(input.byte())),
        1 => highest.saturating_sub(u64::from(input.byte())),
        2 => highest.saturating_add_signed(i64::from(input.short().cast_signed())),
        _ => input.long(),
    }
}

pub(super) fn window_seeds() -> Vec<Vec<u8>> {
    let edges = |step: u16| [&[2], &step.to_be_bytes()[..]].concat();
    let in_a_row: Vec<u8> = [0, 0].repeat(40);
    let there_and_back = [edges(1023), edges(1023), edges(0u16.wrapping_sub(1023)), vec![1, 0, 1, 1]].concat();
    let far = [&[3][..], &u64::MAX.to_be_bytes(), &[0, 0]].concat();
    vec![in_a_row, there_and_back, edges(1024), far]
}

/// A body has one padded form, and what is not that form is refused.
pub(super) fn padding(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let (class, length) = (input.choice(CLASSES.len() + 1), input.word());
    let (place, dirt) = (input.word(), input.byte());
    let mut padded = match CLASSES.get(class) {
        Some(class) => {
            let mut padded = length.to_be_bytes().to_vec();
            padded.resize(*class, 0);
            padded
        }
        None => input.rest().to_vec(),
    };
    let place = usize::try_from(place).unwrap() % padded.len().max(1);
    padded.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= dirt);
    objects(u64::from(length) << 20 | u64::from(dirt));
    let Ok(body) = padding::unpad(&padded) else { return Verdict::Refused };
    assert_eq!(*padding::pad(body).unwrap(), padded, "a body has two padded forms");
    Verdict::Taken
}

/// A padded length is a fixed point, not shorter, and at most an eighth longer.
fn objects(length: u64) {
    let padded = padding::padme(length);
    assert!(padded >= length && padded - length <= length / 8 + 1, "{length} is padded to {padded}");
    assert_eq!(padding::padme(padded), padded);
}

pub(super) fn padding_seeds() -> Vec<Vec<u8>> {
    let seed = |class: u8, length: u32, place: u32, dirt: u8| {
        [&[class], &length.to_be_bytes()[..], &place.to_be_bytes(), &[dirt]].concat()
    };
    let own = padding::pad(b"body").unwrap();
    vec![
        seed(0, 4092, 0, 0),
        seed(0, 4093, 0, 0),
        seed(1, 4093, 4096, 1),
        seed(2, 100, 0, 0),
        seed(4, 1_048_572, 9, 7),
        [seed(5, 0, 0, 0), own.to_vec()].concat(),
    ]
}
