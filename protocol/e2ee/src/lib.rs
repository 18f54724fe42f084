//! What a relay must never be able to do: seal, open, trust.
//!
//! The keys and records of a safe and their verification, sealed requests and replies (HPKE with X-Wing), bulk objects,
//! enrolment links, and the plaintext they carry. Pure: no clock, no socket, no randomness of its own; time arrives as
//! a [`rohrpost_wire::Timestamp`], randomness as a generator. There is one suite, no negotiation and no plaintext mode.
//!
//! The byte layout is written down in `docs/protocol.md`; known answers lie in `protocol/vectors`.

pub mod body;
pub mod exchange;
pub mod keys;
pub mod link;
pub mod object;
pub mod padding;
pub mod secret;
pub mod trust;
pub mod window;

pub use body::{DeviceId, DocumentId, LinkId, RequestId, VersionHash};
pub use link::Link;
pub use secret::Secret;

/// Sealed bytes that do not open. There is nothing more to say to anyone: not which byte, not which check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened")]
pub struct OpenError;
