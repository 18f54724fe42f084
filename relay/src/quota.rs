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
    /// Handshakes under way before newcomers must first prove their address by a retry (RFC 9000 §8.1.2).
    pub handshakes: usize,
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes: 256,
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
    /// The first limit that would make the relay useless, by name: nothing may be zero, and the blob memory must hold
    /// one largest envelope.
    pub fn unusable(&self) -> Option<&'static str> {
        let Self {
            connections,
            handshakes,
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
        let checks = [
            ("connections", *connections > 0),
            ("handshakes", *handshakes > 0),
            ("streams_per_connection", *streams_per_connection > 0),
            ("blobs_per_connection", *blobs_per_connection > 0),
            ("blob_memory", *blob_memory >= limits::ENVELOPE_BYTES && *blob_memory <= 1 << 31),
            ("calls_per_safe", *calls_per_safe > 0),
            ("calls_per_connection", *calls_per_connection > 0),
            ("calls", *calls > 0),
            ("waiting_fetches", *waiting_fetches > 0),
            ("call_idle_seconds", *call_idle_seconds > 0),
            ("visit_idle_seconds", *visit_idle_seconds > 0),
            ("inbox_envelopes", *inbox_envelopes > 0),
            ("inbox_bytes", *inbox_bytes > 0),
            ("mailboxes_per_inbox", *mailboxes_per_inbox > 0),
            ("mailbox_envelopes", *mailbox_envelopes > 0),
            ("mailbox_bytes", *mailbox_bytes > 0),
            ("envelopes", *envelopes > 0),
            ("envelope_bytes", *envelope_bytes > 0),
            ("mailboxes", *mailboxes > 0),
            ("record_sets", *record_sets > 0),
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
        assert_eq!(Limits { blob_memory: 1024, ..Limits::default() }.unusable(), Some("blob_memory"));
    }
}
