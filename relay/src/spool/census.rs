//! How many rows a spool has, counted as they are written and again as they are read.
//!
//! A damaged page that names fewer rows than it holds hides them. SQLite reads it without a complaint: envelopes that were
//! answered `queued` would be gone and nobody would know. So each commit writes down how many rows there are, and whoever
//! builds the index counts those that he meets. The invariant: a count is believed only beside the number of the commit
//! that wrote it, so that a relay which does not count and wrote in between raises no alarm.

use std::path::Path;

use rohrpost_wire::Timestamp;
use rohrpost_wire::address::hash;
use rusqlite::types::ValueRef;

use super::table::Table;
use crate::metrics::Metrics;

/// Rows of each table that only the relay writes, those that were set aside included; or by how many they change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) envelopes: i64,
    pub(super) mailboxes: i64,
    pub(super) record_sets: i64,
}

impl Census {
    /// The rows of a table.
    pub(super) fn of(&mut self, table: Table) -> &mut i64 {
        match table {
            Table::Envelope => &mut self.envelopes,
            Table::Records => &mut self.record_sets,
        }
    }

    fn parts(self) -> [i64; 3] {
        [self.envelopes, self.mailboxes, self.record_sets]
    }

    fn plus(self, change: Self) -> Self {
        Self {
            envelopes: self.envelopes.saturating_add(change.envelopes),
            mailboxes: self.mailboxes.saturating_add(change.mailboxes),
            record_sets: self.record_sets.saturating_add(change.record_sets),
        }
    }

    /// How many more there are than in another, each table by itself: no row makes up for one of another table.
    fn above(self, other: Self) -> u64 {
        let each = self.parts().into_iter().zip(other.parts());
        each.map(|(here, there)| here.saturating_sub(there).max(0).cast_unsigned()).sum()
    }
}

/// What a commit wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    /// Its number.
    commit: u64,
    rows: Census,
    /// How far time had come.
    high_water: Timestamp,
}

impl Counted {
    /// Whether a relay that counts commits and no rows has gone on from here. It never counts backwards, it writes the
    /// witness, and the first it writes is the time, unless that came within the same minute. Where there is no trace of
    /// one, it is the number of commits that is damaged: this one is beside its sum, and that is not.
    fn is_followed(&self, commits: u64, high_water: Timestamp, witnessed: Option<u64>) -> bool {
        commits > self.commit && (witnessed == Some(commits) || high_water > self.high_water)
    }
}

/// What came of holding the rows that were found against those that were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reckoning {
    /// Nobody knows of any other.
    Even,
    /// The count is damaged, so nobody can tell.
    Doubtful,
    /// They are not as many.
    Uneven {
        /// Counted and not found.
        missing: u64,
        /// Found and not counted.
        surplus: u64,
    },
}

/// The count that is carried on from commit to commit.
#[derive(Debug)]
pub(super) struct Counting {
    counted: Option<Census>,
    /// Its count is damaged, or the number of commits beside it.
    doubtful: bool,
    /// How many commits there have been.
    pub(super) commits: u64,
    /// How far time had come with the last of them. A damaged one would let all that waits expire: where there is a count it
    /// stands beside it.
    pub(super) high_water: Timestamp,
    /// By the transaction at hand.
    pub(super) change: Census,
    /// The same time, after the transaction at hand.
    pub(super) reached: Timestamp,
}

impl Counting {
    /// Takes over what stands in a database of so many commits and this time, and beside it in a witness.
    pub(super) fn open(column: ValueRef<'_>, commits: u64, high_water: Timestamp, witnessed: Option<u64>) -> Self {
        let counted = match column {
            ValueRef::Null => return Self::taking(None, false, commits, high_water),
            ValueRef::Blob(bytes) => decode(bytes),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => None,
        };
        let Some(counted) = counted else { return Self::taking(None, true, commits, high_water) };
        if counted.commit == commits {
            return Self::taking(Some(counted.rows), false, commits, counted.high_water);
        }
        // At worst what has expired is erased late.
        let earlier = counted.high_water.min(high_water);
        if counted.is_followed(commits, high_water, witnessed) {
            return Self::taking(None, false, commits, earlier);
        }
        Self::taking(None, true, counted.commit, earlier)
    }

    fn taking(counted: Option<Census>, doubtful: bool, commits: u64, high_water: Timestamp) -> Self {
        Self { counted, doubtful, commits, high_water, change: Census::default(), reached: high_water }
    }

    /// Forgets what a transaction changed that has not been committed.
    pub(super) fn begin(&mut self) {
        (self.change, self.reached) = (Census::default(), self.high_water);
    }

    /// What the commit of this number writes down; nothing before the rows have been counted once.
    pub(super) fn column(&self, commit: u64) -> Option<[u8; COUNTED_BYTES]> {
        self.counted.map(|census| encode(commit, census.plus(self.change), self.reached))
    }

    /// Takes down that the transaction at hand is durable.
    pub(super) fn confirm(&mut self) {
        self.counted = self.counted.map(|census| census.plus(self.change));
        self.high_water = self.reached;
        self.begin();
    }

    /// Holds what was found against what was counted, and counts on from what was found: a loss is told once, and again
    /// at a later start only if nothing was committed until then.
    pub(super) fn settle(&mut self, found: Census) -> Reckoning {
        self.begin();
        let (counted, doubtful) = (self.counted.replace(found), std::mem::take(&mut self.doubtful));
        match counted {
            None if doubtful => Reckoning::Doubtful,
            None => Reckoning::Even,
            Some(counted) if counted == found => Reckoning::Even,
            Some(counted) => Reckoning::Uneven { missing: counted.above(found), surplus: found.above(counted) },
        }
    }
}

/// Tells the operator, and goes on, as with a log that was set back.
pub(super) fn tell(spool: &Path, reckoning: Reckoning, metrics: &Metrics) {
    let file = spool.display();
    match reckoning {
        Reckoning::Even => {}
        Reckoning::Doubtful => {
            tracing::error!(%file, "count of the spool's rows is damaged: whether rows are missing cannot be told, check the disk");
        }
        Reckoning::Uneven { missing: rows @ 1.., .. } => {
            metrics.hidden.add_many(rows);
            tracing::error!(%file, rows, "spool hides rows: a page of it is damaged, the rest is served, check the disk");
        }
        Reckoning::Uneven { missing: 0, surplus: rows } => {
            tracing::error!(%file, rows, "spool has rows that nobody counted: a page of it is damaged, check the disk");
        }
    }
}

/// The column: the number of the commit, the rows by table, the time, and a sum over all of it.
fn encode(commit: u64, census: Census, high_water: Timestamp) -> [u8; COUNTED_BYTES] {
    let mut bytes = [0; COUNTED_BYTES];
    let (content, sum) = bytes.split_at_mut(CONTENT_BYTES);
    let [envelopes, mailboxes, record_sets] = census.parts().map(i64::cast_unsigned);
    let numbers = [commit, envelopes, mailboxes, record_sets, high_water.0];
    for (place, number) in content.as_chunks_mut::<NUMBER_BYTES>().0.iter_mut().zip(numbers) {
        *place = number.to_be_bytes();
    }
    sum.copy_from_slice(&sum_of(content));
    bytes
}

/// Reads it. Whatever is not as it was written says nothing.
fn decode(bytes: &[u8]) -> Option<Counted> {
    let (content, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    let (numbers, []) = content.as_chunks::<NUMBER_BYTES>() else { return None };
    let &[commit, envelopes, mailboxes, record_sets, high_water] = numbers else { return None };
    let number = i64::from_be_bytes;
    let rows = Census { envelopes: number(envelopes), mailboxes: number(mailboxes), record_sets: number(record_sets) };
    let (commit, high_water) = (u64::from_be_bytes(commit), Timestamp(u64::from_be_bytes(high_water)));
    (sum_of(content) == *sum).then_some(Counted { commit, rows, high_water })
}

fn sum_of(content: &[u8]) -> [u8; SUM_BYTES] {
    hash(b"rohrpost/1 spool rows", &[content])
}

const NUMBER_BYTES: usize = 8;
const CONTENT_BYTES: usize = 5 * NUMBER_BYTES;
const SUM_BYTES: usize = 32;
const COUNTED_BYTES: usize = CONTENT_BYTES + SUM_BYTES;

#[cfg(test)]
mod tests;
