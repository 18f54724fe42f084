//! The rows of the bench, one file each.

pub(crate) mod bulk;
pub(crate) mod memory;
pub(crate) mod requests;
pub(crate) mod sealed;
