//! The relay over loopback QUIC: what a peer sees of it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure in a helper is a failed test"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever else arrives is a failed test")]

mod calls;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod flood;
mod hostile;
#[cfg(target_os = "linux")]
mod initials;
mod limits;
mod logins;
mod peer;
mod process;
mod reflection;
mod spooling;
mod stalls;
#[cfg(target_os = "linux")]
mod taken_back;

use std::net::SocketAddr;
use std::path::Path;

use rohrpost_relay::{Config, Limits, Relay};

/// A relay in a folder of its own.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn relay(&self) -> Relay {
        self.relay_with(Limits::default()).await
    }

    pub(crate) async fn relay_with(&self, limits: Limits) -> Relay {
        Relay::bind(config(self.folder.path(), limits, loopback(0))).await.unwrap()
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(crate) fn config(data: &Path, limits: Limits, listen: SocketAddr) -> Config {
    Config { data: data.to_owned(), listen, public: None, limits }
}
