//! Times questions of four kinds under one condition: every round asks one of each, in an order drawn anew, so that
//! whatever the machine does meanwhile it does to all of them.
//!
//! Two of the kinds are controls of the same run: the first question once more, which must not be told from it, and the
//! first made slower by what matters, which must.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rohrpost_figures::Figures;

use super::differences::Comparison;

/// Rounds before the first that counts: caches and predictors are cold.
const UNCOUNTED: usize = 200;

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the others are compared with.
    First,
    /// The same once more.
    Again,
    /// What must take as long.
    Other,
    /// As the first, and afterwards the smallest delay that matters.
    Delayed,
}

const KINDS: [Kind; 4] = [Kind::First, Kind::Again, Kind::Other, Kind::Delayed];

/// What is fixed before anything is timed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) rounds: usize,
    /// The smallest difference that somebody outside could find.
    pub(super) matters: Duration,
}

/// The times of each kind, in seconds.
struct Times([Vec<f64>; KINDS.len()]);

impl Plan {
    /// Asks each kind so many times, and demands that the other kind takes as long as the first and that both controls come
    /// out as they must.
    pub(super) fn check(self, name: &'static str, ask: impl FnMut(Kind, usize)) {
        let times = self.time(ask);
        let [again, other, delayed] = [Kind::Again, Kind::Other, Kind::Delayed].map(|kind| times.against_first(kind));
        assert!(delayed.differ(self.matters), "{name}: a delay of {:?} is not found: {delayed:?}", self.matters);
        assert!(!again.differ(self.matters), "{name}: a question differs from itself: {again:?}");
        assert!(!other.differ(self.matters), "{name}: {other:?}");
        Figures::of(name)
            .seed(self.seed)
            .count("questions of each kind", self.rounds as u64)
            .measure("median", nanoseconds(times.median()), " ns")
            .measure("the kinds differ by", nanoseconds(other.slower), " ns")
            .measure("t", rounded(other.t), "")
            .measure("the same kind twice (control) differs by", nanoseconds(again.slower), " ns")
            .measure("t of that", rounded(again.t), "")
            .measure("planted delay (control)", nanoseconds(self.matters.as_secs_f64()), " ns")
            .measure("found of it", nanoseconds(delayed.slower), " ns")
            .measure("t of the delay", rounded(delayed.t), "")
            .publish();
    }

    fn time(self, mut ask: impl FnMut(Kind, usize)) -> Times {
        let Self { seed, rounds, matters } = self;
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut of: [Vec<f64>; KINDS.len()] = Default::default();
        for round in 0..UNCOUNTED + rounds {
            for kind in shuffled(&mut rng) {
                let begun = now();
                ask(kind, round);
                if kind == Kind::Delayed {
                    delay(matters);
                }
                let took = (now() - begun).as_secs_f64();
                if round >= UNCOUNTED {
                    of[kind as usize].push(took);
                }
            }
        }
        Times(of)
    }
}

fn shuffled(rng: &mut ChaCha20Rng) -> [Kind; KINDS.len()] {
    let mut kinds = KINDS;
    for last in (1..kinds.len()).rev() {
        kinds.swap(last, usize::try_from(rng.next_u32()).unwrap() % (last + 1));
    }
    kinds
}

/// Keeps the processor busy: what would give a secret away does not sleep either.
fn delay(length: Duration) {
    let begun = now();
    while now() - begun < length {}
}

#[expect(clippy::disallowed_methods, reason = "the time that a decision takes is what is measured")]
fn now() -> Instant {
    Instant::now()
}

impl Times {
    fn against_first(&self, kind: Kind) -> Comparison {
        Comparison::of(&self.0[Kind::First as usize], &self.0[kind as usize])
    }

    fn median(&self) -> f64 {
        let mut times = self.0[Kind::First as usize].clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn nanoseconds(seconds: f64) -> f64 {
    (seconds * 1e9).round()
}

/// To two decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}
