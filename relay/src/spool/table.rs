//! The tables whose rows are large enough to lie on pages of their own, and can be set aside one by one.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Envelopes that wait.
    Envelope,
    /// Published record sets.
    Records,
}

impl Table {
    /// Asks for the last slot in use.
    pub(super) fn last(self) -> &'static str {
        match self {
            Self::Envelope => "SELECT max(slot) FROM envelope",
            Self::Records => "SELECT max(slot) FROM records",
        }
    }

    /// Deletes a slot.
    pub(super) fn delete(self) -> &'static str {
        match self {
            Self::Envelope => "DELETE FROM envelope WHERE slot = ?1",
            Self::Records => "DELETE FROM records WHERE slot = ?1",
        }
    }

    /// Names a slot as set aside.
    pub(super) fn quarantine(self) -> &'static str {
        match self {
            Self::Envelope => "INSERT OR IGNORE INTO quarantined_envelope VALUES (?1)",
            Self::Records => "INSERT OR IGNORE INTO quarantined_records VALUES (?1)",
        }
    }
}
