//! A crash at every flush of everybody, before and after it, and again inside the recovery.

use std::collections::BTreeMap;

use rohrpost_figures::Figures;
use rohrpost_sim::{Config, Crash, Moment, World};

const SEED: u64 = 5;

fn config(crashes: &[(u64, Moment)]) -> Config {
    let crashes: BTreeMap<_, _> = crashes.iter().map(|(at, moment)| (*at, Crash { moment: *moment })).collect();
    Config { safes: 1, clients_per_safe: 1, hours: 2, errand_minutes: 6, crashes, ..Config::small(SEED) }
}

fn survives(crashes: &[(u64, Moment)]) -> u64 {
    let outcome = World::honest(config(crashes)).run();
    assert!(outcome.violations.is_empty(), "seed {SEED}, crashes {crashes:?}: {:?}", outcome.violations);
    outcome.boundaries
}

#[test]
fn a_crash_at_any_flush_and_another_in_its_recovery_lose_and_double_nothing() {
    let boundaries = survives(&[]);
    let mut tried = 0;
    for at in 1..=boundaries {
        for first in [Moment::Before, Moment::After] {
            survives(&[(at, first)]);
            // The next flush is the crashed one's recovery, or another's work meanwhile.
            let again = if at % 2 == 0 { Moment::Before } else { Moment::After };
            survives(&[(at, first), (at + 1, again)]);
            tried += 2;
        }
    }
    Figures::of("sim.crash_points").seed(SEED).count("flushes", boundaries).count("runs with a crash", tried).publish();
}
