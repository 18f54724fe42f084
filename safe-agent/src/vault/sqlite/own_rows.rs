//! The store's own rows, in table 0: which key is the right one, how many commits there were, and the tally of all rows.

use rusqlite::Connection;

use super::fingerprint::Tally;
use super::reading::read;
use crate::vault::sealing::{Place, RowSealer};
use crate::vault::store::{Row, StoreError};

/// What a database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Its commits; none where that row is damaged, 0 where there is no such row.
    pub(super) commits: Option<u64>,
    /// Its rows, this one left out; none where nobody has counted them.
    pub(super) tally: Option<Tally>,
}

/// Holds a key against the row that only the right one opens.
pub(super) fn verify_check(connection: &Connection, sealer: &RowSealer) -> Result<(), StoreError> {
    match read(connection, sealer, Place::CHECK) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(StoreError::Damaged),
        Err(StoreError::Damaged) => Err(StoreError::WrongKey),
        Err(error) => Err(error),
    }
}

/// The row that goes with a commit.
pub(super) fn count(commits: u64, tally: Tally) -> Row {
    Row::new([commits.to_be_bytes().as_slice(), &tally.encode()].concat())
}

/// What a database counts.
pub(super) fn counted(connection: &Connection, sealer: &RowSealer) -> Result<Counted, StoreError> {
    match read(connection, sealer, Place::COMMITS) {
        // An older release counted nothing.
        Ok(None) => Ok(Counted { commits: Some(0), tally: None }),
        Ok(Some(row)) => Ok(decode(row.as_bytes())),
        Err(StoreError::Damaged) => Ok(Counted { commits: None, tally: None }),
        Err(error) => Err(error),
    }
}

/// An older release counted commits alone.
fn decode(bytes: &[u8]) -> Counted {
    let (commits, tally) = bytes.split_first_chunk().map_or((None, bytes), |(commits, tally)| (Some(*commits), tally));
    Counted { commits: commits.map(u64::from_be_bytes), tally: Tally::decode(tally) }
}
