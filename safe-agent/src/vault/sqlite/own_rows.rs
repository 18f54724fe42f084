//! The store's own rows, in table 0: which key is the right one, and how many commits there were.

use rusqlite::Connection;

use super::read;
use crate::vault::sealing::{Place, RowSealer};
use crate::vault::store::StoreError;

/// Holds a key against the row that only the right one opens.
pub(super) fn verify_check(connection: &Connection, sealer: &RowSealer) -> Result<(), StoreError> {
    match read(connection, sealer, Place::CHECK) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(StoreError::Damaged),
        Err(StoreError::Damaged) => Err(StoreError::WrongKey),
        Err(error) => Err(error),
    }
}

/// The commits that a database counts; nothing where that row is damaged.
pub(super) fn counted(connection: &Connection, sealer: &RowSealer) -> Result<Option<u64>, StoreError> {
    match read(connection, sealer, Place::COMMITS) {
        // An older release counted none.
        Ok(None) => Ok(Some(0)),
        Ok(Some(row)) => Ok(row.as_bytes().try_into().ok().map(u64::from_be_bytes)),
        Err(StoreError::Damaged) => Ok(None),
        Err(error) => Err(error),
    }
}
