//! Every bound that both ends must know, with its reason.

/// A frame without its length: the largest, a mailbox's acknowledgement of 256 envelopes, needs about 8.3 KiB.
pub const FRAME_BYTES: usize = 16 * 1024;

/// A sealed request or reply: the 1 MiB class, the encapsulated key (1,120), the header and the tag, rounded up.
pub const ENVELOPE_BYTES: usize = 1024 * 1024 + 2 * 1024;

/// The published records of a safe: [`PREKEY_RECORDS`] of about 1.4 KiB each (28 KiB) and a full chain of roots (3 KiB),
/// with as much again to spare.
pub const RECORDS_BYTES: usize = 64 * 1024;

/// Prekey records in one published set: 30 days ahead at 48 h each, the one in use and the one before.
pub const PREKEY_RECORDS: usize = 20;

/// Root statements in a chain: more successions than a practice will see.
pub const ROOT_STATEMENTS: usize = 16;

/// Relays in one identity record.
pub const RELAYS: usize = 4;

/// A host name (RFC 1035 §2.3.4).
pub const HOST_BYTES: usize = 255;

/// Envelopes in one answer to `fetch`, and ids in one `ack`.
pub const FETCH_ENVELOPES: usize = 256;

/// Envelope bytes in one answer to `fetch`: what a client must be able to hold, and one largest envelope always fits.
pub const FETCH_BYTES: usize = 4 * 1024 * 1024;

/// Replies a reply mailbox takes in its life: 16 parts and the reply that names them.
pub const MAILBOX_ENVELOPES: usize = 17;

/// Bytes a reply mailbox takes in its life: 17 largest envelopes.
pub const MAILBOX_BYTES: usize = MAILBOX_ENVELOPES * ENVELOPE_BYTES;

/// How long a peer may take to finish the frame it has begun, in seconds.
pub const FRAME_SECONDS: u64 = 10;
