//! What time it is: the computer's clock, moved by what the safe said.
//!
//! The one place of this crate that reads a clock. It is moved only by the time in a sealed reply, never by anything a
//! relay says, and only for this run.

use std::time::{SystemTime, UNIX_EPOCH};

use rohrpost_wire::Timestamp;

/// A clock that can be set right.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    correction: Correction,
}

impl Clock {
    /// Now, as far as is known.
    pub fn now(&self) -> Timestamp {
        self.correction.apply(system())
    }

    /// Sets it by the safe's time.
    pub fn set(&mut self, safe_time: Timestamp) {
        self.correction = Correction::between(system(), safe_time);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Correction {
    forward: u64,
    back: u64,
}

impl Correction {
    fn between(ours: Timestamp, theirs: Timestamp) -> Self {
        Self { forward: theirs.0.saturating_sub(ours.0), back: ours.0.saturating_sub(theirs.0) }
    }

    fn apply(self, ours: Timestamp) -> Timestamp {
        ours.plus(self.forward).minus(self.back)
    }
}

fn system() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    let now = SystemTime::now();
    Timestamp(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_clock_shows_the_time_it_was_set_to() {
        for (ours, theirs) in [(100, 900), (900, 100), (5, 5)] {
            let (ours, theirs) = (Timestamp(ours), Timestamp(theirs));
            let correction = Correction::between(ours, theirs);
            assert_eq!(correction.apply(ours), theirs);
            assert_eq!(correction.apply(ours.plus(7)), theirs.plus(7));
        }
    }
}
