//! A crash at every flush of a safe or relay and at every write of a device, before and after it, and again inside the
//! recovery.

use std::collections::BTreeMap;

use rohrpost_figures::Figures;
use rohrpost_sim::{Act, Config, Crash, Moment, Outcome, World};

const SEED: u64 = 5;

/// Minutes until the safe is started.
const CLOSED: u64 = 20;

/// What the practice does and when, first by commands at a safe that is down; and a PIN is mistyped before the right one.
const ACTS: [(u64, Act); 10] = [
    (1, Act::Mistype),
    (5, Act::Withdraw),
    (7, Act::Import),
    (9, Act::ShareAgain),
    (32, Act::Import),
    (34, Act::Withdraw),
    (36, Act::ShareAgain),
    (38, Act::Renew),
    (40, Act::Rotate),
    (42, Act::Revoke),
];

/// What each of them counts as, where it was done.
const DONE: [&str; 10] = [
    "PINs mistyped",
    "shares taken back at a safe that is down",
    "imports at a safe that is down",
    "shares given again at a safe that is down",
    "imports",
    "shares taken back",
    "shares given again",
    "identities renewed",
    "roots rotated",
    "devices revoked",
];

fn config(crash: Option<(u64, Crash)>) -> Config {
    let crashes: BTreeMap<_, _> = crash.into_iter().collect();
    Config {
        safes: 1,
        clients_per_safe: 1,
        hours: 1,
        errand_minutes: 4,
        closed_minutes: CLOSED,
        acts: ACTS.to_vec(),
        crashes,
        ..Config::small(SEED)
    }
}

fn survives(crash: Option<(u64, Crash)>) -> Outcome {
    let outcome = World::honest(config(crash)).run();
    assert!(outcome.violations.is_empty(), "seed {SEED}, crash {crash:?}: {:?}", outcome.violations);
    outcome
}

/// Of safes, the relay, devices and commands at a safe that is down.
fn crashes(outcome: &Outcome) -> u64 {
    let kinds = ["crashes of a safe", "crashes of the relay", "crashes of a device", "crashes of a command"];
    kinds.iter().filter_map(|kind| outcome.tally.get(kind)).sum()
}

#[test]
fn a_crash_at_any_write_and_another_in_its_recovery_lose_and_double_nothing() {
    let Outcome { boundaries, tally, .. } = survives(None);
    for done in DONE.into_iter().chain(["devices found removed", "documents received", "deposits queued"]) {
        assert!(tally.contains_key(done), "no {done}: {tally:#?}");
    }
    let (mut recoveries, mut cut_off, mut commands) = (0, 0, 0);
    for at in 1..=boundaries {
        for moment in [Moment::Before, Moment::After] {
            let once = survives(Some((at, Crash { moment, again: None })));
            assert_eq!(crashes(&once), 1, "crash {at} {moment:?}");
            commands += once.tally.get("crashes of a command").copied().unwrap_or_default();
            for again in [Moment::Before, Moment::After] {
                recoveries += 1;
                cut_off += crashes(&survives(Some((at, Crash { moment, again: Some(again) })))) - 1;
            }
        }
    }
    // Who crashes last before the calm may write nothing more before it, and in the calm nothing crashes.
    assert!(cut_off * 10 >= recoveries * 8 && cut_off <= recoveries, "{cut_off} of {recoveries} recoveries");
    assert!(commands > 0, "no command crashed");
    Figures::of("sim.crash_points")
        .seed(SEED)
        .count("flushes and writes", boundaries)
        .count("crashes at one of them", 2 * boundaries)
        .count("of these in a command at a safe that is down", commands)
        .count("recoveries", recoveries)
        .count("recoveries cut off", cut_off)
        .publish();
}
