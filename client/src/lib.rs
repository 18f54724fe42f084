//! The only way to speak to a relay.
//!
//! To a relay everyone is a client: the patient, the safe that dials out, a practice that writes to another. All of
//! them dial with [`Connection::dial`], which believes nothing but the pinned key. On top of it a [`Visit`] speaks to
//! one safe: it verifies the safe's records before it seals a byte, and opens what comes back.
//!
//! Nothing waits for ever: every verb has a time, every transfer must make progress. What to ask again, and when, is the
//! caller's to decide. Time is always an argument.

mod assembly;
pub mod connection;
mod dial;
pub mod download;
pub mod error;
pub mod pinned;
pub mod random;
mod stream;
pub mod visit;

pub use assembly::Assembly;
pub use connection::{Connection, Delivered, IncomingCall, Role};
pub use download::Download;
pub use error::{AskError, ConnectError, VisitError};
pub use visit::{Answer, Deposited, Visit};
