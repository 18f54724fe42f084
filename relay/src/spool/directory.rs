//! Whose records are kept, and for how long: the index over the published record sets.
//!
//! A plain value. A set that is not published again is dropped after [`KEPT_SECONDS`]: its prekeys ended long before.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_wire::time::DAY;
use rohrpost_wire::{ErrorCode, InboxId, Timestamp};

use crate::mailbox::Slot;

/// Prekeys are published 30 days ahead and taken a day late; twice that, nobody can use the set any more.
const KEPT_SECONDS: u64 = 60 * DAY;

/// Whose record sets are kept, and where.
#[derive(Debug)]
pub(crate) struct Directory {
    most: usize,
    next: u64,
    published: BTreeMap<InboxId, (Timestamp, Slot)>,
    oldest: BTreeSet<(Timestamp, InboxId)>,
}

/// Where a set is to be stored, and which one is to be erased for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) slot: Slot,
    pub(crate) before: Option<Slot>,
}

impl Directory {
    /// A directory for at most this many sets, whose first one gets the slot `next`.
    pub(crate) fn new(most: usize, next: Slot) -> Self {
        Self { most, next: next.0, published: BTreeMap::new(), oldest: BTreeSet::new() }
    }

    /// Takes over a set that was stored earlier.
    pub(crate) fn restore(&mut self, inbox: InboxId, published: Timestamp, slot: Slot) {
        self.pass_over(Some(slot));
        self.forget(inbox);
        self.published.insert(inbox, (published, slot));
        self.oldest.insert((published, inbox));
    }

    /// Gives out neither this slot nor one before it.
    pub(crate) fn pass_over(&mut self, used: Option<Slot>) {
        self.next = self.next.max(used.map_or(0, |used| used.0.saturating_add(1)));
    }

    /// How many sets are kept.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.published.len()
    }

    /// Where the set of a safe is stored.
    pub(crate) fn slot_of(&self, inbox: InboxId) -> Option<Slot> {
        self.published.get(&inbox).map(|(_, slot)| *slot)
    }

    /// A safe publishes; a set it published before is replaced.
    pub(crate) fn handle_publish(&mut self, inbox: InboxId, now: Timestamp) -> Result<Published, ErrorCode> {
        let before = self.slot_of(inbox);
        if before.is_none() && self.published.len() >= self.most {
            return Err(ErrorCode::Busy);
        }
        let slot = Slot(self.next);
        self.restore(inbox, now, slot);
        Ok(Published { slot, before })
    }

    /// The sets nobody has renewed for too long, at most `most` at once; they are forgotten here.
    pub(crate) fn handle_expire(&mut self, now: Timestamp, most: usize) -> Vec<(InboxId, Slot)> {
        let old = |(published, _): &&(Timestamp, InboxId)| published.plus(KEPT_SECONDS) <= now;
        let due: Vec<InboxId> = self.oldest.iter().take_while(old).take(most).map(|(_, inbox)| *inbox).collect();
        due.into_iter().filter_map(|inbox| Some((inbox, self.forget(inbox)?))).collect()
    }

    /// A set is gone from the index; where it lay.
    pub(crate) fn forget(&mut self, inbox: InboxId) -> Option<Slot> {
        let (published, slot) = self.published.remove(&inbox)?;
        self.oldest.remove(&(published, inbox));
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn inbox(byte: u8) -> InboxId {
        InboxId(Fixed([byte; 16]))
    }

    fn published(slot: u64, before: Option<u64>) -> Published {
        Published { slot: Slot(slot), before: before.map(Slot) }
    }

    #[test]
    fn a_full_directory_takes_only_renewals() {
        let mut directory = Directory::new(1, Slot(4));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(10)), Ok(published(4, None)));
        assert_eq!(directory.handle_publish(inbox(2), Timestamp(10)), Err(ErrorCode::Busy));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(20)), Ok(published(5, Some(4))));
        assert_eq!(directory.len(), 1);
    }

    #[test]
    fn a_set_that_is_not_renewed_is_dropped() {
        let mut directory = Directory::new(2, Slot(0));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(10)), Ok(published(0, None)));
        assert_eq!(directory.handle_publish(inbox(2), Timestamp(10)), Ok(published(1, None)));
        assert_eq!(directory.handle_publish(inbox(1), Timestamp(20)), Ok(published(2, Some(0))));
        assert_eq!(directory.handle_expire(Timestamp(10 + KEPT_SECONDS), 9), vec![(inbox(2), Slot(1))]);
        assert_eq!((directory.len(), directory.slot_of(inbox(1))), (1, Some(Slot(2))));
    }
}
