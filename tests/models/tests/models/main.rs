//! Every promise over every state, and for every promise a fault that breaks it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests fails as a test does")]

mod buckets;
mod outcomes;
mod pin;
mod report;
mod roots;
mod spool;
