//! What a target is: a promise as a function of bytes, and the genuine inputs from which mutation starts.

/// What became of an input. Either is right; a promise that does not hold panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was decoded, opened or carried out.
    Taken,
    /// It was refused.
    Refused,
}

impl Verdict {
    /// Taken if it was.
    pub fn taken(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Refused }
    }
}

/// One promise to hold against any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Names it, and the folder of its corpus.
    pub name: &'static str,
    /// Holds the promise against an input, or panics.
    pub run: fn(&[u8]) -> Verdict,
    /// Genuine inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many mutated inputs its twin tries for each of its rounds: the dear ones fewer.
    pub tries: u32,
}

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    crate::TARGETS.iter().find(|target| target.name == name)
}
