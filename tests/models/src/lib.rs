//! Small models of the protocol, searched completely.
//!
//! A model's steps are the product's own pure functions, and between any two of them a relay, a power cut or a clock may
//! do what it likes. [`search`] goes through every state there is. Invariant: every model can be given a fault, and the
//! same search must then find a way in which the promise breaks; one that finds nothing wrong with anything is worth
//! nothing. The models of the cryptography are in `verifpal`, see `README.md`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of tests fails as a test does")]
#![expect(clippy::indexing_slicing, reason = "a model's indices are its own, and a wrong one is a fault of the model")]
#![expect(clippy::missing_panics_doc, reason = "every helper panics when a promise does not hold")]

pub mod buckets;
pub mod practice;
pub mod roots;
pub mod safe;
pub mod search;
pub mod shelf;
pub mod spool;
