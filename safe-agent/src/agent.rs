//! The safe at its relay: one outbound connection, kept up; what comes in answered, what was decided carried out.
//!
//! The only place of this crate that spawns, and it decides nothing: [`crate::requests`] does. It listens on no network
//! address. When the connection is lost it comes back, with pauses that grow and jitter, so that a relay's restart is
//! not followed by all safes at once.

mod answering;
pub(crate) mod enrolling;
mod keyring;
mod mailbox;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use rand_core::Rng as _;
use rohrpost_client::{AskError, ConnectError, Connection, IncomingCall, Role};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::ErrorCode;
use rohrpost_wire::records::RecordSet;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::identity;
use crate::presence::Presence;
use crate::rows::{self, LoginCounter};
use crate::transfers::Transfers;
use crate::vault::{Draft, Folder, StoreError, VaultHandle, system_rng};

use self::answering::Answering;
use self::keyring::Keyring;

/// The pause after the first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause: a practice whose line came back waits no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How often prekeys are looked after. Each is offered for 48 hours, so an hour is soon enough.
const UPKEEP: Duration = Duration::from_hours(1);

/// A served safe. Dropping its future ends it in the middle of whatever it does.
#[derive(Clone, Debug)]
pub struct Agent {
    vault: VaultHandle,
    presence: Presence,
    answering: Answering,
}

/// Why a session with the relay ended.
#[derive(Debug, thiserror::Error)]
enum SessionEnd {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the connection was lost")]
    Lost(Option<ErrorCode>),
    #[error("told to stop")]
    Stopped,
}

impl Agent {
    /// Prepares to serve an open vault: makes the prekeys that are missing.
    pub async fn new(
        vault: VaultHandle,
        folder: Arc<Folder>,
        transfers: Transfers,
        presence: Presence,
    ) -> Result<Self, StoreError> {
        let keyring = upkeep(&vault).await?;
        let answering = Answering::new(vault.clone(), folder, transfers, keyring);
        Ok(Self { vault, presence, answering })
    }

    /// Serves until `stop` is true or gone, or the store fails, which only a restart can mend. Every other trouble
    /// passes.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut failures = 0u32;
        loop {
            let end = self.session(&mut failures, &mut stop).await;
            self.presence.set_connected(false);
            let pause = match end {
                SessionEnd::Stopped => return Ok(()),
                SessionEnd::Store(error) if error != StoreError::DiskFull => return Err(error),
                SessionEnd::Lost(Some(ErrorCode::Superseded)) => {
                    tracing::warn!("another safe has logged in with this safe's key; was the data folder copied?");
                    LONGEST_PAUSE
                }
                SessionEnd::Connect(_) | SessionEnd::Ask(_) | SessionEnd::Store(_) | SessionEnd::Lost(_) => {
                    tracing::info!(reason = %end, "not connected to the relay");
                    pause(failures)
                }
            };
            failures = failures.saturating_add(1);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut stop) => return Ok(()),
            }
        }
    }

    async fn session(&self, failures: &mut u32, stop: &mut watch::Receiver<bool>) -> SessionEnd {
        let connected = tokio::select! {
            connected = self.connect() => connected,
            () = stopped(stop) => return SessionEnd::Stopped,
        };
        let connection = match connected {
            Ok(connection) => Arc::new(connection),
            Err(end) => return end,
        };
        self.presence.set_connected(true);
        tracing::info!("logged in at the relay");
        let since = clock::now();
        let end = tokio::select! {
            end = self.serve(&connection) => end,
            () = stopped(stop) => SessionEnd::Stopped,
        };
        // A relay that takes logins and hangs up is no better than one that does not answer.
        if clock::now() > since.plus(LONGEST_PAUSE.as_secs()) {
            *failures = 0;
        }
        // Said aloud, the relay answers `away` at once; unsaid, only after its idle timeout.
        connection.close().await;
        end
    }

    /// Looks after the prekeys first: the safe may have been without its relay for weeks.
    async fn connect(&self) -> Result<Connection, SessionEnd> {
        self.answering.keyring().replace(upkeep(&self.vault).await?);
        let relay = transact(&self.vault, |draft| Ok(identity::load(draft)?.0.relay)).await?;
        let connection = Connection::dial(&relay, Role::Safe).await?;
        let login = transact(&self.vault, begin_login).await?;
        connection.login(&login.route, login.counter).await?;
        publish(&connection, &login.records).await;
        Ok(connection)
    }

    /// Takes calls and envelopes until the connection ends. Everything spawned here ends with it.
    async fn serve(&self, connection: &Arc<Connection>) -> SessionEnd {
        let mut tasks = JoinSet::new();
        let (answering, link) = (self.answering.clone(), Arc::clone(connection));
        tasks.spawn(async move { mailbox::empty(answering, link).await });
        let mut hourly = tokio::time::interval(UPKEEP);
        hourly.set_missed_tick_behavior(MissedTickBehavior::Delay);
        hourly.reset();
        loop {
            tokio::select! {
                call = connection.accept() => {
                    let Some(call) = call else { return SessionEnd::Lost(connection.close_reason()) };
                    let answering = self.answering.clone();
                    tasks.spawn(async move { answer_call(&answering, call).await });
                }
                Some(ended) = tasks.join_next() => match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return SessionEnd::Store(error),
                    // A fault of our own. A new session starts whatever has ended with it.
                    Err(error) => {
                        tracing::error!(panic = error.is_panic(), "a task of this session broke off");
                        return SessionEnd::Lost(None);
                    }
                },
                _ = hourly.tick() => {
                    let (agent, link) = (self.clone(), Arc::clone(connection));
                    tasks.spawn(async move { agent.keep_up(&link).await });
                }
            }
        }
    }

    async fn keep_up(&self, connection: &Connection) -> Result<(), StoreError> {
        self.answering.keyring().replace(upkeep(&self.vault).await?);
        let records = transact(&self.vault, |draft| identity::record_set(draft, clock::now())).await?;
        publish(connection, &records).await;
        Ok(())
    }
}

/// A relay that does not take the records now is given them at the next time or login; calls go on meanwhile.
async fn publish(connection: &Connection, records: &RecordSet) {
    if let Err(error) = connection.publish(records).await {
        tracing::warn!(reason = %error, "the relay did not take the safe's records");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that says it too.
    let _told_or_gone = stop.wait_for(|stop| *stop).await;
}

async fn answer_call(answering: &Answering, mut call: IncomingCall) -> Result<(), StoreError> {
    let Ok((_ticket, envelope)) = call.request().await else {
        call.abort();
        return Ok(());
    };
    match answering.answer(&envelope, Lane::Live).await {
        Ok(answered) => {
            sending::send(call, answered).await;
            Ok(())
        }
        // The caller learns nothing of it and asks again.
        Err(StoreError::DiskFull | StoreError::JobPanicked) => {
            call.abort();
            Ok(())
        }
        Err(error) => {
            call.abort();
            Err(error)
        }
    }
}

struct Login {
    route: SigningSecret,
    counter: u64,
    records: RecordSet,
}

/// Counts a login before it happens, and gathers what it needs.
fn begin_login(draft: &mut Draft<'_>) -> Result<Login, StoreError> {
    let (_, identity) = identity::load(draft)?;
    let mut counter: LoginCounter = rows::load(draft, LoginCounter::KEY)?.unwrap_or_default();
    counter.0 += 1;
    rows::save(draft, &counter)?;
    let records = identity::record_set(draft, clock::now())?;
    Ok(Login { route: identity.keys().route, counter: counter.0, records })
}

/// Makes prekeys ahead, erases old secrets, and returns the keys to open with.
async fn upkeep(vault: &VaultHandle) -> Result<Keyring, StoreError> {
    let now = clock::now();
    while transact(vault, move |draft| identity::retire(draft, now)).await? {}
    transact(vault, move |draft| {
        identity::top_up(draft, now, &mut system_rng())?;
        let (_, identity) = identity::load(draft)?;
        Ok(Keyring::new(identity.pin, identity.inbox, identity::prekeys(draft)?))
    })
    .await
}

/// For rows without which the safe cannot be: their damage is the store's.
async fn transact<T: Send + 'static>(
    vault: &VaultHandle,
    job: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    vault.transact(job).await?
}

/// Between half and one and a half times the doubled pause.
fn pause(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let jitter = system_rng().next_u32();
    doubled / 2 + doubled.mul_f64(f64::from(jitter) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_jitter() {
        for (failures, base) in [(0, 500), (3, 4000), (30, 60_000)] {
            let pauses: Vec<u128> = (0..100).map(|_| pause(failures).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (base / 2..=base * 3 / 2).contains(pause)), "{failures}");
            assert!(pauses.iter().max() > pauses.iter().min(), "{failures}: no jitter");
        }
    }
}
