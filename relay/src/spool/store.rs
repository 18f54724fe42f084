//! The spool on disk: one SQLite database, written by one thread.
//!
//! The format is written down in `docs/storage-format-relay.md`. Invariant: what [`Store::commit`] has returned for
//! survives the loss of the process and of power (WAL with `synchronous=FULL`, read back at every start).

use std::path::Path;

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{EnvelopeId, InboxId, MailboxId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::row::{self, Stored};
use crate::mailbox::{Effect, Mailbox, Mailboxes, Slot, Waiting};
use crate::quota::Limits;

/// The storage version this code writes, in the database's `user_version`.
pub(crate) const STORAGE_VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE envelope (
        slot INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        header BLOB NOT NULL,
        expires INTEGER NOT NULL,
        sum BLOB NOT NULL,
        quarantined INTEGER NOT NULL DEFAULT 0,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE mailbox (
        id BLOB PRIMARY KEY,
        owner BLOB NOT NULL,
        expires INTEGER NOT NULL,
        taken_envelopes INTEGER NOT NULL,
        taken_bytes INTEGER NOT NULL,
        sum BLOB NOT NULL
    ) STRICT;
    CREATE TABLE records (
        inbox BLOB PRIMARY KEY,
        published INTEGER NOT NULL,
        sum BLOB NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE meta (high_water INTEGER NOT NULL) STRICT;
    INSERT INTO meta VALUES (0);
";

/// What a damaged row does to a reader: it is passed over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// The row, as it was stored.
    Whole(T),
    /// A row that is not what was stored.
    Damaged,
    /// No row.
    Nothing,
}

/// The indexes over everything stored, and how many rows were not what had been stored.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) mailboxes: Mailboxes,
    pub(crate) directory: Directory,
    pub(crate) damaged: u64,
}

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Connection,
}

impl Store {
    /// Opens the database, laying it out if it is new.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let database = Connection::open(path)?;
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > STORAGE_VERSION {
            return Err(OpenError::Newer);
        }
        make_durable(&database)?;
        if version == 0 {
            let layout = format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {STORAGE_VERSION}; COMMIT;");
            database.execute_batch(&layout)?;
        }
        Ok(Self { database })
    }

    /// Builds the indexes from the rows. A damaged row is counted and set aside, and never blocks the next.
    pub(crate) fn restore(&self, limits: &Limits) -> Result<Restored, StoreError> {
        let high_water: i64 = self.database.query_row("SELECT high_water FROM meta", [], |row| row.get(0))?;
        let last: Option<i64> = self.database.query_row("SELECT max(slot) FROM envelope", [], |row| row.get(0))?;
        let next = Slot(last.map_or(0, |last| last.cast_unsigned().saturating_add(1)));
        let mut mailboxes = Mailboxes::new(limits, Timestamp(high_water.cast_unsigned()), next);
        let mut directory = Directory::new(limits.record_sets);
        let damaged = self.restore_mailboxes(&mut mailboxes)?
            + self.restore_envelopes(&mut mailboxes)?
            + self.restore_directory(&mut directory)?;
        Ok(Restored { mailboxes, directory, damaged })
    }

    fn restore_envelopes(&self, index: &mut Mailboxes) -> Result<u64, StoreError> {
        let mut damaged = Vec::new();
        let mut select = self.database.prepare(
            "SELECT slot, id, header, expires, sum, length(bytes) FROM envelope WHERE quarantined = 0 ORDER BY slot",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            match envelope_row(row) {
                Some(waiting) => index.restore_envelope(waiting),
                None => damaged.push(row.get::<_, i64>(0)?),
            }
        }
        for slot in &damaged {
            self.quarantine(Slot(slot.cast_unsigned()))?;
        }
        Ok(damaged.len() as u64)
    }

    fn restore_mailboxes(&self, index: &mut Mailboxes) -> Result<u64, StoreError> {
        let mut damaged = 0;
        let columns = "SELECT id, owner, expires, taken_envelopes, taken_bytes, sum FROM mailbox";
        let mut select = self.database.prepare(columns)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            match mailbox_row(row) {
                Some(mailbox) => index.restore_mailbox(mailbox),
                None => damaged += 1,
            }
        }
        Ok(damaged)
    }

    fn restore_directory(&self, directory: &mut Directory) -> Result<u64, StoreError> {
        let mut damaged = 0;
        let mut select = self.database.prepare("SELECT inbox, published FROM records")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            match (fixed(row, 0), row.get::<_, i64>(1)) {
                (Some(inbox), Ok(published)) => {
                    directory.restore(InboxId(inbox), Timestamp(published.cast_unsigned()));
                }
                _ => damaged += 1,
            }
        }
        Ok(damaged)
    }

    /// Begins a transaction.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        Ok(self.database.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Ends it; when this returns, everything in it is durable.
    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        Ok(self.database.execute_batch("COMMIT")?)
    }

    /// Takes a transaction back, if SQLite has not done so itself.
    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        if self.database.is_autocommit() { Ok(()) } else { Ok(self.database.execute_batch("ROLLBACK")?) }
    }

    /// Executes one effect; `content` is the header column and the bytes of the envelope at hand.
    pub(crate) fn execute(&self, effect: &Effect, content: Option<(&[u8], &[u8])>) -> Result<(), StoreError> {
        match effect {
            Effect::Store(waiting) => {
                let (header, bytes) = content.unwrap_or_default();
                self.insert(waiting, header, bytes)
            }
            Effect::KeepMailbox(mailbox) => self.keep(mailbox),
            Effect::Erase(slot) => self.run("DELETE FROM envelope WHERE slot = ?1", &slot.0.cast_signed()),
            Effect::CloseMailbox(id) => self.run("DELETE FROM mailbox WHERE id = ?1", &id.0.0),
        }
    }

    fn insert(&self, waiting: &Waiting, header: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let statement = "INSERT INTO envelope (slot, id, header, expires, sum, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (slot, expires) = (waiting.slot.0.cast_signed(), waiting.expires.0.cast_signed());
        let sum = row::envelope_sum(waiting, header);
        self.database.prepare_cached(statement)?.execute(params![slot, waiting.id.0.0, header, expires, sum, bytes])?;
        Ok(())
    }

    fn keep(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO mailbox VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.database.prepare_cached(statement)?.execute(params![
            mailbox.id.0.0,
            mailbox.owner.0.0,
            mailbox.expires.0.cast_signed(),
            mailbox.taken_envelopes.cast_signed(),
            mailbox.taken_bytes.cast_signed(),
            row::mailbox_sum(mailbox)
        ])?;
        Ok(())
    }

    /// Reads an envelope and checks it against the id it was queued under.
    pub(crate) fn read(&self, waiting: &Waiting) -> Result<Found<Stored>, StoreError> {
        let mut select = self.database.prepare_cached("SELECT header, bytes FROM envelope WHERE slot = ?1")?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = select.query_row([waiting.slot.0.cast_signed()], columns).optional();
        tolerate(found, |(header, bytes)| row::check(waiting.id, &header, bytes))
    }

    /// Sets an envelope aside: it stays on disk for the operator, and is never delivered.
    pub(crate) fn quarantine(&self, slot: Slot) -> Result<(), StoreError> {
        self.run("UPDATE envelope SET quarantined = 1 WHERE slot = ?1", &slot.0.cast_signed())
    }

    /// Stores a record set in place of the one before.
    pub(crate) fn publish(&self, inbox: InboxId, now: Timestamp, bytes: &[u8]) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3, ?4)";
        let sum = row::records_sum(inbox, now.0, bytes);
        self.database.prepare_cached(statement)?.execute(params![inbox.0.0, now.0.cast_signed(), sum, bytes])?;
        Ok(())
    }

    /// Reads a record set.
    pub(crate) fn records(&self, inbox: InboxId) -> Result<Found<Vec<u8>>, StoreError> {
        let mut select = self.database.prepare_cached("SELECT published, sum, bytes FROM records WHERE inbox = ?1")?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, row::Sum>(1)?, row.get(2)?));
        let found = select.query_row([inbox.0.0], columns).optional();
        tolerate(found, |(published, sum, bytes): (i64, row::Sum, Vec<u8>)| {
            (row::records_sum(inbox, published.cast_unsigned(), &bytes) == sum).then_some(bytes)
        })
    }

    /// Deletes a record set.
    pub(crate) fn withdraw(&self, inbox: InboxId) -> Result<(), StoreError> {
        self.run("DELETE FROM records WHERE inbox = ?1", &inbox.0.0)
    }

    /// Writes down how far time has come.
    pub(crate) fn keep_high_water(&self, high_water: Timestamp) -> Result<(), StoreError> {
        self.run("UPDATE meta SET high_water = ?1", &high_water.0.cast_signed())
    }

    fn run(&self, statement: &str, parameter: &dyn rusqlite::ToSql) -> Result<(), StoreError> {
        self.database.prepare_cached(statement)?.execute([parameter])?;
        Ok(())
    }

    /// The connection, for tests that break something.
    #[cfg(test)]
    pub(crate) fn database(&self) -> &Connection {
        &self.database
    }
}

/// Sets what durability needs and reads it back: a build or a file system that ignores it must not go unnoticed.
fn make_durable(database: &Connection) -> Result<(), OpenError> {
    let journal: String = database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    database.pragma_update(None, "synchronous", "FULL")?;
    let synchronous: i64 = database.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    // Erased envelopes are overwritten where that costs no extra write; the log is cut back after a burst.
    database.execute_batch("PRAGMA secure_delete = FAST; PRAGMA journal_size_limit = 67108864;")?;
    if journal.eq_ignore_ascii_case("wal") && synchronous == 2 { Ok(()) } else { Err(OpenError::NotDurable) }
}

/// A page or a type that SQLite itself finds damaged is a damaged row, no more.
fn tolerate<R, T>(
    found: rusqlite::Result<Option<R>>,
    check: impl FnOnce(R) -> Option<T>,
) -> Result<Found<T>, StoreError> {
    match found {
        Ok(None) => Ok(Found::Nothing),
        Ok(Some(row)) => Ok(check(row).map_or(Found::Damaged, Found::Whole)),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => Ok(Found::Damaged),
        Err(rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..)) => {
            Ok(Found::Damaged)
        }
        Err(error) => Err(error.into()),
    }
}

fn envelope_row(row: &Row<'_>) -> Option<Waiting> {
    let header: Vec<u8> = row.get(2).ok()?;
    let waiting = Waiting {
        slot: Slot(number(row, 0)?),
        id: EnvelopeId(fixed(row, 1)?),
        to: row::destination(&header)?,
        bytes: number(row, 5)?,
        expires: Timestamp(number(row, 3)?),
    };
    (row::envelope_sum(&waiting, &header) == fixed::<32>(row, 4)?.0).then_some(waiting)
}

fn mailbox_row(row: &Row<'_>) -> Option<Mailbox> {
    let mailbox = Mailbox {
        id: MailboxId(fixed(row, 0)?),
        owner: InboxId(fixed(row, 1)?),
        expires: Timestamp(number(row, 2)?),
        taken_envelopes: number(row, 3)?,
        taken_bytes: number(row, 4)?,
    };
    (row::mailbox_sum(&mailbox) == fixed::<32>(row, 5)?.0).then_some(mailbox)
}

fn number(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, i64>(column).ok().map(i64::cast_unsigned)
}

fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> Option<Fixed<N>> {
    row.get::<_, [u8; N]>(column).ok().map(Fixed)
}
