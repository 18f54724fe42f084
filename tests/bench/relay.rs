//! The real relay as a child process, on a free port of this machine.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rohrpost_wire::RelayAddress;

use crate::plan;
use crate::process::Process;

/// How much the relay takes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Room {
    /// As it comes.
    Usual,
    /// Room for 64 calls at once from one connection, so that the limit for strangers is not what is measured.
    Wide,
}

/// Beyond 64 of each: a call counts for a moment after its caller has read the answer.
const WIDE: &str = "[limits]\ncalls_per_connection = 128\ncalls_per_safe = 128\nstreams_per_connection = 128\n";

/// Starts a relay that keeps its data in a folder.
pub(crate) fn start(folder: &Path, room: Room) -> Result<(Process, RelayAddress)> {
    let config = folder.join("relay.toml");
    let limits = match room {
        Room::Usual => "",
        Room::Wide => WIDE,
    };
    fs::write(&config, limits).with_context(|| format!("cannot write {}", config.display()))?;
    let mut command = plan::program("rohrpost-relay")?;
    command.args(["--log", "warn", "serve", "--listen", "127.0.0.1:0"]);
    command.arg("--config").arg(&config).arg("--data").arg(folder.join("relay"));
    let (relay, line) = Process::announced("relay", &mut command)?;
    let url = line.strip_prefix("relay: ").context("the relay does not say where it is")?;
    Ok((relay, url.parse()?))
}
