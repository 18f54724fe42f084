//! What a vault is found to be when it is opened.
//!
//! The invariant: a vault that may have lost something, or may hide something, says so at its opening. What hides a row
//! opens nothing, since without a row there is no right; but a document must not vanish in silence either.

use super::witness::Standing;

/// What was found at opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether all that was confirmed is there.
    pub standing: Standing,
    /// Whether all that is there is found.
    pub structure: Structure,
}

/// Whether the database names every row that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// It does.
    Sound,
    /// A page of it is not as it was written, or cannot be read: rows may be missing from every list.
    Damaged,
}
