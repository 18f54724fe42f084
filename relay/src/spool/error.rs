//! Why a spool cannot be opened, and why it stops.

/// Why the database of a spool was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer relay.
    #[error("database of a newer storage version")]
    Newer,
    /// SQLite does not recognise it, or finds its pages inconsistent.
    #[error("damaged database")]
    Damaged(#[source] rusqlite::Error),
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

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Self::Damaged(error),
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Unreadable(error),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Failed(error) => Self::from(error),
        }
    }
}

/// Why something was not read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The disk is full; nothing of the transaction was kept.
    #[error("disk full")]
    Full,
    /// Anything else: what is on disk is not known any more, and the spool stops.
    #[error("storage failed")]
    Failed(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(error),
        }
    }
}
