//! A crash at every flush of a safe or relay and at every write of a device, before and after it, and again inside the
//! recovery.

use std::collections::BTreeMap;

use rohrpost_figures::Figures;
use rohrpost_sim::{Config, Crash, Moment, Outcome, World};

const SEED: u64 = 5;

fn config(crash: Option<(u64, Crash)>) -> Config {
    let crashes: BTreeMap<_, _> = crash.into_iter().collect();
    Config { safes: 1, clients_per_safe: 1, hours: 1, errand_minutes: 4, crashes, ..Config::small(SEED) }
}

fn survives(crash: Option<(u64, Crash)>) -> Outcome {
    let outcome = World::honest(config(crash)).run();
    assert!(outcome.violations.is_empty(), "seed {SEED}, crash {crash:?}: {:?}", outcome.violations);
    outcome
}

#[test]
fn a_crash_at_any_write_and_another_in_its_recovery_lose_and_double_nothing() {
    let boundaries = survives(None).boundaries;
    let (mut runs, mut crashes) = (0, 0);
    for at in 1..=boundaries {
        for moment in [Moment::Before, Moment::After] {
            for again in [None, Some(Moment::Before), Some(Moment::After)] {
                let outcome = survives(Some((at, Crash { moment, again })));
                let count = |what| outcome.tally.get(what).copied().unwrap_or_default();
                runs += 1;
                crashes += count("crashes of a safe") + count("crashes of the relay") + count("crashes of a device");
            }
        }
    }
    assert!(crashes > runs, "hardly any recovery crashed: {crashes} crashes in {runs} runs");
    let figures = Figures::of("sim.crash_points").seed(SEED);
    figures.count("flushes and writes", boundaries).count("runs", runs).count("crashes", crashes).publish();
}
