//! Whether two kinds of question take different times: interleaved at random, outliers cropped, Welch's t.
//!
//! After dudect (Reparaz, Balasch, Verbauwhede 2016): |t| above 4.5 means that the times differ.

use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Beyond this two samples are held to differ.
pub(super) const THRESHOLD: f64 = 4.5;
/// One of so many samples, of both kinds together, was made slow by the machine and not by the question.
const CROPPED: u64 = 10;

/// What comparing two kinds of question came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    pub(super) t: f64,
    /// How far the medians are apart, in parts of the smaller.
    pub(super) medians_apart: f64,
    /// The smaller median, in seconds.
    pub(super) median: f64,
    pub(super) samples: u64,
}

impl Comparison {
    pub(super) fn differ(self) -> bool {
        self.t.abs() >= THRESHOLD
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a decision takes is what is measured")]
fn now() -> Instant {
    Instant::now()
}

/// Asks questions of the two kinds in random order and times each.
pub(super) fn compare(samples: u64, seed: u64, mut ask: impl FnMut(bool, u64)) -> Comparison {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for number in 0..samples {
        let kind = rng.next_u32() & 1 == 1;
        let begun = now();
        ask(kind, number);
        times[usize::from(kind)].push((now() - begun).as_secs_f64());
    }
    let [first, second] = times;
    of_samples(first, second)
}

/// As [`compare`]; times that differ once by the machine's mood do not differ three times over.
pub(super) fn compare_up_to_thrice(samples: u64, seed: u64, mut ask: impl FnMut(bool, u64)) -> Comparison {
    let mut last = compare(samples, seed, &mut ask);
    for round in 1..3 {
        if !last.differ() {
            break;
        }
        last = compare(samples, seed + round, &mut ask);
    }
    last
}

fn of_samples(mut first: Vec<f64>, mut second: Vec<f64>) -> Comparison {
    let samples = (first.len() + second.len()) as u64;
    let mut all: Vec<f64> = first.iter().chain(&second).copied().collect();
    all.sort_by(f64::total_cmp);
    let kept = samples - samples / CROPPED;
    let longest = all[usize::try_from(kept).unwrap() - 1];
    for times in [&mut first, &mut second] {
        times.retain(|time| *time <= longest);
        times.sort_by(f64::total_cmp);
    }
    let medians = [&first, &second].map(|times| times[times.len() / 2]);
    let median = medians[0].min(medians[1]);
    let [(mean_a, error_a), (mean_b, error_b)] = [&first, &second].map(|times| mean_and_error(times));
    Comparison {
        t: (mean_a - mean_b) / (error_a + error_b).sqrt(),
        medians_apart: (medians[0] - medians[1]).abs() / median,
        median,
        samples,
    }
}

/// The mean, and the square of its standard error.
fn mean_and_error(times: &[f64]) -> (f64, f64) {
    let count = as_float(times.len() as u64);
    let mean = times.iter().sum::<f64>() / count;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

fn as_float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[test]
fn welchs_t_is_the_one_of_a_worked_example() {
    // Two samples of which nothing is cropped away, t computed by hand: means 3 and 5, variances 2.5 and 2.5, five each.
    let [(a, ea), (b, eb)] = [[1.0, 2.0, 3.0, 4.0, 5.0], [3.0, 4.0, 5.0, 6.0, 7.0]].map(|times| mean_and_error(&times));
    assert!(((a - b) / (ea + eb).sqrt() + 2.0).abs() < 1e-12);
}

#[test]
fn outliers_are_cropped_from_both_and_do_not_hide_a_difference() {
    let sample = |base: f64| (0..2000).map(|n| base + f64::from(n % 7)).chain(std::iter::repeat_n(1e9, 100)).collect();
    assert!(!of_samples(sample(100.0), sample(100.0)).differ());
    assert!(of_samples(sample(100.0), sample(101.0)).differ());
}
