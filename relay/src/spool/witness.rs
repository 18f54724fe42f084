//! How many commits a spool has confirmed, kept outside its log.
//!
//! SQLite ends its log at the first bad checksum and opens what came before, without a word: envelopes that were answered
//! `queued` would be gone and nobody would know. So every commit that writes raises a count inside the database, and the
//! same number stands in a file beside it. The invariant: the file never says more than was flushed. It may say less,
//! after a power cut, so a database ahead of it is sound, and one behind it has lost what was confirmed.

mod file;

use std::path::Path;

use rohrpost_wire::address::hash;

pub(super) use file::{WitnessFile, read};

use crate::metrics::Metrics;

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    /// Nothing: there is none.
    Missing,
    /// Nothing that can be relied on: it is damaged, or cannot be read.
    Unreadable,
    /// So many commits were confirmed.
    Says(u64),
}

impl Witness {
    /// The number of the last commit that was confirmed, if that is known.
    pub(super) fn says(self) -> Option<u64> {
        if let Self::Says(confirmed) = self { Some(confirmed) } else { None }
    }
}

/// What came of holding a database against its witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// All that is known to have been confirmed is there.
    Whole,
    /// Nothing was ever counted and there was no witness, as in a new folder.
    Unwitnessed,
    /// The witness was lost or damaged, so nobody can tell.
    Doubtful,
    /// So many commits that were confirmed are missing.
    SetBack(u64),
}

/// Holds the count in a database against the witness, and says from where to count on: never below a number that was
/// used, so that a loss which was told once stays told.
fn judge(counted: u64, witness: Witness) -> (Standing, u64) {
    match witness {
        Witness::Says(confirmed) if counted < confirmed => (Standing::SetBack(confirmed - counted), confirmed),
        Witness::Says(_) => (Standing::Whole, counted),
        Witness::Missing if counted == 0 => (Standing::Unwitnessed, counted),
        Witness::Missing | Witness::Unreadable => (Standing::Doubtful, counted),
    }
}

/// Tells the operator, and goes on: to refuse would stop every practice for the sake of some envelopes, which their
/// senders still have.
pub(super) fn tell(spool: &Path, standing: Standing, metrics: &Metrics) {
    let file = spool.display();
    match standing {
        Standing::Whole | Standing::Unwitnessed => {}
        Standing::Doubtful => {
            tracing::error!(%file, "witness of the spool is lost or damaged: whether confirmed commits are missing cannot be told");
        }
        Standing::SetBack(commits) => {
            metrics.missing.add_many(commits);
            tracing::error!(%file, commits, "spool is set back: confirmed commits are missing, the rest is served");
        }
    }
}

/// The file's bytes: version, count, and a sum over both.
fn encode(confirmed: u64) -> [u8; WITNESS_BYTES] {
    let mut bytes = [0; WITNESS_BYTES];
    let (content, sum) = bytes.split_at_mut(CONTENT_BYTES);
    let (version, count) = content.split_at_mut(1);
    version.fill(VERSION);
    count.copy_from_slice(&confirmed.to_be_bytes());
    sum.copy_from_slice(&sum_of(content));
    bytes
}

/// Reads them. Whatever is not as it was written says nothing.
fn decode(bytes: &[u8]) -> Witness {
    let Some((content, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else { return Witness::Unreadable };
    match content.split_first() {
        Some((&VERSION, count)) if sum_of(content) == *sum => {
            count.try_into().map_or(Witness::Unreadable, |count| Witness::Says(u64::from_be_bytes(count)))
        }
        _ => Witness::Unreadable,
    }
}

fn sum_of(content: &[u8]) -> [u8; SUM_BYTES] {
    hash(b"rohrpost/1 spool witness", &[content])
}

const VERSION: u8 = 1;
const CONTENT_BYTES: usize = 1 + 8;
const SUM_BYTES: usize = 32;

/// Far below a sector of 512 bytes: a disk writes it whole or not at all.
const WITNESS_BYTES: usize = CONTENT_BYTES + SUM_BYTES;

#[cfg(test)]
mod tests;
