//! What a relay does on a damaged folder: what it delivers of all that was confirmed, and what it tells.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rohrpost_client::{AskError, Connection, Role};
use rohrpost_relay::{BindError, Config, Limits, Relay, status};

use crate::spool::scene::{Expected, Item};

/// What came of one start.
pub(super) enum Look {
    /// It does not start.
    Refused,
    /// It started and ended by itself.
    Stopped,
    /// It delivered what nobody had sent.
    Wrong,
    /// It served, and took something new.
    Served(Served),
}

/// What is missing at a relay that serves, and what its operator knows of that.
pub(super) struct Served {
    /// Of all that was confirmed.
    pub(super) lost: BTreeSet<Item>,
    /// Rows that it found damaged.
    pub(super) damaged: u64,
    /// Rows that are set aside, as its status says: where these are named may be what is damaged.
    pub(super) aside: u64,
    /// Confirmed commits that it knows to be missing.
    pub(super) set_back: u64,
    /// Rows that it knows to be missing.
    pub(super) hidden: u64,
}

/// Starts a relay for the `start`th time, the first being 0.
pub(super) async fn look(data: &Path, expected: &Expected, start: u64) -> Look {
    let relay = match bind(data).await {
        Ok(relay) => relay,
        Err(BindError::Spool(_)) => return Look::Refused,
        Err(error) => panic!("the relay does not start: {error}"),
    };
    let asked = tokio::select! {
        biased;
        _ = relay.failed() => None,
        asked = ask(&relay, expected, start) => Some(asked),
    };
    let metrics = relay.metrics();
    let (damaged, set_back, hidden) = (metrics.quarantined.read(), metrics.missing.read(), metrics.hidden.read());
    drop(relay);
    match asked {
        Some(Ok(lost)) => {
            let aside = status::read(data).map_or(0, |status| status.spool.quarantined);
            Look::Served(Served { lost, damaged, aside, set_back, hidden })
        }
        // The client has held the bytes against the id they came under.
        Some(Err(AskError::Misbehaved)) => Look::Wrong,
        Some(Err(AskError::Refused(_) | AskError::Lost | AskError::TimedOut)) | None => Look::Stopped,
    }
}

async fn bind(data: &Path) -> Result<Relay, BindError> {
    let (data, listen) = (PathBuf::from(data), "127.0.0.1:0".parse().unwrap());
    Relay::bind(Config { data, listen, public: None, limits: Limits::default() }).await
}

/// Asks for everything, and leaves something new. What is missing of all that was there before.
async fn ask(relay: &Relay, expected: &Expected, start: u64) -> Result<BTreeSet<Item>, AskError> {
    let safe = Connection::dial(&relay.url(), Role::Safe).await.map_err(|_| AskError::Lost)?;
    safe.login(&expected.route, 1000 + start).await?;
    let lost = expected.missing(&safe, start).await?;
    for (deposit, bytes) in expected.fresh(start) {
        safe.deposit(&deposit, &bytes).await?;
    }
    let after = safe.fetch(expected.inbox(), false).await?;
    let taken = |bytes| after.iter().any(|delivered| delivered.envelope == bytes);
    if expected.fresh(start).all(|(_, bytes)| taken(bytes)) { Ok(lost) } else { Err(AskError::Lost) }
}
