//! The one place of these tests that reads a clock, to say how long something took.

use std::time::{Duration, Instant};

/// Begins to measure.
#[expect(clippy::disallowed_methods, reason = "the driver of a test measures")]
pub(crate) fn start() -> impl Fn() -> Duration {
    let start = Instant::now();
    move || start.elapsed()
}
