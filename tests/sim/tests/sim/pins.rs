//! A PIN is mistyped, and the safe or the device crashes anywhere on the way: a guess that was cut off costs one try.

use std::collections::BTreeMap;

use rohrpost_sim::{Config, Crash, Moment, Outcome, World};

/// Of worlds with one patient so many; one in five mistypes at once.
const SEEDS: u64 = 12;

fn run(seed: u64, crash: Option<(u64, Crash)>) -> Outcome {
    let crashes: BTreeMap<_, _> = crash.into_iter().collect();
    let small = Config { safes: 1, clients_per_safe: 1, hours: 1, errand_minutes: 60, ..Config::small(seed) };
    let outcome = World::honest(Config { crashes, ..small }).run();
    assert!(outcome.violations.is_empty(), "seed {seed}, crash {crash:?}: {:?}", outcome.violations);
    outcome
}

/// In good weather nothing else is given up.
fn mistypes(outcome: &Outcome) -> bool {
    outcome.tally.contains_key("errands given up")
}

#[test]
fn a_mistyped_pin_that_is_cut_off_anywhere_costs_one_try() {
    let mut tried = 0;
    for (seed, outcome) in (1..=SEEDS).map(|seed| (seed, run(seed, None))).filter(|(_, outcome)| mistypes(outcome)) {
        for at in 1..=outcome.boundaries {
            for moment in [Moment::Before, Moment::After] {
                run(seed, Some((at, Crash { moment, again: None })));
            }
        }
        tried += 1;
    }
    assert!(tried > 1, "hardly anybody mistyped");
}
