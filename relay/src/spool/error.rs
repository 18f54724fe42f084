//! Why a spool cannot be opened, and why it stops.

use rusqlite::{ErrorCode, ffi};

use super::table::Table;
use crate::mailbox::Slot;

/// Why the database of a spool was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer relay.
    #[error("database of a newer storage version")]
    Newer,
    /// It was written by a relay from before the first release.
    #[error("database of an older storage version")]
    Older,
    /// SQLite does not recognise it, or finds its pages inconsistent.
    #[error("damaged database")]
    Damaged(#[source] rusqlite::Error),
    /// Rows in it are damaged and cannot be set aside.
    #[error("damaged rows")]
    DamagedRows,
    /// The disk is full.
    #[error("disk full")]
    Full,
    /// The file system does not keep what a durable log needs.
    #[error("durable writes are not available here")]
    NotDurable,
    /// Anything else the operating system said.
    #[error("database not readable")]
    Unreadable(#[source] rusqlite::Error),
}

/// Why a running spool has stopped for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk took something back, or did not answer.
    Disk,
    /// The database is damaged beyond the rows that can be set aside.
    Damaged,
}

/// Why something was not read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The disk is full; nothing of the transaction was kept.
    #[error("disk full")]
    Full,
    /// SQLite finds one row damaged, and lets nothing be written any more before the transaction is taken back.
    #[error("damaged row")]
    DamagedRow(Table, Slot),
    /// SQLite finds the database damaged.
    #[error("damaged database")]
    Damaged(#[source] rusqlite::Error),
    /// A write failed, for want of room or for worse.
    #[error("write failed")]
    Unwritten(#[source] rusqlite::Error),
    /// Another process has held the database for too long; nothing has begun.
    #[error("database busy")]
    Busy(#[source] rusqlite::Error),
    /// Anything else: what is on disk is not known any more, and the spool stops.
    #[error("storage failed")]
    Failed(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(StoreError::from(error))
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::DamagedRow(..) => Self::DamagedRows,
            StoreError::Damaged(error) => Self::Damaged(error),
            StoreError::Unwritten(error) | StoreError::Busy(error) | StoreError::Failed(error) => {
                Self::Unreadable(error)
            }
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy) => Self::Busy(error),
            Some(ErrorCode::SystemIoFailure) => Self::of_io(error),
            _ => Self::Failed(error),
        }
    }
}

impl StoreError {
    fn of_io(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|error| error.extended_code) {
            // The index of the log could not be made larger: nothing of the transaction has been written.
            Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::Full,
            Some(ffi::SQLITE_IOERR_WRITE) => Self::Unwritten(error),
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn only_what_leaves_the_disk_known_is_survived() {
        assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Full));
        assert!(matches!(of(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full));
        assert!(matches!(of(ffi::SQLITE_IOERR_WRITE), StoreError::Unwritten(_)));
        assert!(matches!(of(ffi::SQLITE_BUSY), StoreError::Busy(_)));
        assert!(matches!(of(ffi::SQLITE_CORRUPT), StoreError::Damaged(_)));
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_READ, ffi::SQLITE_READONLY] {
            assert!(matches!(of(code), StoreError::Failed(_)));
        }
    }
}
