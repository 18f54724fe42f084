//! The system as a whole, for tests: a relay, practices and patients in one process ([`World`]), or as the real
//! programs ([`process`]).
//!
//! Helpers fail by panicking, as tests do. Nothing here waits for a length of time: [`until`] waits for a condition.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of tests fails as a test does")]
#![expect(clippy::missing_panics_doc, reason = "every helper panics when the system does not do as it should")]

mod line;
pub mod patient;
pub mod practice;
pub mod process;
pub mod samples;
mod world;

use std::time::Duration;

pub use line::Line;
pub use patient::Patient;
pub use practice::Practice;
pub use world::World;

/// How long a condition may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the condition holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(2));
    let waiting = async {
        while !holds() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for: {what}"));
}

/// Bytes that do not compress and differ at every offset.
pub fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64*, Vigna 2016: enough for test data.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
