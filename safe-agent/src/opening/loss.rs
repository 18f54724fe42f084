//! Going on with a vault that was set back: what was confirmed last is gone, and its owner says so.
//!
//! Nobody else opens such a vault. The word is written into the record, and with that one commit the vault counts beyond
//! all that it had ever confirmed: the loss is accepted whole, or not at all.

use std::path::Path;

use rohrpost_wire::Timestamp;

use super::unlocked;
use crate::audit::{self, Action, Actor, Event};
use crate::rows::{self, AuditHead};
use crate::vault::{Draft, SqliteStore, Standing, Store as _, StoreError, SystemRng, Trouble, Unlock, system_rng};

/// What is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Commits that had been confirmed.
    pub missing: u64,
    /// The time of the latest decision that is still there.
    pub recorded_until: Timestamp,
}

/// Accepts that confirmed commits are missing, and records it. Nothing where none is: then nothing is changed.
pub fn accept(path: &Path, with: &Unlock<'_>, clock: Timestamp) -> Result<Option<Loss>, Trouble> {
    let (folder, key) = unlocked(path, with)?;
    let database = folder.database_path();
    let accepted =
        SqliteStore::open_set_back(&database, &key, system_rng()).and_then(|mut store| accept_in(&mut store, clock));
    accepted.map_err(|error| Trouble::new(database, error))
}

fn accept_in(store: &mut SqliteStore<SystemRng>, clock: Timestamp) -> Result<Option<Loss>, StoreError> {
    let Standing::SetBack { missing } = store.standing() else { return Ok(None) };
    let mut draft = Draft::new(store);
    let head: AuditHead = rows::load(&draft, AuditHead::KEY)?.unwrap_or_default();
    let now = audit::effective_time(&draft, clock)?;
    let event = Event::new(now, Actor::Owner, Action::LossAccepted { missing });
    audit::append(&mut draft, &event, &mut system_rng())?;
    let writes = draft.into_writes();
    store.apply(writes)?;
    store.flush()?;
    Ok(Some(Loss { missing, recorded_until: head.time }))
}
