//! The handshakes under way, and which of them gives way when there is no room for another.
//!
//! A plain value. A handshake that is meant is over after a few round trips; one that is not is held until its time is up.
//! So when all room is taken, whoever has most of it gives up its oldest for whoever has less: a flood, from however many
//! ports of a host, is in its own way alone. Invariant: never more are under way than there is room for, and nobody gives
//! way to somebody who would then have more, nor anybody's only one before it is [`LATE`]: those who share all room evenly
//! leave each other in peace, however fast they come.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::memory::Owner;

/// By then a handshake that is meant is over, also where one packet was lost, which is sent again after a second
/// (RFC 9002 §6.2.2).
const LATE: Duration = Duration::from_secs(2);

/// The handshakes of one relay, each with what tells it to give way.
#[derive(Debug)]
pub(crate) struct Handshakes<T> {
    room: usize,
    next: u64,
    under_way: BTreeMap<HandshakeId, UnderWay<T>>,
    /// By age.
    owned: BTreeMap<Owner, BTreeSet<HandshakeId>>,
    /// Every owner, by how many it has; of those who have as many, whoever has the oldest comes last.
    ranks: BTreeSet<Rank>,
}

/// One handshake. They are numbered as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandshakeId(u64);

/// How many an owner has, and its oldest.
type Rank = (usize, Reverse<HandshakeId>, Owner);

#[derive(Debug)]
struct UnderWay<T> {
    owner: Owner,
    begun: Duration,
    notice: T,
}

impl<T> Handshakes<T> {
    /// None is under way, and there is room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self { room, next: 0, under_way: BTreeMap::new(), owned: BTreeMap::new(), ranks: BTreeSet::new() }
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        self.under_way.len()
    }

    /// One begins; comes back with the notice of the one that gives way to it, if one has to. `None`, and not begun, if
    /// there is no room and nobody has so much more than its owner, nor, where it has none, one that is late.
    pub(crate) fn handle_begun(&mut self, owner: Owner, now: Duration, notice: T) -> Option<(HandshakeId, Option<T>)> {
        let gone = if self.count() < self.room { None } else { Some(self.one_to_give_way(owner, now)?) };
        let gone = gone.and_then(|id| self.remove(id));
        let id = HandshakeId(self.next);
        self.next += 1;
        self.under_way.insert(id, UnderWay { owner, begun: now, notice });
        self.rank(owner, |own| own.insert(id));
        Some((id, gone))
    }

    /// One is over, if it has not given way before.
    pub(crate) fn handle_ended(&mut self, id: HandshakeId) {
        self.remove(id);
    }

    fn one_to_give_way(&self, newcomer: Owner, now: Duration) -> Option<HandshakeId> {
        let own = self.owned.get(&newcomer).map_or(0, BTreeSet::len);
        let (most, Reverse(oldest), _) = *self.ranks.last()?;
        let is_late = || now.saturating_sub(self.under_way.get(&oldest).map_or(now, |one| one.begun)) >= LATE;
        let gives_way = if own == 0 { most > 1 || is_late() } else { most > own + 1 };
        gives_way.then_some(oldest)
    }

    fn remove(&mut self, id: HandshakeId) -> Option<T> {
        let UnderWay { owner, notice, .. } = self.under_way.remove(&id)?;
        self.rank(owner, |own| own.remove(&id));
        Some(notice)
    }

    /// Changes what an owner has, and its rank with it.
    fn rank(&mut self, owner: Owner, change: impl FnOnce(&mut BTreeSet<HandshakeId>) -> bool) {
        let rank_of = |own: &BTreeSet<HandshakeId>| own.first().map(|oldest| (own.len(), Reverse(*oldest), owner));
        let mut own = self.owned.remove(&owner).unwrap_or_default();
        if let Some(rank) = rank_of(&own) {
            self.ranks.remove(&rank);
        }
        change(&mut own);
        if let Some(rank) = rank_of(&own) {
            self.ranks.insert(rank);
            self.owned.insert(owner, own);
        }
    }
}

#[cfg(test)]
mod tests;
