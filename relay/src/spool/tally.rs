//! What one transaction has done, counted only once it is durable: one that is taken back and tried again counts once.

use crate::metrics::Metrics;

/// The counts of one transaction.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) acked: u64,
    pub(super) expired: u64,
    pub(super) quarantined: u64,
}

impl Tally {
    /// Counts what is durable now, and tells of rows that had to be set aside.
    pub(super) fn count(self, metrics: &Metrics) {
        metrics.acked.add_many(self.acked);
        metrics.expired.add_many(self.expired);
        metrics.quarantined.add_many(self.quarantined);
        if self.quarantined > 0 {
            tracing::error!(rows = self.quarantined, total = metrics.quarantined.read(), "damaged rows set aside");
        }
    }
}
