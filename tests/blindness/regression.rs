//! Logistic regression: the simplest learner that weighs every feature against every other.

/// Folds of the cross-validation.
const FOLDS: usize = 10;
const STEPS: usize = 400;
const RATE: f64 = 0.3;
/// Keeps weights small, so that noise is not learnt by heart.
const DECAY: f64 = 0.01;

/// The share of rows that are put on their own side, each judged by what was learnt from the others.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub(crate) fn accuracy(left: &[Vec<f64>], right: &[Vec<f64>]) -> f64 {
    let labelled = |rows: &[Vec<f64>], side: f64| rows.iter().cloned().map(|row| (row, side)).collect::<Vec<_>>();
    let (left, right) = (labelled(left, 0.0), labelled(right, 1.0));
    let mut correct = 0;
    for fold in 0..FOLDS {
        let split = |rows: &[(Vec<f64>, f64)], of_fold: bool| {
            let chosen = rows.iter().enumerate().filter(|(number, _)| (number % FOLDS == fold) == of_fold);
            chosen.map(|(_, row)| row.clone()).collect::<Vec<_>>()
        };
        let learner = Learner::learn(&[split(&left, false), split(&right, false)].concat());
        let asked = [split(&left, true), split(&right, true)].concat();
        correct += asked.iter().filter(|(row, side)| (learner.guess(row) > 0.5) == (*side > 0.5)).count();
    }
    correct as f64 / (left.len() + right.len()) as f64
}

struct Learner {
    means: Vec<f64>,
    spreads: Vec<f64>,
    /// The last one stands for itself.
    weights: Vec<f64>,
}

impl Learner {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
    fn learn(rows: &[(Vec<f64>, f64)]) -> Self {
        let (width, count) = (rows[0].0.len(), rows.len() as f64);
        let column = |at: usize| rows.iter().map(move |(row, _)| row[at]);
        let means: Vec<f64> = (0..width).map(|at| column(at).sum::<f64>() / count).collect();
        let spread = |at: usize| (column(at).map(|value| (value - means[at]).powi(2)).sum::<f64>() / count).sqrt();
        let spreads = (0..width).map(|at| spread(at).max(1e-9)).collect();
        let mut learner = Self { means, spreads, weights: vec![0.0; width + 1] };
        for _ in 0..STEPS {
            let mut slope = vec![0.0; width + 1];
            for (row, side) in rows {
                let error = learner.guess(row) - side;
                slope.iter_mut().zip(learner.scaled(row)).for_each(|(slope, value)| *slope += error * value / count);
            }
            learner
                .weights
                .iter_mut()
                .zip(slope)
                .for_each(|(weight, slope)| *weight -= RATE * (slope + DECAY * *weight));
        }
        learner
    }

    fn guess(&self, row: &[f64]) -> f64 {
        let sum: f64 = self.weights.iter().zip(self.scaled(row)).map(|(weight, value)| weight * value).sum();
        1.0 / (1.0 + (-sum).exp())
    }

    fn scaled<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let values = row.iter().zip(&self.means).zip(&self.spreads);
        values.map(|((value, mean), spread)| (value - mean) / spread).chain([1.0])
    }
}

#[test]
fn a_small_difference_is_learnt_and_none_is_not_made_up() {
    // A feature that differs by less than its spread, among nine that are noise.
    let row = |seed: u64, shift: f64| -> Vec<f64> {
        let noise = rohrpost_tests::content(40, seed);
        noise
            .chunks(4)
            .enumerate()
            .map(|(at, bytes)| {
                let value = bytes.iter().map(|byte| f64::from(*byte) / 256.0).sum::<f64>() - 2.0;
                if at == 4 { value + shift } else { value }
            })
            .collect()
    };
    let rows = |from: u64, shift: f64| (from..from + 400).map(|seed| row(seed * 7 + 1, shift)).collect::<Vec<_>>();
    let told = accuracy(&rows(1, 0.0), &rows(10_000, 0.5));
    assert!(told > 0.6, "a difference is learnt: {told}");
    let guessed = accuracy(&rows(1, 0.0), &rows(10_000, 0.0));
    assert!(guessed < 0.5 + 4.0 * 0.5 / 800_f64.sqrt(), "no difference is made up: {guessed}");
}
