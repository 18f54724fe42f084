//! The store on disk: one `SQLite` table of sealed rows.
//!
//! Writes gather in one transaction until a flush commits it. A commit that fails leaves open what is on disk, so it
//! poisons the store; a full disk alone is undone cleanly and the store goes on. What the file needs to be durable is
//! set and read back at every open, never assumed. A file that lost what was confirmed, because it is behind its witness or
//! its rows are not those that were committed last, is not opened by mistake; a damaged one is opened and says so.

mod file;
mod fingerprint;
mod own_rows;
mod reading;

use std::fmt;
use std::path::Path;

use rand_core::CryptoRng;
use rusqlite::{Connection, ErrorCode, params};

use super::condition::{Condition, Structure};
use super::draft::WriteSet;
use super::key::VaultKey;
use super::sealing::{Place, RowSealer};
use super::store::{Row, Store, StoreError, Table, check_write};
use super::witness::{Compared, Standing, WitnessFile};
use fingerprint::{Fingerprint, Tally};
use reading::Range;

/// Sealed rows in a database file, with the generator their salts come from.
pub struct SqliteStore<R> {
    connection: Connection,
    sealer: RowSealer,
    rng: R,
    poisoned: bool,
    witness: WitnessFile,
    structure: Structure,
    fingerprint: Fingerprint,
}

impl<R: CryptoRng> SqliteStore<R> {
    /// Makes the database of a new vault; refuses a file that exists.
    pub fn create(path: &Path, key: &VaultKey, rng: R) -> Result<Self, StoreError> {
        let (connection, witness) =
            (file::create(path)?, Compared::with(file::witness_path(path), Some(0)).put_right());
        let (sealer, structure, fingerprint) = (RowSealer::new(key), Structure::Sound, Fingerprint::new(key));
        let mut store = Self { connection, sealer, rng, poisoned: false, witness, structure, fingerprint };
        store.write_check_row()?;
        file::settle_directory(path)?;
        Ok(store)
    }

    /// Opens the database of a vault; refuses a missing file, a foreign one, a newer one, another vault's key, and one
    /// that lost what was confirmed: whose rows it leaves as they are, and whose log too where that is behind its witness.
    pub fn open(path: &Path, key: &VaultKey, rng: R) -> Result<Self, StoreError> {
        let store = Self::open_set_back(path, key, rng)?;
        let Some(lost) = store.condition().lost() else { return Ok(store) };
        file::leave_log(&store.connection)?;
        Err(lost)
    }

    /// The same for whoever knows that something may be lost. From its next commit on it is not set back any more.
    pub fn open_set_back(path: &Path, key: &VaultKey, rng: R) -> Result<Self, StoreError> {
        let (connection, sealer) = (file::open(path)?, RowSealer::new(key));
        own_rows::verify_check(&connection, &sealer)?;
        let counted = own_rows::counted(&connection, &sealer)?;
        let compared = Compared::with(file::witness_path(path), counted.commits);
        // Before its count is written down: a power cut must not take what the witness then says was confirmed.
        if !matches!(compared.standing(), Standing::SetBack { .. }) {
            file::settle_log(&connection)?;
        }
        let structure = file::structure(&connection)?;
        let (witness, fingerprint) = (compared.put_right(), Fingerprint::new(key));
        let mut store = Self { connection, sealer, rng, poisoned: false, witness, structure, fingerprint };
        if !store.holds(counted.tally)? && structure == Structure::Sound {
            store.structure = store.what_differs()?;
        }
        Ok(store)
    }

    /// Adds the rows up, holds them against what was counted, and counts on from that: rows that are not those that were
    /// committed last are told at each opening until that is accepted.
    fn holds(&mut self, counted: Option<Tally>) -> Result<bool, StoreError> {
        let found = file::unless_damaged(reading::tally(&self.connection, &self.fingerprint))?;
        self.fingerprint.resume(counted.or(found).unwrap_or_default());
        Ok(found == Some(self.fingerprint.committed()))
    }

    /// What is wrong with rows that do not add up. One that does not open gives nobody a right; where all of them do, one
    /// that is older may.
    fn what_differs(&self) -> Result<Structure, StoreError> {
        Ok(file::unless_damaged(reading::every_row(&self.connection, &self.sealer))?
            .map_or(Structure::Damaged, |_| Structure::Altered))
    }

    /// Takes the rows that are there for those that should be.
    pub fn accept_rows(&mut self) -> Result<(), StoreError> {
        let found = reading::tally(&self.connection, &self.fingerprint)?;
        self.fingerprint.resume(found);
        Ok(())
    }

    /// What was found when it was opened.
    pub fn condition(&self) -> Condition {
        Condition { standing: self.standing(), structure: self.structure }
    }

    /// Whether all that was confirmed was there.
    pub fn standing(&self) -> Standing {
        self.witness.standing()
    }

    /// Reads everything once: the file's structure, the tally of its rows and the seal of each. Answers how many there are.
    pub fn verify(&self) -> Result<u64, StoreError> {
        self.usable()?;
        file::check_structure(&self.connection)?;
        let rows = reading::every_row(&self.connection, &self.sealer)?;
        let tally = reading::tally(&self.connection, &self.fingerprint)?;
        if tally == self.fingerprint.written() { Ok(rows) } else { Err(StoreError::Damaged) }
    }

    fn write_check_row(&mut self) -> Result<(), StoreError> {
        self.begin()?;
        self.write(Place::CHECK, Some(&Row::new(Vec::new())))?;
        self.flush()
    }

    fn commit(&mut self, number: u64) -> Result<(), StoreError> {
        let row = own_rows::count(number, self.fingerprint.written());
        let sealed = self.sealer.seal(Place::COMMITS, &row, &mut self.rng)?;
        self.put(Place::COMMITS, Some(&sealed))?;
        self.connection.execute_batch("COMMIT").map_err(kind)
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.poisoned { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    fn begin(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(kind)?;
        }
        Ok(())
    }

    fn write(&mut self, place: Place<'_>, row: Option<&Row>) -> Result<(), StoreError> {
        let sealed = row.map(|row| self.sealer.seal(place, row, &mut self.rng)).transpose()?;
        let (connection, fingerprint) = (&self.connection, &mut self.fingerprint);
        let marked =
            reading::read_sealed(connection, place, |before| fingerprint.replace(place, before, sealed.as_deref()));
        // What cannot be read is written over; that it was not as it should be shows in the sum.
        file::unless_damaged(marked)?;
        self.put(place, sealed.as_deref())
    }

    fn put(&self, place: Place<'_>, sealed: Option<&[u8]>) -> Result<(), StoreError> {
        let (number, key) = (place.number(), place.key());
        let written = match sealed {
            Some(sealed) => self.connection.prepare_cached(WRITE).map_err(kind)?.execute(params![number, key, sealed]),
            None => self.connection.prepare_cached(DELETE).map_err(kind)?.execute(params![number, key]),
        };
        written.map(drop).map_err(kind)
    }

    fn write_all(&mut self, writes: &WriteSet) -> Result<(), StoreError> {
        self.begin()?;
        writes.iter().try_for_each(|(table, key, row)| self.write(Place::new(table, key), row))
    }

    /// After a failed write: undoes the open transaction, and stops the store unless only room was missing.
    fn settle(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        let Err(error) = outcome else { return Ok(()) };
        self.fingerprint.undo();
        // SQLite may have rolled back already on its own; then there is nothing open.
        let undone = self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        self.poisoned = error != StoreError::DiskFull || !undone;
        Err(error)
    }
}

impl<R: CryptoRng> Store for SqliteStore<R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.usable()?;
        reading::read(&self.connection, &self.sealer, Place::new(table, key))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.usable()?;
        reading::scan(&self.connection, &self.sealer, Range { table, prefix, after, limit })
    }

    fn keys(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.usable()?;
        reading::keys(&self.connection, Range { table, prefix, after, limit })
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.usable()?;
        if writes.is_empty() {
            return Ok(());
        }
        writes.iter().try_for_each(|(_, key, row)| check_write(key, row))?;
        let outcome = self.write_all(&writes);
        self.settle(outcome)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        if self.connection.is_autocommit() {
            return Ok(());
        }
        let number = self.witness.next();
        let outcome = self.commit(number);
        self.settle(outcome)?;
        self.fingerprint.confirm();
        self.witness.confirm(number);
        Ok(())
    }

    /// Deleted rows are zeros in the newest pages, because of `secure_delete`; the log holds older pages, and the file
    /// holds them until the log is written back.
    fn compact(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        file::write_back(&self.connection)
    }
}

impl<R> fmt::Debug for SqliteStore<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("poisoned", &self.poisoned).finish_non_exhaustive()
    }
}

const WRITE: &str = "INSERT OR REPLACE INTO rows (tab, key, value) VALUES (?1, ?2, ?3)";
const DELETE: &str = "DELETE FROM rows WHERE tab = ?1 AND key = ?2";

/// What an error of the engine means to us. Its text may quote the file, so only its number is kept.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which hands over the error")]
fn kind(error: rusqlite::Error) -> StoreError {
    let Some(failure) = error.sqlite_error() else { return StoreError::Damaged };
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other code is told by its number")]
    match failure.code {
        ErrorCode::DiskFull => StoreError::DiskFull,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        _ => StoreError::Unavailable(failure.extended_code),
    }
}

#[cfg(test)]
mod tests;
