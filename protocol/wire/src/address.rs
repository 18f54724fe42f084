//! Where envelopes go: inboxes, reply mailboxes, relays.

use std::fmt;

use ring::digest;
use serde::{Deserialize, Serialize};

use crate::fixed::Fixed;
use crate::limits;

/// A safe's standing address: the first 16 bytes of the labelled hash of its route key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InboxId(pub Fixed<16>);

impl InboxId {
    /// The inbox that belongs to a route key. No table of passwords is needed: who signs with the key owns the inbox.
    pub fn of_route_key(route_key: &[u8; 32]) -> Self {
        Self(hash_prefix(b"rohrpost/1 inbox", route_key))
    }
}

/// A one-use address for replies: the first 16 bytes of the labelled hash of a fresh Ed25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MailboxId(pub Fixed<16>);

impl MailboxId {
    /// The mailbox that belongs to a reply mailbox key.
    pub fn of_key(mailbox_key: &[u8; 32]) -> Self {
        Self(hash_prefix(b"rohrpost/1 mailbox", mailbox_key))
    }
}

/// SHA-256 over all a relay is given of a deposit; a second copy has the same id and is stored once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnvelopeId(pub Fixed<32>);

/// A random one-use permit for a delivery. Reserved: carried, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TicketId(pub Fixed<16>);

/// The name of a safe for ever: the labelled SHA-256 of its first root statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SafePin(pub Fixed<32>);

/// The labelled SHA-256 of a relay's long-lived Ed25519 key; what clients pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelayKeyHash(pub Fixed<32>);

impl RelayKeyHash {
    /// Hashes a relay's public key.
    pub fn of_key(relay_key: &[u8; 32]) -> Self {
        Self(Fixed(hash(b"rohrpost/1 relay-key", &[relay_key])))
    }
}

/// Where a relay is and which key it must show. Written `rohrpost-relay://HOST:PORT#KEYHASH`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayAddress {
    /// A DNS name or an IP address, IPv6 without brackets; at most [`limits::HOST_BYTES`] bytes.
    pub host: String,
    /// The UDP port.
    pub port: u16,
    /// The hash of the key the relay proves to own in the TLS handshake.
    pub key_hash: RelayKeyHash,
}

const SCHEME: &str = "rohrpost-relay://";

/// A relay URL that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a relay url of the form rohrpost-relay://HOST:PORT#KEYHASH")]
pub struct ParseRelayError;

impl RelayAddress {
    /// Whether the host is one that may stand in a signed record: not empty, bounded, without white space, control
    /// characters or the delimiters of the URL.
    pub fn is_well_formed(&self) -> bool {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '#' | '[' | ']' | '@');
        !self.host.is_empty() && self.host.len() <= limits::HOST_BYTES && self.host.chars().all(plain)
    }
}

impl std::str::FromStr for RelayAddress {
    type Err = ParseRelayError;

    fn from_str(text: &str) -> Result<Self, ParseRelayError> {
        let (place, hash) =
            text.trim().strip_prefix(SCHEME).and_then(|rest| rest.split_once('#')).ok_or(ParseRelayError)?;
        let (host, port) = place.rsplit_once(':').ok_or(ParseRelayError)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let address = Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| ParseRelayError)?,
            key_hash: RelayKeyHash(Fixed::from_hex(hash).ok_or(ParseRelayError)?),
        };
        if address.is_well_formed() { Ok(address) } else { Err(ParseRelayError) }
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let hash = self.key_hash.0.to_hex();
        write!(f, "{SCHEME}{open}{}{close}:{}#{hash}", self.host, self.port)
    }
}

impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}#{:?}", self.host, self.port, self.key_hash.0)
    }
}

/// SHA-256 over a label, a zero byte and the parts. Labels contain no zero byte and the parts have fixed lengths, or
/// come last, so no two inputs collide.
pub fn hash(label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(label);
    context.update(&[0]);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

fn hash_prefix(label: &[u8], key: &[u8; 32]) -> Fixed<16> {
    let full = hash(label, &[key]);
    let mut prefix = [0; 16];
    prefix.copy_from_slice(full.split_at(16).0);
    Fixed(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_url_reads_back_as_it_was_written() {
        for host in ["relay.example", "127.0.0.1", "::1"] {
            let address = RelayAddress { host: host.into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) };
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn a_relay_url_with_a_damaged_part_is_refused() {
        let good = RelayAddress { host: "h".into(), port: 1, key_hash: RelayKeyHash::of_key(&[7; 32]) }.to_string();
        let bad = [
            good.replace("rohrpost-relay", "https"),
            good.replace(":1#", "#"),
            good.replace(":1#", ":70000#"),
            good.replace("//h:", "//:"),
            good.replace("//h:", "//a b:"),
            good[..good.len() - 1].to_owned(),
        ];
        for text in bad {
            assert_eq!(text.parse::<RelayAddress>(), Err(ParseRelayError), "{text}");
        }
    }
}
