//! The network: connections that break, messages that overtake each other or come late, peers that are cut off.
//!
//! Streams of one connection are independent, as in QUIC; within a stream nothing is lost or reordered, since QUIC sees
//! to that: what is left is that a connection ends at any moment, in the middle of an answer too.

use std::collections::{BTreeMap, BTreeSet};

use super::Event;
use super::setup::Faults;
use crate::port::{Conn, FromPeer, FromRelay, Peer, ToPeer, ToRelay};
use crate::random::{self, Rng};
use crate::time::Millis;

/// How long it takes to find out that nobody answers.
const DIAL_TIMEOUT: Millis = Millis::seconds(10);
/// Silence after which a connection is given up.
const IDLE: u64 = 30_000;

type Due = Vec<(Millis, Event)>;

/// All connections, and who is cut off.
#[derive(Debug)]
pub(super) struct Network {
    rng: Rng,
    faults: Faults,
    /// Open connections, and when the relay hears of them.
    open: BTreeMap<Conn, Millis>,
    cut_off: BTreeSet<Peer>,
}

impl Network {
    pub(super) fn new(rng: Rng, faults: Faults) -> Self {
        Self { rng, faults, open: BTreeMap::new(), cut_off: BTreeSet::new() }
    }

    pub(super) fn calm_down(&mut self) {
        self.faults = Faults::default();
        self.cut_off.clear();
    }

    /// Whether this connection is whole.
    pub(super) fn is_open(&self, conn: Conn) -> bool {
        self.open.contains_key(&conn)
    }

    /// Whether something on its way to the relay still arrives.
    pub(super) fn is_open_for(&self, input: &ToRelay) -> bool {
        match input {
            ToRelay::Opened(conn) | ToRelay::Asked(conn, ..) | ToRelay::Answered { conn, .. } => {
                self.open.contains_key(conn) && !self.cut_off.contains(&conn.peer)
            }
            ToRelay::Closed(_) | ToRelay::Timer(_) => true,
        }
    }

    /// Whether something on its way to a peer still arrives.
    pub(super) fn reaches(&self, input: &ToPeer) -> bool {
        match input {
            ToPeer::Answered { conn, whole, .. } => {
                (!whole || self.open.contains_key(conn)) && !self.cut_off.contains(&conn.peer)
            }
            ToPeer::Called(conn, ..) => self.open.contains_key(conn) && !self.cut_off.contains(&conn.peer),
            ToPeer::Closed(..) | ToPeer::Timer(_) => true,
        }
    }

    pub(super) fn carry_from_peer(&mut self, action: FromPeer, relay_is_up: bool, now: Millis) -> Due {
        match action {
            FromPeer::Dial(conn) if !relay_is_up || self.cut_off.contains(&conn.peer) => {
                vec![(now.plus(DIAL_TIMEOUT), Event::ToPeer(conn.peer, ToPeer::Closed(conn, None)))]
            }
            FromPeer::Dial(conn) => {
                let at = now.plus(self.delay());
                self.open.insert(conn, at);
                vec![(at, Event::ToRelay(ToRelay::Opened(conn)))]
            }
            FromPeer::Ask(conn, stream, bytes) => self.send(conn, ToRelay::Asked(conn, stream, bytes), now),
            FromPeer::Answer(conn, stream, bytes) => {
                self.send(conn, ToRelay::Answered { conn, stream, bytes, whole: true }, now)
            }
            FromPeer::Abort(conn, stream) => {
                self.send(conn, ToRelay::Answered { conn, stream, bytes: Vec::new(), whole: false }, now)
            }
            FromPeer::Close(conn) => {
                let at = now.plus(self.delay());
                self.open.remove(&conn).map(|_| (at, Event::ToRelay(ToRelay::Closed(conn)))).into_iter().collect()
            }
            // The world keeps the agenda.
            FromPeer::Timer(..) => Vec::new(),
        }
    }

    fn send(&mut self, conn: Conn, message: ToRelay, now: Millis) -> Due {
        let Some(opened) = self.open.get(&conn).copied() else { return Vec::new() };
        if random::chance(&mut self.rng, self.faults.broken_per_mille) {
            return self.break_off(conn, now);
        }
        let at = now.plus(self.delay()).max(opened.plus(Millis(1)));
        vec![(at, Event::ToRelay(message))]
    }

    pub(super) fn carry_from_relay(&mut self, action: FromRelay, now: Millis) -> Due {
        let at = now.plus(self.delay());
        match action {
            FromRelay::Answer { conn, stream, mut bytes, whole } => {
                if !self.open.contains_key(&conn) {
                    return Vec::new();
                }
                let breaks = random::chance(&mut self.rng, self.faults.broken_per_mille);
                let mut due = if breaks { self.break_off(conn, now) } else { Vec::new() };
                if breaks {
                    let kept = random::below(&mut self.rng, bytes.len() as u64 + 1);
                    bytes.truncate(usize::try_from(kept).unwrap_or(0));
                }
                let whole = whole && !breaks;
                due.push((at, Event::ToPeer(conn.peer, ToPeer::Answered { conn, stream, bytes, whole })));
                due
            }
            FromRelay::Call(conn, stream, bytes) => {
                if random::chance(&mut self.rng, self.faults.broken_per_mille) {
                    return self.break_off(conn, now);
                }
                vec![(at, Event::ToPeer(conn.peer, ToPeer::Called(conn, stream, bytes)))]
            }
            FromRelay::Close(conn, code) => {
                self.open.remove(&conn);
                let closed = ToPeer::Closed(conn, Some(code));
                vec![
                    (now.plus(Millis(1)), Event::ToRelay(ToRelay::Closed(conn))),
                    (at, Event::ToPeer(conn.peer, closed)),
                ]
            }
            FromRelay::Timer(..) => Vec::new(),
        }
    }

    /// A connection ends; both sides find out, each in its own time.
    fn break_off(&mut self, conn: Conn, now: Millis) -> Due {
        if self.open.remove(&conn).is_none() {
            return Vec::new();
        }
        let (here, there) = (random::below(&mut self.rng, IDLE), random::below(&mut self.rng, IDLE));
        vec![
            (now.plus(Millis(100 + here)), Event::ToPeer(conn.peer, ToPeer::Closed(conn, None))),
            (now.plus(Millis(100 + there)), Event::ToRelay(ToRelay::Closed(conn))),
        ]
    }

    /// Everybody's connection, or one peer's, ends.
    pub(super) fn break_all(&mut self, of: Option<Peer>, now: Millis) -> Due {
        let ending: Vec<Conn> =
            self.open.keys().copied().filter(|conn| of.is_none_or(|peer| conn.peer == peer)).collect();
        ending.into_iter().flat_map(|conn| self.break_off(conn, now)).collect()
    }

    pub(super) fn cut_off(&mut self, peer: Peer, now: Millis) -> Due {
        self.cut_off.insert(peer);
        self.break_all(Some(peer), now)
    }

    pub(super) fn reconnect(&mut self, peer: Peer) {
        self.cut_off.remove(&peer);
    }

    fn delay(&mut self) -> Millis {
        let mut delay = 5 + random::below(&mut self.rng, 80);
        if random::chance(&mut self.rng, self.faults.slow_per_mille) {
            delay += random::below(&mut self.rng, 4000);
        }
        Millis(delay)
    }
}
