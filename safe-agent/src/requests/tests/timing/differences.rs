//! Whether two kinds of question, asked in pairs, take times that differ by as much as matters.
//!
//! After dudect (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2016): classes interleaved at random,
//! cropped at percentiles that are fixed beforehand, and |t| above 4.5 for a difference. Two things are otherwise. Cropped
//! are the differences within a pair, at both ends alike (the trimmed t, after Yuen 1974): on a machine that is fast and
//! slow by turns, cropping the slowest times takes more from the slower kind and hides how slow it is. And with enough
//! pairs any difference is certain, so one has to be large enough to matter too.

use std::time::Duration;

/// Beyond this a difference is certain: once in 147,000 comparisons of what does not differ.
const THRESHOLD: f64 = 4.5;
/// Of all differences, sorted, this share is cropped at either end.
const CROPPED: f64 = 0.25;

/// What comparing two kinds came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    pub(super) t: f64,
    /// By how much the second is slower, in seconds: the mean of what was not cropped.
    pub(super) slower: f64,
}

impl Comparison {
    /// Compares times in seconds that were taken side by side.
    pub(super) fn of(first: &[f64], second: &[f64]) -> Self {
        let mut differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| second - first).collect();
        differences.sort_by(f64::total_cmp);
        let (slower, error) = trimmed_mean_and_error(&differences);
        Self { t: slower / error, slower }
    }

    /// Whether they differ, for certain and by so much. The line is drawn half-way between nothing and what matters: as
    /// far from a false alarm as from a leak that is missed.
    pub(super) fn differ(self, matters: Duration) -> bool {
        self.t.abs() >= THRESHOLD && self.slower.abs() >= matters.as_secs_f64() / 2.0
    }
}

/// The mean of the middle of sorted numbers, and its standard error: what is cropped counts as much as the outermost that
/// is kept.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
fn trimmed_mean_and_error(sorted: &[f64]) -> (f64, f64) {
    let (count, cropped) = (sorted.len(), (as_float(sorted.len()) * CROPPED) as usize);
    let kept = &sorted[cropped..count - cropped];
    let mean = kept.iter().sum::<f64>() / as_float(kept.len());
    let winsorized = sorted.iter().map(|number| number.clamp(kept[0], kept[kept.len() - 1]));
    let middle = winsorized.clone().sum::<f64>() / as_float(count);
    let variance = winsorized.map(|number| (number - middle).powi(2)).sum::<f64>() / as_float(count - 1);
    (mean, (variance / as_float(count)).sqrt() * as_float(count) / as_float(kept.len()))
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[cfg(test)]
const MICROSECOND: Duration = Duration::from_micros(1);

#[test]
fn the_trimmed_t_is_the_one_of_a_worked_example() {
    // Of eight, two go at either end: 3, 4, 5, 6 are kept, their mean is 4.5. With those cropped counted as 3 and as 6 the
    // eight have the variance 2, and the error is √(2/8) · 8/4.
    let (mean, error) = trimmed_mean_and_error(&[-100.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0, 8000.0]);
    assert!((mean - 4.5).abs() < 1e-12 && (error - 1.0).abs() < 1e-12, "{mean} {error}");
}

/// Times of a machine that is fast and slow by turns and sometimes elsewhere, in seconds.
#[cfg(test)]
fn times(microseconds: f64, phase: u32) -> Vec<f64> {
    let time = |n: u32| match n {
        n if (n + phase).is_multiple_of(17) => 1e3,
        n if n % 400 < 150 => 2.0 * microseconds + f64::from((n + phase) % 7),
        n => microseconds + f64::from((n + phase) % 7),
    };
    (0..4000).map(|n| time(n) * 1e-6).collect()
}

#[test]
fn a_machine_that_is_slow_by_turns_neither_makes_a_difference_nor_hides_one() {
    assert!(!Comparison::of(&times(100.0, 0), &times(100.0, 3)).differ(MICROSECOND));
    for (first, second) in [(100.0, 101.0), (101.0, 100.0)] {
        assert!(Comparison::of(&times(first, 0), &times(second, 3)).differ(MICROSECOND), "{first} {second}");
    }
}

#[test]
fn a_difference_that_is_certain_but_too_small_for_anybody_outside_is_none() {
    let first: Vec<f64> = (0..4000).map(|n| f64::from(n % 7) * 1e-7).collect();
    let second: Vec<f64> = (0..4000).map(|n| 3e-7 + f64::from(n % 5) * 1e-7).collect();
    let found = Comparison::of(&first, &second);
    assert!(found.t > THRESHOLD && !found.differ(MICROSECOND), "{found:?}");
}
