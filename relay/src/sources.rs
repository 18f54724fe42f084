//! How much each network address takes of what there is, so that one host cannot turn everybody else away.
//!
//! A plain value, kept in memory alone and never told. Invariant: an address is known exactly as long as something of it
//! is under way, so what is known is bounded by what may be under way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::quota::Limits;

/// Where somebody comes from: an IPv4 address, or the part of an IPv6 address that one household or host is given
/// (RFC 6177 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// All 32 bits.
    V4([u8; 4]),
    /// The first 56 bits.
    V6([u8; 7]),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A handshake from an address that anybody may have written on it. Counted apart: a forger must not be able to use
    /// up what somebody else may have.
    Unproven,
    /// A handshake from an address that has answered.
    Handshake,
    /// A connection.
    Connection,
    /// A call under way.
    Call,
}

/// What is under way, by where it came from.
#[derive(Debug)]
pub struct Sources {
    handshakes: usize,
    connections: usize,
    calls: usize,
    known: BTreeMap<Source, Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    unproven: usize,
    handshakes: usize,
    connections: usize,
    calls: usize,
}

impl Source {
    /// The source of an address; an IPv4 address counts as one also where a socket shows it as IPv6.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let mut network = [0; 7];
                network.copy_from_slice(v6.octets().split_at(7).0);
                Self::V6(network)
            }
        }
    }
}

impl Sources {
    /// Nothing is under way.
    pub fn new(limits: &Limits) -> Self {
        let Limits { handshakes_per_source, connections_per_source, calls_per_source, .. } = *limits;
        Self {
            handshakes: handshakes_per_source,
            connections: connections_per_source,
            calls: calls_per_source,
            known: BTreeMap::new(),
        }
    }

    /// Whether a source has as much of a kind as it may have.
    pub fn is_used_up(&self, source: Source, kind: Kind) -> bool {
        let most = match kind {
            Kind::Unproven | Kind::Handshake => self.handshakes,
            Kind::Connection => self.connections,
            Kind::Call => self.calls,
        };
        let mut counts = self.known.get(&source).copied().unwrap_or_default();
        *counts.of(kind) >= most
    }

    /// Something begins; false, and not counted, if the source has as much as it may have.
    pub fn handle_begun(&mut self, source: Source, kind: Kind) -> bool {
        let fits = !self.is_used_up(source, kind);
        if fits {
            *self.known.entry(source).or_default().of(kind) += 1;
        }
        fits
    }

    /// Something that was counted has ended.
    pub fn handle_ended(&mut self, source: Source, kind: Kind) {
        let Some(counts) = self.known.get_mut(&source) else { return };
        let count = counts.of(kind);
        *count = count.saturating_sub(1);
        if *counts == Counts::default() {
            self.known.remove(&source);
        }
    }
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Unproven => &mut self.unproven,
            Kind::Handshake => &mut self.handshakes,
            Kind::Connection => &mut self.connections,
            Kind::Call => &mut self.calls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn a_household_is_one_source_and_its_neighbour_another() {
        assert_eq!(source("2001:db8:0:1200::1"), source("2001:db8:0:12ff:ffff::9"));
        assert_ne!(source("2001:db8:0:1200::1"), source("2001:db8:0:1300::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
    }

    #[test]
    fn what_one_source_uses_up_is_there_for_another() {
        let one =
            Limits { handshakes_per_source: 2, connections_per_source: 2, calls_per_source: 2, ..Limits::default() };
        let mut sources = Sources::new(&one);
        let (greedy, other) = (source("192.0.2.1"), source("192.0.2.2"));
        for kind in [Kind::Unproven, Kind::Handshake, Kind::Connection, Kind::Call] {
            assert!(sources.handle_begun(greedy, kind) && sources.handle_begun(greedy, kind));
            assert!(!sources.handle_begun(greedy, kind), "{kind:?}");
            assert!(sources.handle_begun(other, kind), "{kind:?}");
            sources.handle_ended(greedy, kind);
            assert!(sources.handle_begun(greedy, kind), "{kind:?}");
        }
    }

    #[test]
    fn a_source_is_forgotten_with_the_last_of_it() {
        let mut sources = Sources::new(&Limits::default());
        let here = source("192.0.2.1");
        assert!(sources.handle_begun(here, Kind::Connection) && sources.handle_begun(here, Kind::Call));
        sources.handle_ended(here, Kind::Connection);
        assert_eq!(sources.known.len(), 1);
        sources.handle_ended(here, Kind::Call);
        sources.handle_ended(here, Kind::Call);
        assert_eq!(sources.known.len(), 0);
    }
}
