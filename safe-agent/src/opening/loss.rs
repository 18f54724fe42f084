//! Going on with a vault that lost what it had confirmed, and its owner says so.
//!
//! Nobody else opens such a vault. The word is written into the record, and with that one commit the vault counts beyond
//! all that it had ever confirmed, and from the rows that are there: the loss is accepted whole, or not at all.

use std::path::Path;

use rohrpost_wire::Timestamp;

use super::unlocked;
use crate::audit::{self, Action, Actor, Event};
use crate::vault::{
    Condition, Draft, SqliteStore, Standing, Store as _, StoreError, Structure, SystemRng, Trouble, Unlock, system_rng,
};

/// What the owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What was found when the vault was opened for this. It is told here, for the next opening may find less: what was
    /// damaged beside the database is made anew.
    pub condition: Condition,
    /// What is gone, and accepted. Nothing where nothing is known to be: then nothing was changed.
    pub loss: Option<Loss>,
}

/// What is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Commits that had been confirmed; 0 where rows are older than they should be and nobody can tell how many.
    pub missing: u64,
    /// The time of the latest decision that is still there.
    pub recorded_until: Timestamp,
}

/// Accepts that something confirmed is missing, and records it.
pub fn accept(path: &Path, with: &Unlock<'_>, clock: Timestamp) -> Result<Accepted, Trouble> {
    let (folder, key) = unlocked(path, with)?;
    let database = folder.database_path();
    let accepted =
        SqliteStore::open_set_back(&database, &key, system_rng()).and_then(|mut store| accept_in(&mut store, clock));
    accepted.map_err(|error| Trouble::new(database, error))
}

fn accept_in(store: &mut SqliteStore<SystemRng>, clock: Timestamp) -> Result<Accepted, StoreError> {
    let condition = store.condition();
    if condition.lost().is_none() {
        return Ok(Accepted { condition, loss: None });
    }
    let missing = if let Standing::SetBack { missing } = condition.standing { missing } else { 0 };
    // What is damaged stays to be told: accepting it mends nothing.
    if condition.structure == Structure::Altered {
        store.accept_rows()?;
    }
    let mut draft = Draft::new(store);
    let recorded_until = audit::head(&draft)?.time;
    let now = audit::effective_time(&draft, clock)?;
    let event = Event::new(now, Actor::Owner, Action::LossAccepted { missing });
    audit::append(&mut draft, &event, &mut system_rng())?;
    let writes = draft.into_writes();
    store.apply(writes)?;
    store.flush()?;
    Ok(Accepted { condition, loss: Some(Loss { missing, recorded_until }) })
}
