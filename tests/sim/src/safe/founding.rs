//! How a safe began: when the simulation does, or so long before that what it published first is over.

use rohrpost_safe_agent::audit;
use rohrpost_safe_agent::identity::{self, RootKeys};
use rohrpost_safe_agent::rows::IdentityRow;
use rohrpost_safe_agent::vault::{Draft, MemoryStore, Store as _, StoreError};
use rohrpost_wire::records::{IDENTITY_SECONDS, RecordSet};
use rohrpost_wire::time::{DAY, HOUR};
use rohrpost_wire::{RelayAddress, Timestamp};

use super::renewal::renewed;
use crate::random::Rng;
use crate::time::START;

/// Before the start: its first identity has been over for two days.
const AGE: u64 = IDENTITY_SECONDS + 2 * DAY;
/// Before the start: so the prekey of the first hour is over in the middle of a world, and the next one's time begins.
const NEWS: u64 = 47 * HOUR;

/// What a founded safe consists of.
pub(super) struct Founded {
    pub(super) store: MemoryStore,
    pub(super) identity: IdentityRow,
    pub(super) paper: RootKeys,
    /// What it published first, if that is over.
    pub(super) over: Option<RecordSet>,
}

#[expect(clippy::expect_used, reason = "nothing damages a store in memory")]
pub(super) fn found(practice: &str, relay: &RelayAddress, is_old: bool, rng: &mut Rng) -> Founded {
    let mut store = MemoryStore::new();
    let begun = if is_old { Timestamp(START.0 - AGE) } else { START };
    let mut draft = Draft::new(&store);
    let paper = identity::found(&mut draft, practice, relay, begun, rng).expect("a safe can be founded");
    identity::top_up(&mut draft, begun, rng).expect("prekeys can be made");
    let over = is_old.then(|| grow_old(&mut draft, begun, &paper, rng).expect("a sound store takes it"));
    let identity = identity::load(&draft).expect("it was just written").1;
    let writes = draft.into_writes();
    store.apply(writes).expect("a store in memory takes what fits");
    Founded { store, identity, paper, over }
}

/// Lies switched off, and is put in order again before the simulation begins: by a clock that the practice vouches for, a
/// new identity and new prekeys. What it had published before that.
fn grow_old(draft: &mut Draft<'_>, begun: Timestamp, paper: &RootKeys, rng: &mut Rng) -> Result<RecordSet, StoreError> {
    let first = identity::record_set(draft, begun)?;
    let now = Timestamp(START.0 - NEWS);
    audit::accept_clock(draft, now, rng)?;
    let roots = first.roots.clone();
    renewed(draft, roots, &paper.root, now)?;
    while identity::retire(draft, now)? {}
    identity::top_up(draft, now, rng)?;
    Ok(first)
}
