//! What a relay may see.
//!
//! Addresses, frames, signed records, login proofs, limits and error codes: the whole vocabulary between a client, a
//! relay and a safe, and nothing by which a sealed envelope could be opened. Pure: no clock, no socket, no randomness;
//! time arrives as a [`Timestamp`], bytes as slices.
//!
//! The byte layout of everything here is written down in `docs/protocol.md`.

pub mod address;
pub mod codec;
pub mod error;
pub mod fixed;
pub mod frame;
pub mod limits;
pub mod proof;
pub mod records;
pub mod time;

pub use address::{EnvelopeId, InboxId, MailboxId, RelayAddress, RelayKeyHash, SafePin, TicketId};
pub use codec::DecodeError;
pub use error::ErrorCode;
pub use frame::Frame;
pub use time::Timestamp;

/// The version of the protocol this crate speaks; the first byte of every envelope and record.
pub const VERSION: u8 = 1;

/// Suite `0x01`: HPKE with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305; Ed25519; AES-256-GCM objects.
pub const SUITE: u8 = 1;

/// The TLS application protocol (RFC 7301) of the envelope lane. It carries the protocol version: a peer of another
/// version never gets past the handshake.
pub const ALPN: &[u8] = b"rohrpost/1";

/// The label of the TLS exporter (RFC 8446 §7.5) under a login proof.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-rohrpost/1 login";
