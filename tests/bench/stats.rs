//! What a handful of noisy measurements allow to be said, and what not.
//!
//! Plain values. Invariant: nothing is claimed where measuring the same thing twice already differs by more than
//! [`CONTROL`], or where the distance to the target is smaller than the spread of the rounds.

use std::fmt;

/// What base against base may show: outside of it the machine is too restless for any claim.
pub(crate) const CONTROL: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// Median and range of one figure over the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// One round: the base, ours, and the base again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round<T> {
    pub(crate) before: T,
    pub(crate) ours: T,
    pub(crate) after: T,
}

/// Ours against a base, round by round, so that a slow minute hits both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) base: Summary,
    pub(crate) ours: Summary,
    /// Ours through the mean of the two base measurements around it.
    pub(crate) ratio: Summary,
    /// The second base measurement through the first.
    pub(crate) control: Summary,
}

/// What a figure is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// What may be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    NoClaim(&'static str),
}

impl Summary {
    /// Summarises; nothing of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), low, high })
    }

    /// Half the range.
    fn spread(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

impl<T> Round<T> {
    fn map(&self, figure: impl Fn(&T) -> f64) -> Round<f64> {
        Round { before: figure(&self.before), ours: figure(&self.ours), after: figure(&self.after) }
    }
}

impl Comparison {
    /// Compares one figure of the samples; nothing of nothing.
    pub(crate) fn of<T>(rounds: &[Round<T>], figure: impl Fn(&T) -> f64) -> Option<Self> {
        let rounds: Vec<Round<f64>> = rounds.iter().map(|round| round.map(&figure)).collect();
        let each = |figure: fn(&Round<f64>) -> f64| Summary::of(rounds.iter().map(figure));
        Some(Self {
            base: Summary::of(rounds.iter().flat_map(|round| [round.before, round.after]))?,
            ours: each(|round| round.ours)?,
            ratio: each(|round| round.ours / f64::midpoint(round.before, round.after))?,
            control: each(|round| round.after / round.before)?,
        })
    }

    /// Holds the ratio to a target.
    pub(crate) fn judge(&self, target: Target) -> Verdict {
        target.judge(&self.ratio, &self.control)
    }
}

impl Target {
    /// Holds a figure to the target, if the control and the spread allow it.
    pub(crate) fn judge(self, figure: &Summary, control: &Summary) -> Verdict {
        if !CONTROL.contains(&control.median) {
            return Verdict::NoClaim("base against base differs too much");
        }
        let (Self::AtMost(limit) | Self::AtLeast(limit)) = self;
        if (figure.median - limit).abs() < figure.spread() {
            return Verdict::NoClaim("the distance to the target is under the spread");
        }
        self.judge_one(figure.median)
    }

    /// Holds a figure that does not depend on how busy the machine is to the target.
    pub(crate) fn judge_one(self, figure: f64) -> Verdict {
        let met = match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        };
        if met { Verdict::Pass } else { Verdict::Fail }
    }
}

/// The value below which this share of the sorted values lies (nearest rank).
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts and bytes here are far below 2^52")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median < 10.0 { 2 } else { usize::from(self.median < 100.0) };
        write!(f, "{:.digits$} [{:.digits$}-{:.digits$}]", self.median, self.low, self.high)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "at most {limit}"),
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("PASS"),
            Self::Fail => f.write_str("FAIL"),
            Self::NoClaim(why) => write!(f, "no claim: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
