//! Whose records are kept, and for how long: the index over the published record sets.
//!
//! A plain value. A set that is not published again is dropped after [`KEPT_SECONDS`]: its prekeys ended long before.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_wire::time::DAY;
use rohrpost_wire::{ErrorCode, InboxId, Timestamp};

/// Prekeys are published 30 days ahead and taken a day late; twice that, nobody can use the set any more.
const KEPT_SECONDS: u64 = 60 * DAY;

/// Whose record sets are kept.
#[derive(Debug)]
pub(crate) struct Directory {
    most: usize,
    published: BTreeMap<InboxId, Timestamp>,
    oldest: BTreeSet<(Timestamp, InboxId)>,
}

impl Directory {
    /// A directory for at most this many sets.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, published: BTreeMap::new(), oldest: BTreeSet::new() }
    }

    /// Takes over a set that was stored earlier.
    pub(crate) fn restore(&mut self, inbox: InboxId, published: Timestamp) {
        self.forget(inbox);
        self.published.insert(inbox, published);
        self.oldest.insert((published, inbox));
    }

    /// How many sets are kept.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.published.len()
    }

    /// A safe publishes; a set it published before is replaced.
    pub(crate) fn handle_publish(&mut self, inbox: InboxId, now: Timestamp) -> Result<(), ErrorCode> {
        if !self.published.contains_key(&inbox) && self.published.len() >= self.most {
            return Err(ErrorCode::Full);
        }
        self.restore(inbox, now);
        Ok(())
    }

    /// The sets nobody has renewed for too long, at most `most` at once; they are forgotten here.
    pub(crate) fn handle_expire(&mut self, now: Timestamp, most: usize) -> Vec<InboxId> {
        let old = |(published, _): &&(Timestamp, InboxId)| published.plus(KEPT_SECONDS) <= now;
        let due: Vec<InboxId> = self.oldest.iter().take_while(old).take(most).map(|(_, inbox)| *inbox).collect();
        for inbox in &due {
            self.forget(*inbox);
        }
        due
    }

    /// A set is gone.
    pub(crate) fn forget(&mut self, inbox: InboxId) {
        if let Some(published) = self.published.remove(&inbox) {
            self.oldest.remove(&(published, inbox));
        }
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn inbox(byte: u8) -> InboxId {
        InboxId(Fixed([byte; 16]))
    }

    #[test]
    fn a_full_directory_takes_only_renewals() {
        let mut directory = Directory::new(1);
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(10)), Ok(()));
        assert_eq!(directory.handle_publish(inbox(2), Timestamp(10)), Err(ErrorCode::Full));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(20)), Ok(()));
        assert_eq!(directory.len(), 1);
    }

    #[test]
    fn a_set_that_is_not_renewed_is_dropped() {
        let mut directory = Directory::new(2);
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(10)), Ok(()));
        assert_eq!(directory.handle_publish(inbox(2), Timestamp(10)), Ok(()));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(20)), Ok(()));
        assert_eq!(directory.handle_expire(Timestamp(10 + KEPT_SECONDS), 9), vec![inbox(2)]);
        assert_eq!(directory.len(), 1);
    }
}
