//! The tables whose rows are large enough to lie on pages of their own, and can be set aside one by one.

use rusqlite::Connection;

use super::error::StoreError;
use crate::mailbox::Slot;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Envelopes that wait.
    Envelope,
    /// Published record sets.
    Records,
}

impl Table {
    /// Asks for the last slot that was set aside.
    pub(super) fn last_aside(self) -> &'static str {
        match self {
            Self::Envelope => "SELECT max(slot) FROM quarantined_envelope",
            Self::Records => "SELECT max(slot) FROM quarantined_records",
        }
    }

    /// Deletes a slot.
    pub(super) fn delete(self) -> &'static str {
        match self {
            Self::Envelope => "DELETE FROM envelope WHERE slot = ?1",
            Self::Records => "DELETE FROM records WHERE slot = ?1",
        }
    }

    /// Counts the rows that were set aside and are there. Each row is looked at (`+` keeps SQLite from searching for the
    /// slots): one whose key is out of its order is there, and no search finds it.
    pub(super) fn count_aside(self) -> &'static str {
        match self {
            Self::Envelope => "SELECT count(*) FROM envelope WHERE +slot IN (SELECT slot FROM quarantined_envelope)",
            Self::Records => "SELECT count(*) FROM records WHERE +slot IN (SELECT slot FROM quarantined_records)",
        }
    }

    /// Names a slot as set aside. Whether it was not so named already.
    pub(super) fn set_aside(self, database: &Connection, slot: Slot) -> Result<bool, StoreError> {
        let insert = match self {
            Self::Envelope => "INSERT OR IGNORE INTO quarantined_envelope VALUES (?1)",
            Self::Records => "INSERT OR IGNORE INTO quarantined_records VALUES (?1)",
        };
        Ok(database.prepare_cached(insert)?.execute([slot.0.cast_signed()])? == 1)
    }
}
