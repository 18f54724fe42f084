//! Rows by table and key: what request handling reads and writes, whatever lies below.
//!
//! Two implementations exist, [`MemoryStore`](super::MemoryStore) and [`SqliteStore`](super::SqliteStore), and one
//! behaviour test holds both. A write is visible to the next read once applied and survives a crash once flushed;
//! nothing is answered in between. Keys lie open on disk, so a key is a random id, a keyed hash or a number, never a
//! word a person wrote; rows are sealed.

use std::fmt;

use zeroize::Zeroizing;

use super::draft::WriteSet;

/// Rows by table and key, with writes that become durable together.
pub trait Store {
    /// Reads one row.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError>;

    /// Reads the rows whose keys start with `prefix`, ascending, strictly after `after`, at most `limit`.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError>;

    /// The keys that [`Store::scan`] would answer with, whether their rows can be opened or not.
    fn keys(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.scan(table, prefix, after, limit)?.into_iter().map(|(key, _)| key).collect())
    }

    /// Makes writes visible to the next read; durable only at the next flush. On an error everything since the last
    /// flush is undone, these writes and those before them.
    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError>;

    /// Makes everything applied since the last flush durable. On an error none of it is.
    fn flush(&mut self) -> Result<(), StoreError>;

    /// Leaves nothing in the store's files of rows that were deleted and flushed. An error changes nothing else.
    fn compact(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Which kind of row; its number stands on disk and in what a row's seal covers, so a number is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Table {
    /// The safe's own keys, name and counters.
    Settings = 1,
    /// Patients.
    Patients = 2,
    /// Documents: title, owner, content key.
    Documents = 3,
    /// Who may do what.
    Grants = 4,
    /// Invitations to enrol and their counted attempts.
    Links = 5,
    /// Enrolled devices.
    Devices = 6,
    /// Requests already handled, by envelope.
    Seen = 7,
    /// Answers to changes, by device and request id.
    Outcomes = 8,
    /// The audit log's leaves.
    Audit = 9,
    /// Secrets of the sealing keys on offer.
    Prekeys = 10,
    /// The sequence window of each device.
    Sequences = 11,
}

impl Table {
    /// Every table, ascending by number.
    pub const ALL: [Self; 11] = [
        Self::Settings,
        Self::Patients,
        Self::Documents,
        Self::Grants,
        Self::Links,
        Self::Devices,
        Self::Seen,
        Self::Outcomes,
        Self::Audit,
        Self::Prekeys,
        Self::Sequences,
    ];

    /// The number on disk.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The plaintext of one row: erased on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Row(Zeroizing<Vec<u8>>);

impl Row {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The plaintext.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} bytes)", self.0.len())
    }
}

/// Why the store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A commit failed in a way that leaves open what is on disk; only a restart, which reads the disk anew, helps.
    #[error("the store stopped after a failed write and takes nothing until the safe is started again")]
    Poisoned,
    /// No room for the writes; they were undone and the store goes on.
    #[error("the disk is full, and the change was undone")]
    DiskFull,
    /// A row, or the file around it, is not what was written.
    #[error("stored data was altered or damaged")]
    Damaged,
    /// The file belongs to another program.
    #[error("the file is not a rohrpost vault")]
    Foreign,
    /// The file was written by a newer release.
    #[error("the vault was written by a newer release")]
    Newer,
    /// The rows were sealed under another vault key.
    #[error("the vault key does not belong to this vault")]
    WrongKey,
    /// The last commits that were confirmed are missing, so many: the log was damaged, or files were exchanged.
    #[error("the newest of what this safe had confirmed is missing ({0} writes)")]
    SetBack(u64),
    /// Every row is as it was written once, and they are not those that were committed last: some are older, or missing.
    #[error("the rows are not those that this safe had confirmed last: some are older, or missing")]
    Altered,
    /// Another program has the file open.
    #[error("the vault is open in another program")]
    Busy,
    /// The file cannot be read or written; the number is `SQLite`'s extended result code.
    #[error("the vault cannot be read or written, sqlite code {0}")]
    Unavailable(i32),
    /// A row above [`MAX_ROW_BYTES`].
    #[error("the row is too large")]
    RowTooLarge,
    /// A key above [`MAX_KEY_BYTES`].
    #[error("the key is too long")]
    KeyTooLong,
    /// More writes in one draft than [`MAX_WRITES`](super::MAX_WRITES).
    #[error("too many writes at once")]
    TooManyWrites,
    /// The job panicked; its writes were dropped.
    #[error("the job failed inside and left no trace")]
    JobPanicked,
    /// The keeper has been shut down.
    #[error("the vault is closed")]
    Closed,
}

/// The longest key: five 32-byte ids in a row, more than any table joins.
pub const MAX_KEY_BYTES: usize = 160;

/// The largest row: the top padding class less its length field. Larger things are content.
pub const MAX_ROW_BYTES: usize = (1 << 20) - 4;

/// Refuses a write that no store could keep.
pub(super) fn check_write(key: &[u8], row: Option<&Row>) -> Result<(), StoreError> {
    if key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyTooLong);
    }
    match row {
        Some(row) if row.as_bytes().len() > MAX_ROW_BYTES => Err(StoreError::RowTooLarge),
        Some(_) | None => Ok(()),
    }
}

/// The smallest key a scan may answer: the prefix itself, or the key right after `after`.
pub(super) fn scan_start(prefix: &[u8], after: Option<&[u8]>) -> Vec<u8> {
    match after {
        Some(after) if after >= prefix => [after, &[0]].concat(),
        Some(_) | None => prefix.to_vec(),
    }
}
