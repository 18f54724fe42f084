//! How a row is sealed: ChaCha20-Poly1305 under a key and nonce of its own, bound to its table and key.
//!
//! A sealed row is `version ‖ salt (24) ‖ ciphertext ‖ tag (16)`. Key and nonce come from HKDF-Expand over the table's
//! key and the random salt, so nothing repeats before two of 2^96 salts meet. Inside stands the length and the row,
//! padded to a class. A row that was flipped, cut, or moved to another key or table does not open.

use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::key::{OneSeal, SecretBytes, TAG_BYTES, VaultKey};
use super::store::{Row, StoreError, Table};

/// Seals and opens the rows of one vault.
pub(super) struct RowSealer {
    tables: [SecretBytes; TABLE_KEYS],
}

/// Number 0, the check row, and every table's number.
const TABLE_KEYS: usize = Table::ALL.len() + 1;

impl RowSealer {
    /// Derives every table's key.
    pub(super) fn new(key: &VaultKey) -> Self {
        let mut number = 0;
        Self {
            tables: std::array::from_fn(|_| {
                let table = key.table_key(number);
                number += 1;
                table
            }),
        }
    }

    /// Seals a row for its place.
    pub(super) fn seal(&self, place: Place<'_>, row: &Row, rng: &mut impl CryptoRng) -> Result<Vec<u8>, StoreError> {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let mut body = pad(row.as_bytes(), place.smallest_class())?;
        self.one_seal(place, &salt)?.seal(&place.associated(), &mut body);
        // Nothing of the plaintext is left in `body`: it was sealed in place.
        Ok([&[ROW_VERSION], salt.as_slice(), body.as_slice()].concat())
    }

    /// Opens what was sealed for this place.
    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Row, StoreError> {
        let (&version, rest) = sealed.split_first().ok_or(StoreError::Damaged)?;
        if version != ROW_VERSION {
            return Err(StoreError::Damaged);
        }
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>().ok_or(StoreError::Damaged)?;
        let mut body = Zeroizing::new(rest.to_vec());
        self.one_seal(place, salt)?.open(&place.associated(), &mut body).map_err(|_| StoreError::Damaged)?;
        unpad(&body)
    }

    fn one_seal(&self, place: Place<'_>, salt: &[u8; SALT_BYTES]) -> Result<OneSeal, StoreError> {
        let key = self.tables.get(usize::from(place.number)).ok_or(StoreError::Damaged)?;
        Ok(OneSeal::derive(key, &[b"rohrpost/1 row", salt]))
    }
}

impl fmt::Debug for RowSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowSealer")
    }
}

/// Where a row stands; its seal holds nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Place<'k> {
    number: u8,
    key: &'k [u8],
}

impl<'k> Place<'k> {
    /// The row that tells whether the vault key is the right one.
    pub(super) const CHECK: Self = Self { number: 0, key: b"check" };
    /// The row that counts commits and rows.
    pub(super) const COMMITS: Self = Self { number: 0, key: b"commits" };

    /// Wherever a row stands in the database, of a table that there is or not.
    pub(super) fn at(number: u8, key: &'k [u8]) -> Self {
        Self { number, key }
    }

    /// A row of a table.
    pub(super) fn new(table: Table, key: &'k [u8]) -> Self {
        Self { number: table.number(), key }
    }

    /// The table's number as it stands in the database.
    pub(super) fn number(self) -> u8 {
        self.number
    }

    /// The key as it stands in the database.
    pub(super) fn key(self) -> &'k [u8] {
        self.key
    }

    /// Format version, table, key: the key stands last, so no two places have the same bytes.
    fn associated(self) -> Vec<u8> {
        [&[ROW_VERSION, self.number], self.key].concat()
    }

    /// Rows that hold what people wrote start at 1 KiB, so that no name or title of ordinary length changes the class.
    fn smallest_class(self) -> usize {
        const WRITTEN_BY_PEOPLE: [Table; 5] =
            [Table::Settings, Table::Patients, Table::Documents, Table::Links, Table::Devices];
        if WRITTEN_BY_PEOPLE.iter().any(|table| table.number() == self.number) { 1024 } else { CLASSES[0] }
    }
}

/// Version of the sealed row.
const ROW_VERSION: u8 = 1;
const SALT_BYTES: usize = 24;
const LENGTH_BYTES: usize = 4;

/// The plaintext lengths that exist, length field included.
const CLASSES: [usize; 7] = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

/// Length, row, zeros up to a class. Room for the tag is kept, so sealing never moves plaintext in memory.
fn pad(row: &[u8], smallest: usize) -> Result<Vec<u8>, StoreError> {
    let needed = row.len() + LENGTH_BYTES;
    let class = CLASSES.into_iter().find(|class| *class >= needed.max(smallest)).ok_or(StoreError::RowTooLarge)?;
    let length = u32::try_from(row.len()).map_err(|_| StoreError::RowTooLarge)?;
    let mut body = Vec::with_capacity(class + TAG_BYTES);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(row);
    body.resize(class, 0);
    Ok(body)
}

fn unpad(body: &[u8]) -> Result<Row, StoreError> {
    let (length, rest) = body.split_first_chunk::<LENGTH_BYTES>().ok_or(StoreError::Damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| StoreError::Damaged)?;
    let padding = rest.get(length..).ok_or(StoreError::Damaged)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(StoreError::Damaged);
    }
    let row = rest.get(..length).ok_or(StoreError::Damaged)?.to_vec();
    Ok(Row::new(row))
}

#[cfg(test)]
mod tests;
