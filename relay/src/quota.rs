//! How much a relay takes on: every number by which it refuses, in one place, each with its reason.
//!
//! Plain data. What happens at a limit is decided where the limited thing lives (`router`, `mailbox`, `connection`) and
//! is one of three answers: `Busy` (the relay or the safe, try later), `Full` (this inbox or mailbox, nothing was kept), or
//! a refused handshake.

use serde::Deserialize;

use rohrpost_wire::limits;

/// The limits of one relay. The defaults suit a few thousand safes on a machine with 1 GiB of memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once; one costs about 30 KiB idle. Beyond it a handshake is refused.
    pub connections: usize,
    /// Handshakes under way before newcomers must first prove their address by a retry (RFC 9000 §8.1.2). As many again may
    /// be under way then, and whoever has most of them makes room for who has less.
    pub handshakes: usize,
    /// Handshakes under way, or failed and still remembered by QUIC, from one IPv4 address or one IPv6 network of 56 bits:
    /// many people may share one, but it must not be able to turn all others away.
    pub handshakes_per_source: usize,
    /// Connections at once from one source; see `handshakes_per_source`.
    pub connections_per_source: usize,
    /// Calls under way from one source; see `handshakes_per_source`.
    pub calls_per_source: usize,
    /// Streams one client may have open at once: a login, a waiting fetch, and a page full of calls.
    pub streams_per_connection: u32,
    /// Envelopes and record sets one connection may be sending or receiving at once; the others wait their turn.
    pub blobs_per_connection: usize,
    /// Bytes of envelopes on their way in, over all connections, and as many again on their way out.
    pub blob_memory: usize,
    /// Calls under way towards one safe.
    pub calls_per_safe: usize,
    /// Calls under way from one connection.
    pub calls_per_connection: usize,
    /// Calls under way in all; one costs two copy buffers of 32 KiB.
    pub calls: usize,
    /// Fetches of one connection that wait for a first envelope; one is enough, a cancelled one may linger.
    pub waiting_fetches: usize,
    /// Seconds in which a call must move at least one byte, either way.
    pub call_idle_seconds: u64,
    /// Seconds a connection without a login may stay without a stream.
    pub visit_idle_seconds: u64,
    /// Envelopes that wait in one inbox.
    pub inbox_envelopes: usize,
    /// Bytes that wait in one inbox.
    pub inbox_bytes: u64,
    /// Reply mailboxes that wait for the answers of one safe.
    pub mailboxes_per_inbox: usize,
    /// Envelopes one reply mailbox takes in its life.
    pub mailbox_envelopes: usize,
    /// Bytes one reply mailbox takes in its life.
    pub mailbox_bytes: u64,
    /// Envelopes in all; the index of one takes about 300 bytes of memory.
    pub envelopes: usize,
    /// Bytes of envelopes in all: what the disk must have room for.
    pub envelope_bytes: u64,
    /// Reply mailboxes in all.
    pub mailboxes: usize,
    /// Safes whose records are kept; one set takes at most 64 KiB of disk.
    pub record_sets: usize,
}

/// The most of anything: far beyond one machine, and its multiples still fit into every counter.
const MOST: usize = 1 << 24;
/// The most streams of one connection: each has a number of its own in what QUIC sends.
const MOST_STREAMS: u32 = 1 << 16;
/// The longest time: a day, after which every mapping on the way is gone.
const MOST_SECONDS: u64 = 24 * 3600;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes: 256,
            handshakes_per_source: 384,
            connections_per_source: 2048,
            calls_per_source: 512,
            streams_per_connection: 64,
            blobs_per_connection: 2,
            blob_memory: 16 * 1024 * 1024,
            calls_per_safe: 64,
            calls_per_connection: 16,
            calls: 1024,
            waiting_fetches: 4,
            call_idle_seconds: 30,
            visit_idle_seconds: 120,
            inbox_envelopes: 4096,
            inbox_bytes: 256 * 1024 * 1024,
            mailboxes_per_inbox: 4096,
            mailbox_envelopes: limits::MAILBOX_ENVELOPES,
            mailbox_bytes: limits::MAILBOX_BYTES as u64,
            envelopes: 100_000,
            envelope_bytes: 8 * 1024 * 1024 * 1024,
            mailboxes: 100_000,
            record_sets: 10_000,
        }
    }
}

impl Limits {
    /// The first limit that would make the relay useless, by name: nothing may be zero or beyond what can be counted with,
    /// and the blob memory must hold one largest envelope.
    pub fn unusable(&self) -> Option<&'static str> {
        let Self {
            connections,
            handshakes,
            handshakes_per_source,
            connections_per_source,
            calls_per_source,
            streams_per_connection,
            blobs_per_connection,
            blob_memory,
            calls_per_safe,
            calls_per_connection,
            calls,
            waiting_fetches,
            call_idle_seconds,
            visit_idle_seconds,
            inbox_envelopes,
            inbox_bytes,
            mailboxes_per_inbox,
            mailbox_envelopes,
            mailbox_bytes,
            envelopes,
            envelope_bytes,
            mailboxes,
            record_sets,
        } = self;
        let count = |number: usize| (1..=MOST).contains(&number);
        let seconds = |number: u64| (1..=MOST_SECONDS).contains(&number);
        let checks = [
            ("connections", count(*connections)),
            ("handshakes", count(*handshakes)),
            ("handshakes_per_source", count(*handshakes_per_source)),
            ("connections_per_source", count(*connections_per_source)),
            ("calls_per_source", count(*calls_per_source)),
            ("streams_per_connection", (1..=MOST_STREAMS).contains(streams_per_connection)),
            ("blobs_per_connection", count(*blobs_per_connection)),
            ("blob_memory", (limits::ENVELOPE_BYTES..=1 << 31).contains(blob_memory)),
            ("calls_per_safe", count(*calls_per_safe)),
            ("calls_per_connection", count(*calls_per_connection)),
            ("calls", count(*calls)),
            ("waiting_fetches", count(*waiting_fetches)),
            ("call_idle_seconds", seconds(*call_idle_seconds)),
            ("visit_idle_seconds", seconds(*visit_idle_seconds)),
            ("inbox_envelopes", count(*inbox_envelopes)),
            ("inbox_bytes", *inbox_bytes > 0),
            ("mailboxes_per_inbox", count(*mailboxes_per_inbox)),
            ("mailbox_envelopes", count(*mailbox_envelopes)),
            ("mailbox_bytes", *mailbox_bytes > 0),
            ("envelopes", count(*envelopes)),
            ("envelope_bytes", *envelope_bytes > 0),
            ("mailboxes", count(*mailboxes)),
            ("record_sets", count(*record_sets)),
        ];
        checks.iter().find(|(_, usable)| !usable).map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable_and_a_zero_is_named() {
        assert_eq!(Limits::default().unusable(), None);
        assert_eq!(Limits { calls: 0, ..Limits::default() }.unusable(), Some("calls"));
        assert_eq!(Limits { handshakes: usize::MAX, ..Limits::default() }.unusable(), Some("handshakes"));
        assert_eq!(Limits { waiting_fetches: usize::MAX, ..Limits::default() }.unusable(), Some("waiting_fetches"));
        assert_eq!(Limits { call_idle_seconds: u64::MAX, ..Limits::default() }.unusable(), Some("call_idle_seconds"));
        assert_eq!(Limits { blob_memory: usize::MAX, ..Limits::default() }.unusable(), Some("blob_memory"));
        assert_eq!(Limits { blob_memory: 1024, ..Limits::default() }.unusable(), Some("blob_memory"));
    }
}
