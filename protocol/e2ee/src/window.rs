//! The sequence window: which of a device's sequence numbers have been used.
//!
//! A client gives every request a fresh number. The safe takes any unused one within [`WINDOW`] of the highest, so
//! requests may overtake each other, and none is taken twice.

use serde::{Deserialize, Serialize};

/// How far a number may lie from the highest one seen, in either direction.
pub const WINDOW: u64 = 1024;

const WORDS: usize = 16;

/// The used numbers of one device: the highest, and one bit for each of the [`WINDOW`] at and below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceWindow {
    highest: u64,
    used: [u64; WORDS],
}

/// Why a sequence number is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// This number has been used.
    #[error("sequence number already used")]
    Used,
    /// Too far from the highest number.
    #[error("sequence number outside the window")]
    Outside,
}

impl SequenceWindow {
    /// The highest number taken; 0 before the first.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Takes a number. Numbers start at 1.
    pub fn take(&mut self, number: u64) -> Result<(), SequenceError> {
        self.check(number)?;
        if number > self.highest {
            self.forget(self.highest.saturating_add(1), number);
            self.highest = number;
        }
        if let Some((word, bit)) = self.slot(number) {
            *word |= bit;
        }
        Ok(())
    }

    /// Whether [`Self::take`] would succeed.
    pub fn check(&self, number: u64) -> Result<(), SequenceError> {
        if number == 0 || number.abs_diff(self.highest) > WINDOW - 1 {
            return Err(SequenceError::Outside);
        }
        let used = number <= self.highest && self.is_marked(number);
        if used { Err(SequenceError::Used) } else { Ok(()) }
    }

    fn is_marked(&self, number: u64) -> bool {
        let (word, bit) = position(number);
        self.used.get(word).is_some_and(|word| word & bit != 0)
    }

    fn slot(&mut self, number: u64) -> Option<(&mut u64, u64)> {
        let (word, bit) = position(number);
        self.used.get_mut(word).map(|word| (word, bit))
    }

    /// Clears the slots of numbers that come into the window; at most [`WINDOW`] of them, since `check` bounds the jump.
    fn forget(&mut self, from: u64, to: u64) {
        for number in from..=to {
            if let Some((word, bit)) = self.slot(number) {
                *word &= !bit;
            }
        }
    }
}

fn position(number: u64) -> (usize, u64) {
    let slot = number % WINDOW;
    let word = usize::try_from(slot / 64).unwrap_or(0);
    (word, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_taken_once() {
        let mut window = SequenceWindow::default();
        assert_eq!(window.take(1), Ok(()));
        assert_eq!(window.take(1), Err(SequenceError::Used));
        assert_eq!(window.take(0), Err(SequenceError::Outside));
    }

    #[test]
    fn the_window_has_two_edges() {
        let mut window = SequenceWindow::default();
        assert_eq!(window.take(WINDOW), Err(SequenceError::Outside));
        assert_eq!(window.take(WINDOW - 1), Ok(()));
        assert_eq!(window.take(2 * WINDOW - 2), Ok(()));
        assert_eq!(window.take(WINDOW - 1), Err(SequenceError::Used));
        assert_eq!(window.take(WINDOW - 2), Err(SequenceError::Outside));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_all_used_numbers(steps in prop::collection::vec(-1100i64..1100, 1..400)) {
            let mut window = SequenceWindow::default();
            let mut used = BTreeSet::new();
            let mut highest = 0u64;
            for step in steps {
                let number = highest.saturating_add_signed(step);
                let expected = if number == 0 || number.abs_diff(highest) >= WINDOW {
                    Err(SequenceError::Outside)
                } else if used.contains(&number) {
                    Err(SequenceError::Used)
                } else {
                    Ok(())
                };
                prop_assert_eq!(window.take(number), expected);
                if expected.is_ok() {
                    used.insert(number);
                    highest = highest.max(number);
                }
                prop_assert_eq!(window.highest(), highest);
            }
        }
    }
}
