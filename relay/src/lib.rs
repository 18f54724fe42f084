//! The relay: routes sealed envelopes it cannot open.
//!
//! It speaks `rohrpost-wire` over QUIC. A call to a connected safe is spliced, byte for byte; a deposit is stored
//! durably before it is answered. Decisions are plain values ([`router`], [`mailbox`], [`quota`]); [`server`] is the
//! only place that spawns a task and the spool's thread is the only one that touches the disk.
//!
//! Invariant, kept by the dependency graph: there is no code here by which an envelope could be opened.

mod admission;
mod arrivals;
pub mod cli;
pub mod config;
mod connection;
mod folder;
mod handshakes;
mod line;
pub mod mailbox;
mod memory;
pub mod metrics;
pub mod pace;
pub mod quota;
pub mod router;
pub mod server;
mod signals;
pub mod sources;
mod splice;
pub mod spool;
pub mod status;
mod stream;
mod switchboard;
pub mod texts;
mod tls;
mod transport;
mod turns;
mod verbs;
mod windows;

pub use folder::FolderError;
pub use quota::Limits;
pub use server::{BindError, Config, Relay};
pub use spool::{Clock, Failure, OpenError};
pub use tls::TlsError;
