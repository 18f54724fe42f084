//! A malicious relay with an insider: schedules of its powers, drawn, shrunk, kept and replayed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngAlgorithm, TestRng, TestRunner};
use rohrpost_figures::Figures;
use rohrpost_sim::{Config, EvilRelay, Move, Outcome, Power, World};
use serde::{Deserialize, Serialize};

/// An attack: a world, and what its relay does.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Attack {
    seed: u64,
    moves: Vec<Move>,
}

impl Attack {
    fn run(&self) -> Outcome {
        let config = Config::attacked(self.seed);
        World::with_relay(config, Box::new(EvilRelay::new(self.seed, self.moves.clone()))).run()
    }
}

/// How many attacks are drawn.
fn attacks() -> u32 {
    env::var("ROHRPOST_SIM_ATTACKS").ok().and_then(|text| text.parse().ok()).unwrap_or(160)
}

fn seed() -> u64 {
    env::var("ROHRPOST_SIM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regress")
}

fn power() -> impl Strategy<Value = Power> {
    (0..Power::KINDS, any::<u16>(), any::<u8>()).prop_map(|(kind, wide, narrow)| Power::drawn(kind, wide, narrow))
}

fn attack() -> impl Strategy<Value = Attack> {
    let moves = prop::collection::vec((0..900u32, power()).prop_map(|(step, power)| Move { step, power }), 1..40);
    (any::<u64>().no_shrink(), moves).prop_map(|(seed, moves)| Attack { seed, moves })
}

#[derive(Default)]
struct Done {
    attacks: u64,
    harm: u64,
    broken: u64,
    tally: BTreeMap<&'static str, u64>,
}

/// What holds after every step stands in the simulation's oracle; what must hold in the end too.
#[test]
fn no_schedule_of_a_malicious_relay_breaks_an_invariant() {
    let seed = seed();
    let done = RefCell::new(Done::default());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let runner = Runner { cases: attacks(), failure_persistence: None, max_shrink_iters: 400, ..Runner::default() };
    let mut runner = TestRunner::new_with_rng(runner, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&attack(), |attack| {
        let outcome = attack.run();
        let mut done = done.borrow_mut();
        done.attacks += 1;
        done.harm += outcome.harm;
        done.broken += outcome.violations.len() as u64;
        for (what, count) in outcome.tally {
            *done.tally.entry(what).or_default() += count;
        }
        prop_assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(why, attack)) = &result {
        let json = serde_json::to_string_pretty(attack).unwrap();
        let path = kept().join(format!("{:016x}.json", attack.seed));
        fs::write(&path, &json).unwrap();
        panic!("ROHRPOST_SIM_SEED={seed}: {why}; kept as {}:\n{json}", path.display());
    }
    result.unwrap();
    let done = done.into_inner();
    assert!(done.harm > done.attacks, "powers hardly met a message: {}", done.harm);
    let count = |what| done.tally.get(what).copied().unwrap_or_default();
    assert!(count("alarms") > 0 && count("thefts tried") > 0, "{:#?}", done.tally);
    Figures::of("sim.malicious_relay")
        .seed(seed)
        .count("schedules", done.attacks)
        .count("harmful acts that met a message", done.harm)
        .count("alarms raised by clients", count("alarms"))
        .count("thefts tried by an insider", count("thefts tried"))
        .count("documents received whole", count("documents received"))
        .count("invariants broken", done.broken)
        .publish();
}

#[test]
fn every_attack_that_is_kept_fails() {
    let mut replayed = 0;
    for entry in fs::read_dir(kept()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let attack: Attack = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let outcome = attack.run();
            assert!(outcome.violations.is_empty(), "{}: {:?}", path.display(), outcome.violations);
            replayed += 1;
        }
    }
    assert!(replayed > 0, "nothing was replayed");
}

/// Short enough to be asked of every planted bug: three worlds, each power several times, an insider at work.
#[test]
fn an_insider_at_a_relay_with_all_powers_gets_nothing() {
    for seed in 1..=3 {
        let moves = (0..3 * Power::KINDS).map(|number| Move {
            step: 100 + 6 * u32::from(number),
            power: Power::drawn(7 * (number % Power::KINDS) + number / Power::KINDS, 700, number),
        });
        let outcome = Attack { seed, moves: moves.collect() }.run();
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
        assert!(outcome.harm > 20, "seed {seed}: only {} powers met a message", outcome.harm);
    }
}

#[test]
fn the_same_attack_takes_the_same_course() {
    let moves: Vec<_> = (40..60).map(|step| Move { step: 10 * step, power: Power::Duplicate(2) }).collect();
    let trace = |seed| Attack { seed, moves: moves.clone() }.run().trace;
    assert_eq!(trace(4), trace(4));
    assert_ne!(trace(4), trace(5));
}

/// Each power alone, at many moments: so that every one of them is known to have met its message.
#[test]
fn every_power_finds_a_message_to_work_on() {
    for power in (0..Power::KINDS).flat_map(|kind| [0, 1].map(|narrow| Power::drawn(kind, 700, narrow))) {
        let moves = (0..20).map(|number| Move { step: 60 + 30 * number, power }).collect();
        let outcome = Attack { seed: seed(), moves }.run();
        assert!(outcome.violations.is_empty(), "{power:?}: {:?}", outcome.violations);
        assert!(outcome.harm > 0, "{power:?} met nothing");
    }
}
