//! The system in simulated time: one relay, safes and patients' devices, a network that breaks and disks that forget.
//!
//! The decisions are the product's own pure code ([`rohrpost_relay::router`], [`rohrpost_relay::mailbox`],
//! [`rohrpost_safe_agent::requests`], [`rohrpost_e2ee`], [`rohrpost_patient`]); only sockets, disks and clocks are
//! simulated. [`ghost`] is the oracle: it keeps what really happened beside the system and compares it with what
//! everybody believes. A run follows from its seed alone, and prints it.
#![expect(clippy::multiple_inherent_impl, reason = "a node is one value; its files are what it is asked for")]

pub mod client;
pub mod evil;
pub mod ghost;
pub mod message;
pub mod port;
pub mod random;
pub mod relay;
pub mod safe;
pub mod time;
pub mod world;

pub use evil::{EvilRelay, Move, Power};
pub use world::{Act, Config, Crash, Moment, Outcome, World};
