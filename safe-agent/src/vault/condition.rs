//! What a vault is found to be when it is opened.
//!
//! The invariant: a vault that may have lost something, or may hide something, says so at its opening. Where all of it is
//! whole and some of it old, a right that was taken back may be there again: it is not opened until its owner accepts that.
//! Where something is damaged it is opened with the warning, for the rest is right and patients wait for it.

use serde::{Deserialize, Serialize};

use super::store::StoreError;
use super::witness::Standing;

/// What was found at opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether all that was confirmed is there.
    pub standing: Standing,
    /// Whether all that is there is found.
    pub structure: Structure,
}

/// Whether the database has and names the rows that were committed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Structure {
    /// It does.
    Sound,
    /// Every page and every row is as it was written once, and yet these are not the rows that were committed last: the
    /// disk lost a write, or what a damaged page hid has been tidied away with it.
    Altered,
    /// A page or a row is not as it was written, or cannot be read: rows may be missing from every list.
    Damaged,
}

impl Condition {
    /// Of a vault that was just made.
    #[cfg(test)]
    pub(crate) const NEW: Self = Self { standing: Standing::Whole { unwitnessed: 0 }, structure: Structure::Sound };

    /// Why it is not opened, if its owner has to accept first that something confirmed is lost.
    pub fn lost(self) -> Option<StoreError> {
        match self {
            Self { standing: Standing::SetBack { missing }, .. } => Some(StoreError::SetBack(missing)),
            Self { structure: Structure::Altered, .. } => Some(StoreError::Altered),
            Self { .. } => None,
        }
    }
}
