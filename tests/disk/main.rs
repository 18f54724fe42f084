//! Kills, power cuts and bad disks against the stores of relay and safe.
//!
//! What was acknowledged is written down by whoever heard it; then the store is crashed, or its files are damaged, and
//! what comes back is held against what was heard. A part that needs root or a tool says `SKIP` where it is absent.
//! `ROHRPOST_LONG` makes a run long, `ROHRPOST_SEED` repeats one.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails as the test does"
)]

mod clock;
mod damage;
mod plan;
mod program;
mod site;
mod spool;
mod syncs;
mod vault;
mod volume;
