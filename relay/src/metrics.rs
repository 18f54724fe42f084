//! What a relay counts: numbers without addresses, so that no count links two of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// Counts several more.
    pub fn add_many(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one relay since it started.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections whose handshake succeeded.
    pub connections: Counter,
    /// Handshakes that were first asked for a proof of address.
    pub retried: Counter,
    /// Connections closed because of what they sent.
    pub misbehaved: Counter,
    /// Logins that held.
    pub logins: Counter,
    /// Calls spliced to a safe.
    pub calls: Counter,
    /// Calls to a safe that was not connected.
    pub away: Counter,
    /// Calls turned away at a limit.
    pub busy: Counter,
    /// Deposits answered `queued`, duplicates included.
    pub queued: Counter,
    /// Envelopes delivered, repetitions included.
    pub delivered: Counter,
    /// Envelopes erased because their owner had taken them.
    pub acked: Counter,
    /// Envelopes and mailboxes erased because their time was up.
    pub expired: Counter,
    /// Rows that were not what had been stored.
    pub quarantined: Counter,
    /// Confirmed commits of the spool that were missing at the start.
    pub missing: Counter,
    /// Rows of the spool that were counted and were not found.
    pub hidden: Counter,
}

impl Metrics {
    /// Tells the operator all of it.
    pub(crate) fn log(&self) {
        tracing::info!(
            connections = self.connections.read(),
            retried = self.retried.read(),
            misbehaved = self.misbehaved.read(),
            logins = self.logins.read(),
            calls = self.calls.read(),
            away = self.away.read(),
            busy = self.busy.read(),
            queued = self.queued.read(),
            delivered = self.delivered.read(),
            acked = self.acked.read(),
            expired = self.expired.read(),
            quarantined = self.quarantined.read(),
            missing = self.missing.read(),
            hidden = self.hidden.read(),
            "totals since the start"
        );
    }
}
