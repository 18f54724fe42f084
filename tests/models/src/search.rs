//! Going through every state of a model.
//!
//! Stateright's breadth-first search over states by their fingerprint of 64 bits. Liveness is never asked of it: it would
//! mistake two ways to one state for a circle. A model that promises an end walks there itself, from every state.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker as _, HasDiscoveries, Model};

/// How many threads search.
const THREADS: usize = 2;

/// Whether the larger form of each model is wanted: minutes instead of seconds.
pub fn is_long() -> bool {
    std::env::var_os("ROHRPOST_LONG").is_some()
}

/// What a whole search went through.
#[derive(Clone, Copy, Debug)]
pub struct Searched {
    /// Different states.
    pub states: u64,
    /// Steps between them, those to a state already known included.
    pub steps: u64,
    /// The longest way from the beginning to a state by which none is shorter.
    pub depth: u64,
}

/// Goes through every state: everything promised holds in each, and everything that shall be possible happened in one.
pub fn prove<M>(model: M) -> Searched
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let checker = model.checker().threads(THREADS).spawn_bfs().join();
    for property in checker.model().properties() {
        let found = checker.discovery(property.name);
        match (property.expectation.discovery_is_failure(), found) {
            (true, Some(path)) => panic!("{} is broken by {:#?}", property.name, path.into_actions()),
            (false, None) => panic!("it never happens that {}", property.name),
            (true, None) | (false, Some(_)) => {}
        }
    }
    let count = |count: usize| u64::try_from(count).expect("a count fits");
    Searched {
        states: count(checker.unique_state_count()),
        steps: count(checker.state_count()),
        depth: count(checker.max_depth()),
    }
}

/// Searches until this promise is broken, and tells by which steps. Fails if it holds.
pub fn refute<M>(model: M, promise: &'static str) -> Vec<M::Action>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let broken = HasDiscoveries::AnyOf(BTreeSet::from([promise]));
    let checker = model.checker().threads(THREADS).finish_when(broken).spawn_bfs().join();
    let path = checker.discovery(promise);
    path.unwrap_or_else(|| panic!("the search did not notice that a fault breaks: {promise}")).into_actions()
}
