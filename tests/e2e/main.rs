//! Stories of the whole system.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a story fails as the story does"
)]

mod absence;
mod deposits;
mod enrolment;
mod interruptions;
mod lines;
mod misfortunes;
mod poison;
mod programs;
mod revocation;
mod samples;
mod strangers;
