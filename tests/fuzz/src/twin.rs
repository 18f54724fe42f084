//! A fuzz target as an ordinary test: inputs spoiled by seeded dice, and the first one at which the promise breaks.

use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dice::Dice;
use crate::mutation;
use crate::target::Verdict;

/// What a run has tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that were decoded, opened or carried out.
    pub taken: u64,
    /// Inputs that were refused.
    pub refused: u64,
}

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Taken => self.taken += 1,
            Verdict::Refused => self.refused += 1,
        }
    }
}

/// An input at which a promise does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The input.
    pub input: Vec<u8>,
    /// What the promise said.
    pub said: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = String::new();
        for byte in &self.input {
            write!(hex, "{byte:02x}")?;
        }
        write!(f, "{}\ninput ({} bytes, replay it from a file in the corpus): {hex}", self.said, self.input.len())
    }
}

/// Runs a promise over every base as it is.
pub fn replay(run: impl Fn(&[u8]) -> Verdict, bases: &[Vec<u8>]) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    for base in bases {
        tally.count(attempt(&run, base)?);
    }
    Ok(tally)
}

/// Runs a promise over so many spoiled bases.
pub fn mutate(run: impl Fn(&[u8]) -> Verdict, bases: &[Vec<u8>], tries: u64, dice: &mut Dice) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    for _ in 0..tries {
        let input = mutation::mutate(bases, dice);
        tally.count(attempt(&run, &input).map_err(|fault| shrink(&run, fault))?);
    }
    Ok(tally)
}

fn attempt(run: &impl Fn(&[u8]) -> Verdict, input: &[u8]) -> Result<Verdict, Fault> {
    catch_unwind(AssertUnwindSafe(|| run(input))).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        Fault { input: input.to_vec(), said: said.unwrap_or("a panic without words").to_owned() }
    })
}

/// Cuts away halves, quarters and so on for as long as something still breaks.
fn shrink(run: &impl Fn(&[u8]) -> Verdict, mut fault: Fault) -> Fault {
    let mut piece = fault.input.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < fault.input.len() {
            let mut shorter = fault.input.clone();
            shorter.drain(at..(at + piece).min(fault.input.len()));
            match attempt(run, &shorter) {
                Err(smaller) => fault = smaller,
                Ok(_) => at += piece,
            }
        }
        piece /= 2;
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decoder that takes what begins with its length, and forgets that the length may be wrong in one way.
    fn careless(bytes: &[u8]) -> Verdict {
        let Some((length, rest)) = bytes.split_first() else { return Verdict::Refused };
        assert!(!(*length == 0xff && rest.len() > 2), "walked off the end");
        Verdict::taken(usize::from(*length) == rest.len())
    }

    #[test]
    fn a_careless_decoder_is_found_and_its_input_made_small() {
        let bases = [b"\x03abc".to_vec(), b"\x05hello".to_vec()];
        let fault = mutate(careless, &bases, 20_000, &mut Dice::new(1)).unwrap_err();
        assert_eq!((fault.input.len(), fault.input[0]), (4, 0xff));
        assert!(fault.to_string().starts_with("walked off the end"), "{fault}");
    }

    #[test]
    fn the_same_seed_tries_the_same_inputs() {
        let bases = [b"\x03abc".to_vec()];
        let tried = |seed| {
            let seen = std::cell::RefCell::new(Vec::new());
            let note = |bytes: &[u8]| {
                seen.borrow_mut().push(bytes.to_vec());
                Verdict::Taken
            };
            mutate(note, &bases, 100, &mut Dice::new(seed)).unwrap();
            seen.into_inner()
        };
        assert_eq!(tried(1), tried(1));
        assert_ne!(tried(1), tried(2));
    }
}
