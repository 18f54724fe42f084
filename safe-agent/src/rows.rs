//! What the safe remembers, as types: one struct per kind of row, its table and its key.
//!
//! A row is its version byte and a canonical postcard encoding; sealing and disk are the store's. Rows hold plaintext
//! and secrets, so none of them prints more than its id.

mod access;
mod identity;
mod people;
mod requests;

use rohrpost_wire::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use access::{Attempt, DeviceRow, GrantRow, LinkRow, Rights};
pub use identity::{AuditHead, EpochKeys, IdentityRow, LoginCounter, PracticeRow, PrekeyRow};
pub use people::{DocumentRow, PatientId, PatientRow};
pub use requests::{OutcomeRow, SeenRow, SequenceRow};

use crate::vault::{Draft, Row, StoreError, Table};

/// The version of all row encodings; the first byte of a row.
const ROW_VERSION: u8 = 1;

/// A kind of row.
pub trait Stored: Serialize + DeserializeOwned {
    /// Where it is kept.
    const TABLE: Table;

    /// Under which key.
    fn key(&self) -> Vec<u8>;
}

/// Reads a row.
pub fn load<T: Stored>(draft: &Draft<'_>, key: &[u8]) -> Result<Option<T>, StoreError> {
    draft.get(T::TABLE, key)?.as_ref().map(decode).transpose()
}

/// Writes a row, over an older one with its key.
pub fn save<T: Stored>(draft: &mut Draft<'_>, row: &T) -> Result<(), StoreError> {
    let mut bytes = codec::encode_secret_behind(&[ROW_VERSION], row);
    draft.put(T::TABLE, &row.key(), Row::new(std::mem::take(&mut *bytes)))
}

/// Reads the rows whose keys start with `prefix`, ascending, after `after`, at most `limit`.
pub fn list<T: Stored>(
    draft: &Draft<'_>,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<T>, StoreError> {
    draft.scan(T::TABLE, prefix, after, limit)?.iter().map(|(_, row)| decode(row)).collect()
}

/// Rows of which some may be damaged.
#[derive(Debug)]
pub struct Page<T> {
    /// Those that could be read.
    pub rows: Vec<T>,
    /// How many could not.
    pub damaged: u64,
    /// The key of the last one, read or not; none after the end.
    pub last: Option<Vec<u8>>,
    /// Whether there were as many as were wanted.
    pub full: bool,
}

/// As [`list`], past the rows that are damaged: one of them must not hide the others.
pub fn page<T: Stored>(
    draft: &Draft<'_>,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<T>, StoreError> {
    let keys = draft.keys(T::TABLE, prefix, after, limit)?;
    let mut page = Page { rows: Vec::new(), damaged: 0, last: None, full: keys.len() == limit };
    for key in &keys {
        match load(draft, key) {
            Ok(row) => page.rows.extend(row),
            Err(StoreError::Damaged) => page.damaged += 1,
            Err(error) => return Err(error),
        }
    }
    page.last = keys.into_iter().next_back();
    Ok(page)
}

fn decode<T: Stored>(row: &Row) -> Result<T, StoreError> {
    match row.as_bytes().split_first() {
        Some((&ROW_VERSION, body)) => codec::decode(body).map_err(|_| StoreError::Damaged),
        Some((version, _)) if *version > ROW_VERSION => Err(StoreError::Newer),
        _ => Err(StoreError::Damaged),
    }
}
