//! How much a run tries, and the seed from which it is repeated.
//!
//! A run per commit uses one seed, so that it is red for a reason in the commit; a long run draws a fresh one.

use std::env;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What one test was asked to do.
pub(crate) struct Plan {
    /// Repeats the run.
    pub(crate) seed: u64,
    long: bool,
}

impl Plan {
    /// Reads `ROHRPOST_LONG` and `ROHRPOST_SEED`, and says which seed it is.
    #[expect(clippy::print_stderr, reason = "a failed run is repeated from what it printed")]
    pub(crate) fn of(test: &str) -> Self {
        let long = env::var_os("ROHRPOST_LONG").is_some_and(|value| value != "0");
        let asked = env::var("ROHRPOST_SEED").ok().map(|seed| seed.parse().expect("ROHRPOST_SEED is a number"));
        let seed = asked.unwrap_or_else(|| if long { getrandom::u64().unwrap() >> 16 } else { 1 });
        eprintln!("{test}: ROHRPOST_SEED={seed}");
        Self { seed, long }
    }

    /// How often a thing is tried.
    pub(crate) fn rounds(&self, short: u64, long: u64) -> u64 {
        if self.long { long } else { short }
    }

    /// The chances of this run.
    pub(crate) fn dice(&self) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(self.seed))
    }
}

/// Chances that can be repeated.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// A number from zero up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    /// The same, for places in memory.
    pub(crate) fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
