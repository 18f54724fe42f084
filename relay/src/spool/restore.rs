//! The indexes, built from the rows of a database.
//!
//! Each table is read once, and what is met is counted. Invariants: a damaged row is set aside and never blocks the next;
//! a row is known by what it is and never by its place among the others, for its key may be what is damaged.

use std::collections::BTreeSet;

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{EnvelopeId, InboxId, MailboxId, Timestamp};
use rusqlite::{Connection, Row};

use super::census::Census;
use super::directory::Directory;
use super::error::StoreError;
use super::row;
use super::table::Table;
use crate::mailbox::{Mailbox, Mailboxes, Slot, Waiting};
use crate::quota::Limits;

/// The indexes over everything stored, and how many rows were not what had been stored.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) mailboxes: Mailboxes,
    pub(crate) directory: Directory,
    pub(crate) damaged: u64,
    /// How many had been set aside before.
    pub(crate) aside: u64,
    /// The rows that were met, and those that had been set aside before.
    pub(super) found: Census,
}

/// Builds the indexes.
pub(super) fn restore(database: &Connection, limits: &Limits, high_water: Timestamp) -> Result<Restored, StoreError> {
    let mut mailboxes = Mailboxes::new(limits, high_water, Slot(0));
    let mut directory = Directory::new(limits.record_sets, Slot(0));
    let in_mailboxes = scan(database, MAILBOXES, mailbox_row, |row| mailboxes.restore_mailbox(row))?;
    let in_envelopes = scan(database, ENVELOPES, envelope_row, |row| mailboxes.restore_envelope(row))?;
    let in_records = scan(database, RECORDS, records_row, |(inbox, published, slot)| {
        directory.restore(inbox, published, slot);
    })?;
    let (envelopes, record_sets) = (aside(database, Table::Envelope)?, aside(database, Table::Records)?);
    let found = Census {
        envelopes: in_envelopes.rows() + envelopes,
        mailboxes: in_mailboxes.rows(),
        record_sets: in_records.rows() + record_sets,
    };
    let damaged = in_mailboxes.damaged + in_envelopes.damaged + in_records.damaged;
    in_envelopes.set_damaged_aside(database, Table::Envelope)?;
    in_records.set_damaged_aside(database, Table::Records)?;
    mailboxes.pass_over(last_aside(database, Table::Envelope)?);
    directory.pass_over(last_aside(database, Table::Records)?);
    let aside = (envelopes + record_sets).cast_unsigned();
    Ok(Restored { mailboxes, directory, damaged: damaged.cast_unsigned(), aside, found })
}

/// How many rows were set aside before.
fn aside(database: &Connection, table: Table) -> Result<i64, StoreError> {
    Ok(database.query_row(table.count_aside(), [], |row| row.get(0))?)
}

/// The last slot whose row is set aside: what was stored under it later would be passed over with it.
fn last_aside(database: &Connection, table: Table) -> Result<Option<Slot>, StoreError> {
    let last: Option<i64> = database.query_row(table.last_aside(), [], |row| row.get(0))?;
    Ok(last.and_then(slot_of))
}

const ENVELOPES: &str = "SELECT slot, id, header, expires, sum, length(bytes) FROM envelope
     WHERE slot NOT IN (SELECT slot FROM quarantined_envelope) ORDER BY slot";
const MAILBOXES: &str =
    "SELECT rowid, id, owner, expires, taken_envelopes, taken_bytes, sum FROM mailbox ORDER BY rowid";
const RECORDS: &str = "SELECT slot, inbox, published FROM records
     WHERE slot NOT IN (SELECT slot FROM quarantined_records) ORDER BY slot";

/// What was met in one table.
#[derive(Debug, Default)]
struct Scan {
    /// By key and what they are named by: a page that is damaged may name one row in the place of another, and what is met
    /// twice is one row.
    whole: BTreeSet<(i64, [u8; NAME_BYTES])>,
    damaged: i64,
    damaged_keys: BTreeSet<i64>,
}

impl Scan {
    fn rows(&self) -> i64 {
        i64::try_from(self.whole.len()).unwrap_or(i64::MAX).saturating_add(self.damaged)
    }

    /// Sets the damaged rows aside, but for those under the key of a whole one, which would be passed over with them.
    fn set_damaged_aside(&self, database: &Connection, table: Table) -> Result<(), StoreError> {
        let shared =
            |key: i64| self.whole.range((key, [0; NAME_BYTES])..=(key, [u8::MAX; NAME_BYTES])).next().is_some();
        for key in self.damaged_keys.iter().filter(|key| !shared(**key)) {
            table.set_aside(database, Slot(key.cast_unsigned()))?;
        }
        Ok(())
    }
}

/// Reads one table, whose key comes first, and then the name.
fn scan<T>(
    database: &Connection,
    select: &str,
    read: impl Fn(&Row<'_>) -> Option<T>,
    mut take: impl FnMut(T),
) -> Result<Scan, StoreError> {
    let mut scan = Scan::default();
    let mut select = database.prepare(select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get(0)?;
        let Some((name, whole)) = name(row).zip(read(row)) else {
            scan.damaged = scan.damaged.saturating_add(1);
            scan.damaged_keys.insert(key);
            continue;
        };
        if scan.whole.insert((key, name)) {
            take(whole);
        }
    }
    Ok(scan)
}

/// As much of a hash as names a row in every table.
fn name(row: &Row<'_>) -> Option<[u8; NAME_BYTES]> {
    row.get_ref(1).ok()?.as_blob().ok()?.first_chunk().copied()
}

const NAME_BYTES: usize = 16;

fn envelope_row(row: &Row<'_>) -> Option<Waiting> {
    let header: Vec<u8> = row.get(2).ok()?;
    let (to, opens) = row::places(&header)?;
    let waiting = Waiting {
        slot: slot(row)?,
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
        id: MailboxId(fixed(row, 1)?),
        owner: InboxId(fixed(row, 2)?),
        expires: Timestamp(number(row, 3)?),
        taken_envelopes: number(row, 4)?,
        taken_bytes: number(row, 5)?,
    };
    (row::mailbox_sum(&mailbox) == fixed::<32>(row, 6)?.0).then_some(mailbox)
}

fn records_row(row: &Row<'_>) -> Option<(InboxId, Timestamp, Slot)> {
    Some((InboxId(fixed(row, 1)?), Timestamp(number(row, 2)?), slot(row)?))
}

fn slot(row: &Row<'_>) -> Option<Slot> {
    row.get(0).ok().and_then(slot_of)
}

/// No relay counts into what a key has below zero: such a one is damaged, and nothing may be counted on from it.
fn slot_of(key: i64) -> Option<Slot> {
    key.try_into().ok().map(Slot)
}

fn number(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, i64>(column).ok().map(i64::cast_unsigned)
}

fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> Option<Fixed<N>> {
    row.get::<_, [u8; N]>(column).ok().map(Fixed)
}
