//! When to try again: growing pauses, jittered, a bounded number of times in a row.
//!
//! A plain value; the jitter is an argument.

use std::time::Duration;

/// Tries in a row that brought nothing, after which a transfer is given up: about two minutes.
pub const TRIES: u32 = 10;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The tries of one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    tries: u32,
    failures: u32,
}

impl Retry {
    /// Allows so many tries in a row.
    pub fn new(tries: u32) -> Self {
        Self { tries, failures: 0 }
    }

    /// A try failed: how long to wait before the next, or `None` when it was the last. The pause lies between half
    /// and the whole of a value that doubles; `jitter` chooses where.
    pub fn handle_failure(&mut self, jitter: u32) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.tries {
            return None;
        }
        let doubled = 2u32.checked_pow(self.failures - 1).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        let share = f64::from(jitter) / f64::from(u32::MAX);
        Some(pause.mul_f64(0.5 + share / 2.0))
    }

    /// A try brought something: the count starts again.
    pub fn handle_progress(&mut self) {
        self.failures = 0;
    }

    /// Which try comes next, counted from 1.
    pub fn next_try(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// How many tries there are.
    pub fn tries(&self) -> u32 {
        self.tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(jitter: u32) -> Vec<f64> {
        let mut retry = Retry::new(TRIES);
        std::iter::from_fn(|| retry.handle_failure(jitter)).map(|pause| pause.as_secs_f64()).collect()
    }

    #[test]
    fn pauses_grow_to_a_bound_and_end_with_the_tries() {
        assert_eq!(pauses(u32::MAX), [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        assert_eq!(pauses(0), [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]);
    }

    #[test]
    fn progress_gives_all_tries_back() {
        let mut retry = Retry::new(2);
        for _ in 0..5 {
            assert!(retry.handle_failure(0).is_some());
            retry.handle_progress();
        }
        assert!(retry.handle_failure(0).is_some());
        assert!(retry.handle_failure(0).is_none());
    }

    #[test]
    fn a_single_try_is_never_repeated() {
        assert_eq!(Retry::new(1).handle_failure(0), None);
    }
}
