//! The owner's way to a served safe: a local socket in the data folder.
//!
//! Mode 0600, and the peer must be the same user. A request and its reply are frames of JSON (length, 4 bytes
//! big-endian, then the text); the bytes of a document follow their request in blocks of the same form, an empty block
//! last. Files travel as bytes, never as paths: the safe opens nothing on anybody's behalf.

mod client;
mod frames;
mod server;

pub use client::Desk;
pub use server::{Listener, SocketError};
