//! `serve`: the safe open, its owner's socket bound, its relay connected, until it is told to stop.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::admin::Listener;
use crate::agent::Agent;
use crate::failure::{Failure, Kind};
use crate::office::Office;
use crate::opening::{self, Attempt, OpenVault, patiently};
use crate::presence::Presence;
use crate::texts;
use crate::transfers::Transfers;
use crate::vault::{Folder, Passphrase, StoreError, Trouble, Unlock};

pub(super) fn run(
    data: &Path,
    log: &str,
    passphrase: impl FnOnce() -> Result<Passphrase, Failure>,
) -> Result<(), Failure> {
    start_log(log)?;
    let vault = open(data, &passphrase()?)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Kind::Other, format!("the system gives no threads ({})", error.kind())))?;
    let ended = runtime.block_on(serve(vault));
    // A command that still waits for its owner's bytes must not keep the safe from ending.
    runtime.shutdown_timeout(Duration::from_secs(2));
    ended
}

/// Opens the vault. The passphrase is done with here, and must not lie in memory for as long as the safe is served.
fn open(data: &Path, passphrase: &Passphrase) -> Result<OpenVault, Trouble> {
    patiently(|| match opening::open(data, &Unlock::Passphrase(passphrase)) {
        Err(trouble) if opening::is_open_elsewhere(&trouble) => Attempt::Again(Err(trouble)),
        opened => Attempt::Done(opened),
    })
}

async fn serve(vault: OpenVault) -> Result<(), Failure> {
    let OpenVault { folder, keeper, condition } = vault;
    for warning in texts::warnings(condition) {
        tracing::error!("{}", warning);
    }
    let (transfers, presence) = (Transfers::default(), Presence::served());
    let (handle, place) = (keeper.handle(), Arc::clone(&folder));
    let office = Office::new(handle, place, transfers.clone(), presence.clone(), condition);
    let listener = Listener::bind(&folder)
        .map_err(|error| Failure::new(Kind::Other, texts::socket_failed(&folder.socket_path(), &error.0)))?;
    let agent = Agent::new(keeper.handle(), Arc::clone(&folder), transfers, presence)
        .await
        .map_err(|error| store_failed(&folder, error))?;
    tracing::info!("{}", texts::SERVING);
    let (stop, stopping) = watch::channel(false);
    let ended = tokio::select! {
        ended = agent.run(stopping) => ended.map_err(|error| store_failed(&folder, error)),
        () = listener.serve(office) => Ok(()),
        () = async { told_to_stop().await; stop.send_replace(true); std::future::pending().await } => Ok(()),
    };
    keeper.shutdown().await;
    ended
}

fn store_failed(folder: &Folder, error: StoreError) -> Failure {
    Trouble::new(folder.database_path(), error).into()
}

async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Text at a terminal, JSON for a service. Standard error, so that standard output stays for answers.
fn start_log(filter: &str) -> Result<(), Failure> {
    let filter: EnvFilter =
        filter.parse().map_err(|_| Failure::new(Kind::Usage, "the log filter is not understood; try `info`"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().init();
    }
    Ok(())
}
