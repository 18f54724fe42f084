//! How many commits a vault has confirmed, kept outside its log.
//!
//! SQLite ends its log at the first bad checksum and opens what came before: a log that was damaged sets the vault back,
//! and a device that was revoked works again. So every commit raises a count inside the database, and the same number
//! stands in a file beside it. The invariant: the file never says more than was flushed. It may say less, after a power
//! cut, so a database that is ahead of it is sound, and one that is behind it has lost what was confirmed.

mod file;

use ring::digest;
use serde::{Deserialize, Serialize};

pub(super) use file::{Compared, WitnessFile};

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

/// What came of holding a database against its witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// All that is known to have been confirmed is there, and so many commits more that nobody witnessed.
    Whole {
        /// At most one after a kill, those of the last moments after a power cut.
        unwitnessed: u64,
    },
    /// Nothing was ever counted and there was no witness, as in the folder of an older release.
    Unwitnessed,
    /// The witness is lost or damaged, or the count in the database is, so nobody can tell.
    Doubtful,
    /// Commits that were confirmed are missing.
    SetBack {
        /// How many.
        missing: u64,
    },
}

/// Holds the count in a database, unless it is damaged, against the witness.
pub(super) fn judge(counted: Option<u64>, witness: Witness) -> Standing {
    match (counted, witness) {
        // The first commit counts: no count at all beside a witness is a row that is lost, not all that was ever confirmed.
        (Some(0), Witness::Says(1..)) => Standing::Doubtful,
        (Some(counted), Witness::Says(confirmed)) if counted < confirmed => {
            Standing::SetBack { missing: confirmed - counted }
        }
        (Some(counted), Witness::Says(confirmed)) => Standing::Whole { unwitnessed: counted - confirmed },
        (Some(0), Witness::Missing) => Standing::Unwitnessed,
        (None, _) | (_, Witness::Missing | Witness::Unreadable) => Standing::Doubtful,
    }
}

/// Where counting goes on: never below a number that was used, so that a loss which was accepted stays behind it.
pub(super) fn resume(counted: Option<u64>, witness: Witness) -> u64 {
    let confirmed = match witness {
        Witness::Says(confirmed) => confirmed,
        Witness::Missing | Witness::Unreadable => 0,
    };
    counted.unwrap_or_default().max(confirmed)
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
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"rohrpost/1 vault.witness");
    hash.update(content);
    let mut sum = [0; SUM_BYTES];
    sum.copy_from_slice(hash.finish().as_ref());
    sum
}

const VERSION: u8 = 1;
const CONTENT_BYTES: usize = 1 + 8;
const SUM_BYTES: usize = 32;

/// Far below a sector of 512 bytes: a disk writes it whole or not at all.
const WITNESS_BYTES: usize = CONTENT_BYTES + SUM_BYTES;

#[cfg(test)]
mod tests;
