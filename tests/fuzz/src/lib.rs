//! Hostile bytes for every decoder and every state that strangers move: one function per target, which panics when a
//! promise does not hold.
//!
//! [`TARGETS`] is the one table. From it come the seeded twins and the replay of the corpora (`tests/twins.rs`, in every
//! run of the tests), and the libFuzzer program (`libfuzzer/`, on demand): a target that is added has all three.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a promise that does not hold is told by a panic, as in a test"
)]

pub mod corpus;
pub mod dice;
mod edits;
pub mod hostile;
mod input;
mod memory;
mod mutation;
mod scratch;
pub mod target;
mod targets;
pub mod twin;

pub use input::Input;
pub use target::{Target, Verdict};
pub use targets::{KINDS, TARGETS};
