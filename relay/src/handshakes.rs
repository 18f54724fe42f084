//! The handshakes under way, and which of them gives way when there is no room for another.
//!
//! A plain value. A handshake that is meant is over after a few round trips; one that is not is held until its time is up.
//! So when all room is taken, whoever has most of it gives up its oldest for whoever has less: a flood, from however many
//! ports of a host, is in its own way alone. Invariant: never more are under way than there is room for, and nobody gives
//! way to somebody who would then have more: those who share all room evenly leave each other in peace, however fast they
//! come.

use std::collections::BTreeMap;

use crate::sources::{Kind, Source};

/// The handshakes of one relay, each with what tells it to give way.
#[derive(Debug)]
pub(crate) struct Handshakes<T> {
    room: usize,
    next: u64,
    /// By age.
    under_way: BTreeMap<HandshakeId, UnderWay<T>>,
}

/// One handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandshakeId(u64);

/// Whose it is. What anybody may have written on an address is not counted with what came from there.
type Owner = (Source, bool);

#[derive(Debug)]
struct UnderWay<T> {
    owner: Owner,
    notice: T,
}

impl<T> Handshakes<T> {
    /// None is under way, and there is room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self { room, next: 0, under_way: BTreeMap::new() }
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        self.under_way.len()
    }

    /// One begins; comes back with the notice of the one that gives way to it, if one has to. `None`, and not begun, if
    /// there is no room and nobody has so much more than its owner. Who has none gets one.
    pub(crate) fn handle_begun(&mut self, source: Source, kind: Kind, notice: T) -> Option<(HandshakeId, Option<T>)> {
        let owner = (source, kind == Kind::Unproven);
        let gone = if self.count() < self.room { None } else { Some(self.oldest_of_the_greediest(owner)?) };
        let gone = gone.and_then(|id| self.under_way.remove(&id)).map(|handshake| handshake.notice);
        let id = HandshakeId(self.next);
        self.next += 1;
        self.under_way.insert(id, UnderWay { owner, notice });
        Some((id, gone))
    }

    /// One is over, if it has not given way before.
    pub(crate) fn handle_ended(&mut self, id: HandshakeId) {
        self.under_way.remove(&id);
    }

    fn oldest_of_the_greediest(&self, newcomer: Owner) -> Option<HandshakeId> {
        let mut owners: BTreeMap<Owner, (usize, HandshakeId)> = BTreeMap::new();
        for (id, handshake) in &self.under_way {
            owners.entry(handshake.owner).or_insert((0, *id)).0 += 1;
        }
        let own = owners.get(&newcomer).map_or(0, |(count, _)| *count);
        // Of two who have as much, the older goes.
        let greediest = owners.into_values().max_by_key(|(count, oldest)| (*count, std::cmp::Reverse(*oldest)))?;
        (own == 0 || greediest.0 > own + 1).then_some(greediest.1)
    }
}

#[cfg(test)]
mod tests;
