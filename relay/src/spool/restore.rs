//! The indexes, built from the rows of a database.
//!
//! Each table is read once, in the order of its keys, and what is met is counted. Invariant: a damaged row is set aside and
//! never blocks the next.

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
    /// The rows that were met, and those that had been set aside before.
    pub(super) found: Census,
}

/// Builds the indexes.
pub(super) fn restore(database: &Connection, limits: &Limits, high_water: Timestamp) -> Result<Restored, StoreError> {
    let mut mailboxes = Mailboxes::new(limits, high_water, next(database, Table::Envelope)?);
    let mut directory = Directory::new(limits.record_sets, next(database, Table::Records)?);
    let mut found = Census::default();
    for table in [Table::Envelope, Table::Records] {
        *found.of(table) = database.query_row(table.count_aside(), [], |row| row.get(0))?;
    }
    let in_mailboxes = scan(database, MAILBOXES, mailbox_row, |row| mailboxes.restore_mailbox(row))?;
    let in_envelopes = scan(database, ENVELOPES, envelope_row, |row| mailboxes.restore_envelope(row))?;
    let in_records = scan(database, RECORDS, records_row, |(inbox, published, slot)| {
        directory.restore(inbox, published, slot);
    })?;
    let damaged = (in_mailboxes.damaged.len() + in_envelopes.damaged.len() + in_records.damaged.len()) as u64;
    found.mailboxes += in_mailboxes.rows;
    for (table, scan) in [(Table::Envelope, in_envelopes), (Table::Records, in_records)] {
        *found.of(table) += scan.rows;
        for key in scan.damaged {
            table.set_aside(database, Slot(key.cast_unsigned()))?;
        }
    }
    Ok(Restored { mailboxes, directory, damaged, found })
}

/// The first slot after all that have been used, those of damaged rows included.
fn next(database: &Connection, table: Table) -> Result<Slot, StoreError> {
    let last: Option<i64> = database.query_row(table.last(), [], |row| row.get(0))?;
    Ok(Slot(last.map_or(0, |last| last.cast_unsigned().saturating_add(1))))
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
    rows: i64,
    damaged: Vec<i64>,
}

/// Reads one table, whose key comes first.
fn scan<T>(
    database: &Connection,
    select: &str,
    read: impl Fn(&Row<'_>) -> Option<T>,
    mut take: impl FnMut(T),
) -> Result<Scan, StoreError> {
    let (mut scan, mut last) = (Scan::default(), None);
    let mut select = database.prepare(select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let Some(whole) = read(row) else {
            // Its place may be what is damaged: those behind it are not held against that.
            scan.rows += 1;
            scan.damaged.push(key);
            continue;
        };
        // A page that is damaged may name one row in the place of another: what is met twice is one row.
        if last.is_none_or(|last| last < key) {
            scan.rows += 1;
            last = Some(key);
        }
        take(whole);
    }
    Ok(scan)
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
        id: MailboxId(fixed(row, 1)?),
        owner: InboxId(fixed(row, 2)?),
        expires: Timestamp(number(row, 3)?),
        taken_envelopes: number(row, 4)?,
        taken_bytes: number(row, 5)?,
    };
    (row::mailbox_sum(&mailbox) == fixed::<32>(row, 6)?.0).then_some(mailbox)
}

fn records_row(row: &Row<'_>) -> Option<(InboxId, Timestamp, Slot)> {
    Some((InboxId(fixed(row, 1)?), Timestamp(number(row, 2)?), Slot(number(row, 0)?)))
}

fn number(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, i64>(column).ok().map(i64::cast_unsigned)
}

fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> Option<Fixed<N>> {
    row.get::<_, [u8; N]>(column).ok().map(Fixed)
}
