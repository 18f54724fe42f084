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
use super::schema;
use super::table::Table;
use super::witness::{Standing, WitnessFile};
use crate::mailbox::{Effect, Mailbox, Mailboxes, Slot, Waiting};
use crate::quota::Limits;

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

/// What has become of a row that was to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Erased {
    /// It is as it should be.
    Whole,
    /// It was damaged, and stays where it is.
    SetAside,
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
    witness: WitnessFile,
    /// Rows that had changed when the transaction at hand began.
    changed_before: u64,
}

impl Store {
    /// Opens the database, laying it out if it is new.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let database = schema::open(path)?;
        let counted: i64 = database.query_row("SELECT commits FROM meta", [], |row| row.get(0))?;
        let witness = WitnessFile::open(path, counted.cast_unsigned());
        Ok(Self { database, witness, changed_before: 0 })
    }

    /// Whether all that was confirmed was there when it was opened.
    pub(crate) fn standing(&self) -> Standing {
        self.witness.standing()
    }

    /// Builds the indexes from the rows. A damaged row is counted and set aside, and never blocks the next.
    pub(crate) fn restore(&self, limits: &Limits) -> Result<Restored, StoreError> {
        let high_water: i64 = self.database.query_row("SELECT high_water FROM meta", [], |row| row.get(0))?;
        let mut mailboxes = Mailboxes::new(limits, Timestamp(high_water.cast_unsigned()), self.next(Table::Envelope)?);
        let mut directory = Directory::new(limits.record_sets, self.next(Table::Records)?);
        let damaged = self.restore_mailboxes(&mut mailboxes)?
            + self.restore_envelopes(&mut mailboxes)?
            + self.restore_directory(&mut directory)?;
        Ok(Restored { mailboxes, directory, damaged })
    }

    /// The first slot after all that have been used, those of damaged rows included.
    fn next(&self, table: Table) -> Result<Slot, StoreError> {
        let last: Option<i64> = self.database.query_row(table.last(), [], |row| row.get(0))?;
        Ok(Slot(last.map_or(0, |last| last.cast_unsigned().saturating_add(1))))
    }

    fn restore_envelopes(&self, index: &mut Mailboxes) -> Result<u64, StoreError> {
        let mut damaged = Vec::new();
        let mut select = self.database.prepare(
            "SELECT slot, id, header, expires, sum, length(bytes) FROM envelope
             WHERE slot NOT IN (SELECT slot FROM quarantined_envelope) ORDER BY slot",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            match envelope_row(row) {
                Some(waiting) => index.restore_envelope(waiting),
                None => damaged.push(row.get::<_, i64>(0)?),
            }
        }
        for slot in &damaged {
            self.quarantine(Table::Envelope, Slot(slot.cast_unsigned()))?;
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
        let mut damaged = Vec::new();
        let mut select = self.database.prepare(
            "SELECT slot, inbox, published FROM records
             WHERE slot NOT IN (SELECT slot FROM quarantined_records) ORDER BY slot",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let slot = Slot(row.get::<_, i64>(0)?.cast_unsigned());
            match (fixed(row, 1), number(row, 2)) {
                (Some(inbox), Some(published)) => directory.restore(InboxId(inbox), Timestamp(published), slot),
                _ => damaged.push(slot),
            }
        }
        for slot in &damaged {
            self.quarantine(Table::Records, *slot)?;
        }
        Ok(damaged.len() as u64)
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.changed_before = self.database.total_changes();
        Ok(self.database.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Ends it; when this returns, everything in it is durable. One that only read is not counted: it costs no sync.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        if self.database.total_changes() == self.changed_before {
            return Ok(self.database.execute_batch("COMMIT")?);
        }
        let number = self.witness.next();
        self.run("UPDATE meta SET commits = ?1", &number.cast_signed())?;
        self.database.execute_batch("COMMIT")?;
        self.witness.confirm(number);
        Ok(())
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
            Effect::Erase(slot) => self.erase(Table::Envelope, *slot),
            Effect::CloseMailbox(id) => self.run("DELETE FROM mailbox WHERE id = ?1", &id.0.0),
        }
    }

    /// Deletes a row. To delete it SQLite follows it over its pages; where that leads nowhere the row must be set aside.
    pub(crate) fn erase(&self, table: Table, slot: Slot) -> Result<(), StoreError> {
        self.run(table.delete(), &slot.0.cast_signed()).map_err(|error| of_row(error, table, slot))
    }

    /// Deletes an envelope nobody has read, if it is still what was stored: of one that is not, nobody knows whose
    /// pages it leads to.
    pub(crate) fn erase_unread(&self, slot: Slot) -> Result<Erased, StoreError> {
        let mut select = self.database.prepare_cached("SELECT id, header, bytes FROM envelope WHERE slot = ?1")?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?));
        let found = select.query_row([slot.0.cast_signed()], columns).optional();
        let check = |(id, header, bytes): (_, Vec<u8>, _)| row::check(EnvelopeId(Fixed(id)), &header, bytes);
        match tolerate(found, check).map_err(|error| of_row(error, Table::Envelope, slot))? {
            Found::Whole(_) | Found::Nothing => self.erase(Table::Envelope, slot).map(|()| Erased::Whole),
            Found::Damaged => self.quarantine(Table::Envelope, slot).map(|_| Erased::SetAside),
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
        let whole = tolerate(found, |(header, bytes)| row::check(waiting.id, &header, bytes));
        whole.map_err(|error| of_row(error, Table::Envelope, waiting.slot))
    }

    /// Sets a row aside: it stays on disk for the operator, and is never read, delivered or written again. Whether it
    /// was not aside already.
    pub(crate) fn quarantine(&self, table: Table, slot: Slot) -> Result<bool, StoreError> {
        let added = self.database.prepare_cached(table.quarantine())?.execute([slot.0.cast_signed()])?;
        Ok(added == 1)
    }

    /// Stores a record set.
    pub(crate) fn publish(&self, slot: Slot, inbox: InboxId, now: Timestamp, bytes: &[u8]) -> Result<(), StoreError> {
        let statement = "INSERT INTO records (slot, inbox, published, sum, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (slot, published) = (slot.0.cast_signed(), now.0.cast_signed());
        let sum = row::records_sum(inbox, now.0, bytes);
        self.database.prepare_cached(statement)?.execute(params![slot, inbox.0.0, published, sum, bytes])?;
        Ok(())
    }

    /// Reads a record set.
    pub(crate) fn records(&self, inbox: InboxId, slot: Slot) -> Result<Found<Vec<u8>>, StoreError> {
        let mut select = self.database.prepare_cached("SELECT published, sum, bytes FROM records WHERE slot = ?1")?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, row::Sum>(1)?, row.get(2)?));
        let found = select.query_row([slot.0.cast_signed()], columns).optional();
        let whole = tolerate(found, |(published, sum, bytes): (i64, row::Sum, Vec<u8>)| {
            (row::records_sum(inbox, published.cast_unsigned(), &bytes) == sum).then_some(bytes)
        });
        whole.map_err(|error| of_row(error, Table::Records, slot))
    }

    /// Writes down how far time has come.
    pub(crate) fn keep_high_water(&self, high_water: Timestamp) -> Result<(), StoreError> {
        self.run("UPDATE meta SET high_water = ?1", &high_water.0.cast_signed())
    }

    /// Bytes that the database has free within itself.
    pub(crate) fn unused(&self) -> Result<u64, StoreError> {
        let number = |name| self.database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok(number("freelist_count")?.cast_unsigned().saturating_mul(number("page_size")?.cast_unsigned()))
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

/// A type that nobody stored is a damaged row, no more.
fn tolerate<R, T>(
    found: rusqlite::Result<Option<R>>,
    check: impl FnOnce(R) -> Option<T>,
) -> Result<Found<T>, StoreError> {
    match found {
        Ok(None) => Ok(Found::Nothing),
        Ok(Some(row)) => Ok(check(row).map_or(Found::Damaged, Found::Whole)),
        Err(rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..)) => {
            Ok(Found::Damaged)
        }
        Err(error) => Err(error.into()),
    }
}

/// Damage that SQLite met while it followed one row is that row's.
fn of_row(error: StoreError, table: Table, slot: Slot) -> StoreError {
    if matches!(error, StoreError::Damaged(_)) { StoreError::DamagedRow(table, slot) } else { error }
}

fn envelope_row(row: &Row<'_>) -> Option<Waiting> {
    let header: Vec<u8> = row.get(2).ok()?;
    let (to, opens) = row::places(&header)?;
    let waiting = Waiting {
        slot: Slot(number(row, 0)?),
        id: EnvelopeId(fixed(row, 1)?),
        to,
        opens,
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
