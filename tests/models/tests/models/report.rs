//! A search and its faults, from the proof to the figures.

use std::fmt::Debug;
use std::hash::Hash;

use rohrpost_figures::Figures;
use rohrpost_models::search::{Searched, prove, refute};
use stateright::Model;

/// Searches the model without a fault, and with each fault until its promise is broken; both as figures of this name.
pub(crate) fn prove_and_refute<M, F>(
    name: &'static str,
    model: impl Fn(F) -> M,
    none: F,
    planted: &[(F, &'static str)],
) -> Figures
where
    F: Copy + Debug,
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let Searched { states, steps, depth } = prove(model(none));
    let found = planted.iter().filter(|(fault, promise)| !refute(model(*fault), promise).is_empty()).count();
    assert_eq!(found, planted.len(), "{name}: a fault broke its promise before the first step");
    Figures::of(name)
        .count("states", states)
        .count("steps", steps)
        .count("depth", depth)
        .count("faults planted", planted.len() as u64)
        .count("faults found", found as u64)
}
