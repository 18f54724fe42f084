//! The spool on disk: one SQLite database, written by one thread.
//!
//! The format is written down in `docs/storage-format-relay.md`. Invariant: what [`Store::commit`] has returned for
//! survives the loss of the process and of power (WAL with `synchronous=FULL`, read back at every start).

use std::path::Path;

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{EnvelopeId, InboxId, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::census::{Counting, Reckoning};
use super::error::{OpenError, StoreError};
use super::restore::{self, Restored};
use super::row::{self, Stored};
use super::schema;
use super::table::Table;
use super::witness::{self, Standing, WitnessFile};
use crate::mailbox::{Effect, Mailbox, Slot, Waiting};
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

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Connection,
    witness: WitnessFile,
    counting: Counting,
    /// Whether there are places for the numbers of commits and rows.
    counts: bool,
    /// Rows that had changed when the transaction at hand began.
    changed_before: u64,
}

impl Store {
    /// Opens the database, laying it out if it is new.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        Self::over(schema::open(path)?, path)
    }

    /// Takes over an open database, which may have no places yet for the numbers of commits and rows.
    pub(super) fn over(database: Connection, path: &Path) -> Result<Self, OpenError> {
        let witness = witness::read(path);
        let (counting, counts) = database.query_row("SELECT * FROM meta", [], |row| {
            let place = |name| row.as_ref().column_index(name).ok();
            let (commits, counted) = (place("commits"), place("counted"));
            let number = |place| row.get::<_, i64>(place).map(i64::cast_unsigned);
            let column = counted.map_or(Ok(ValueRef::Null), |place| row.get_ref(place))?;
            let high_water = Timestamp(row.get::<_, i64>("high_water")?.cast_unsigned());
            let counting = Counting::open(column, commits.map_or(Ok(0), number)?, high_water, witness.says());
            Ok((counting, commits.and(counted).is_some()))
        })?;
        let witness = WitnessFile::open(path, witness, counting.commits);
        Ok(Self { database, witness, counting, counts, changed_before: 0 })
    }

    /// Whether all that was confirmed was there when it was opened.
    pub(crate) fn standing(&self) -> Standing {
        self.witness.standing()
    }

    /// Builds the indexes from the rows. A damaged row is counted and set aside, and never blocks the next.
    pub(crate) fn restore(&mut self, limits: &Limits) -> Result<(Restored, Reckoning), StoreError> {
        let restored = restore::restore(&self.database, limits, self.counting.high_water)?;
        let reckoning = self.counting.settle(restored.found);
        Ok((restored, reckoning))
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.changed_before = self.database.total_changes();
        self.counting.begin();
        Ok(self.database.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Ends it; when this returns, everything in it is durable. One that only read is not counted: it costs no sync.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        if self.database.total_changes() == self.changed_before {
            return Ok(self.database.execute_batch("COMMIT")?);
        }
        if !self.counts {
            schema::begin_to_count(&self.database)?;
        }
        let number = self.witness.next();
        let mut update = self.database.prepare_cached("UPDATE meta SET commits = ?1, counted = ?2")?;
        update.execute(params![number.cast_signed(), self.counting.column(number)])?;
        drop(update);
        self.database.execute_batch("COMMIT")?;
        self.witness.confirm(number);
        self.counting.confirm();
        self.counts = true;
        Ok(())
    }

    /// Takes a transaction back, if SQLite has not done so itself.
    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        if self.database.is_autocommit() { Ok(()) } else { Ok(self.database.execute_batch("ROLLBACK")?) }
    }

    /// Executes one effect; `content` is the header column and the bytes of the envelope at hand.
    pub(crate) fn execute(&mut self, effect: &Effect, content: Option<(&[u8], &[u8])>) -> Result<(), StoreError> {
        match effect {
            Effect::Store(waiting) => {
                let (header, bytes) = content.unwrap_or_default();
                self.insert(waiting, header, bytes)
            }
            Effect::KeepMailbox(mailbox) => self.keep(mailbox),
            Effect::Erase(slot) => self.erase(Table::Envelope, *slot),
            Effect::CloseMailbox(id) => {
                self.counting.change.mailboxes -= self.run("DELETE FROM mailbox WHERE id = ?1", &id.0.0)?;
                Ok(())
            }
        }
    }

    /// Deletes a row. To delete it SQLite follows it over its pages; where that leads nowhere the row must be set aside.
    pub(crate) fn erase(&mut self, table: Table, slot: Slot) -> Result<(), StoreError> {
        let erased = self.run(table.delete(), &slot.0.cast_signed()).map_err(|error| of_row(error, table, slot))?;
        *self.counting.change.of(table) -= erased;
        Ok(())
    }

    /// Deletes an envelope nobody has read, if it is still what was stored: of one that is not, nobody knows whose
    /// pages it leads to.
    pub(crate) fn erase_unread(&mut self, slot: Slot) -> Result<Erased, StoreError> {
        let mut select = self.database.prepare_cached("SELECT id, header, bytes FROM envelope WHERE slot = ?1")?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?));
        let found = select.query_row([slot.0.cast_signed()], columns).optional();
        drop(select);
        let check = |(id, header, bytes): (_, Vec<u8>, _)| row::check(EnvelopeId(Fixed(id)), &header, bytes);
        match tolerate(found, check).map_err(|error| of_row(error, Table::Envelope, slot))? {
            Found::Whole(_) => self.erase(Table::Envelope, slot).map(|()| Erased::Whole),
            Found::Damaged | Found::Nothing => self.quarantine(Table::Envelope, slot).map(|_| Erased::SetAside),
        }
    }

    /// Deletes a record set, for the same reason only if it is still what was stored.
    pub(crate) fn erase_records(&mut self, inbox: InboxId, slot: Slot) -> Result<Erased, StoreError> {
        match self.records(inbox, slot)? {
            Found::Whole(_) => self.erase(Table::Records, slot).map(|()| Erased::Whole),
            Found::Damaged | Found::Nothing => self.quarantine(Table::Records, slot).map(|_| Erased::SetAside),
        }
    }

    fn insert(&mut self, waiting: &Waiting, header: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let statement = "INSERT INTO envelope (slot, id, header, expires, sum, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (slot, expires) = (waiting.slot.0.cast_signed(), waiting.expires.0.cast_signed());
        let sum = row::envelope_sum(waiting, header);
        self.database.prepare_cached(statement)?.execute(params![slot, waiting.id.0.0, header, expires, sum, bytes])?;
        self.counting.change.envelopes += 1;
        Ok(())
    }

    fn keep(&mut self, mailbox: &Mailbox) -> Result<(), StoreError> {
        let known = "SELECT count(*) FROM mailbox WHERE id = ?1";
        let known: i64 = self.database.prepare_cached(known)?.query_row([mailbox.id.0.0], |row| row.get(0))?;
        let statement = "INSERT OR REPLACE INTO mailbox VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.database.prepare_cached(statement)?.execute(params![
            mailbox.id.0.0,
            mailbox.owner.0.0,
            mailbox.expires.0.cast_signed(),
            mailbox.taken_envelopes.cast_signed(),
            mailbox.taken_bytes.cast_signed(),
            row::mailbox_sum(mailbox)
        ])?;
        self.counting.change.mailboxes += i64::from(known == 0);
        Ok(())
    }

    /// Reads an envelope and checks it against the id it was queued under.
    pub(crate) fn read(&self, waiting: &Waiting) -> Result<Found<Stored>, StoreError> {
        // Not at the slot but between its neighbours: a damaged row may lie beside it under the same key, and a search
        // ends at either.
        let select = "SELECT header, bytes FROM envelope WHERE slot > ?1 - 1 AND slot < ?1 + 1 AND id = ?2";
        let mut select = self.database.prepare_cached(select)?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = select.query_row(params![waiting.slot.0.cast_signed(), waiting.id.0.0], columns).optional();
        let whole = tolerate(found, |(header, bytes)| row::check(waiting.id, &header, bytes));
        whole.map_err(|error| of_row(error, Table::Envelope, waiting.slot))
    }

    /// Sets a row aside: it stays on disk for the operator, and is never read, delivered or written again. Whether it
    /// was not aside already.
    pub(crate) fn quarantine(&self, table: Table, slot: Slot) -> Result<bool, StoreError> {
        table.set_aside(&self.database, slot)
    }

    /// Stores a record set.
    pub(crate) fn publish(
        &mut self,
        slot: Slot,
        inbox: InboxId,
        now: Timestamp,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let statement = "INSERT INTO records (slot, inbox, published, sum, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (slot, published) = (slot.0.cast_signed(), now.0.cast_signed());
        let sum = row::records_sum(inbox, now.0, bytes);
        self.database.prepare_cached(statement)?.execute(params![slot, inbox.0.0, published, sum, bytes])?;
        self.counting.change.record_sets += 1;
        Ok(())
    }

    /// Reads a record set.
    pub(crate) fn records(&self, inbox: InboxId, slot: Slot) -> Result<Found<Vec<u8>>, StoreError> {
        // Between its neighbours, as an envelope.
        let select = "SELECT published, sum, bytes FROM records WHERE slot > ?1 - 1 AND slot < ?1 + 1 AND inbox = ?2";
        let mut select = self.database.prepare_cached(select)?;
        let columns = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, row::Sum>(1)?, row.get(2)?));
        let found = select.query_row(params![slot.0.cast_signed(), inbox.0.0], columns).optional();
        let whole = tolerate(found, |(published, sum, bytes): (i64, row::Sum, Vec<u8>)| {
            (row::records_sum(inbox, published.cast_unsigned(), &bytes) == sum).then_some(bytes)
        });
        whole.map_err(|error| of_row(error, Table::Records, slot))
    }

    /// Writes down how far time has come.
    pub(crate) fn keep_high_water(&mut self, high_water: Timestamp) -> Result<(), StoreError> {
        self.counting.reached = high_water;
        self.run("UPDATE meta SET high_water = ?1", &high_water.0.cast_signed()).map(drop)
    }

    /// Bytes that the database has free within itself.
    pub(crate) fn unused(&self) -> Result<u64, StoreError> {
        let number = |name| self.database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok(number("freelist_count")?.cast_unsigned().saturating_mul(number("page_size")?.cast_unsigned()))
    }

    /// How many rows it changed.
    fn run(&self, statement: &str, parameter: &dyn rusqlite::ToSql) -> Result<i64, StoreError> {
        let changed = self.database.prepare_cached(statement)?.execute([parameter])?;
        Ok(i64::try_from(changed).unwrap_or(i64::MAX))
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
