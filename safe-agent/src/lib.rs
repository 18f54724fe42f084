//! Placeholder.

pub mod vault;
