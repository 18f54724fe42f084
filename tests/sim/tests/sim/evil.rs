//! A malicious relay with an insider: schedules of its powers, drawn, shrunk, kept and replayed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngAlgorithm, TestRng, TestRunner};
use rohrpost_figures::Figures;
use rohrpost_sim::evil::{AnyPower, CallPower, RecordsPower};
use rohrpost_sim::port::Peer;
use rohrpost_sim::{Config, EvilRelay, Move, Outcome, Power, World};
use serde::{Deserialize, Serialize};

/// An attack: a world, and what its relay does.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Attack {
    seed: u64,
    moves: Vec<Move>,
}

#[expect(clippy::panic, clippy::unwrap_used, reason = "it speaks for the test that calls it")]
impl Attack {
    fn run(&self) -> Outcome {
        let config = Config::attacked(self.seed);
        World::with_relay(config, Box::new(EvilRelay::new(self.seed, self.moves.clone()))).run()
    }

    /// Runs and holds; an attack that succeeds is kept, and tried again by every later run.
    fn must_fail(&self) -> Outcome {
        let outcome = self.run();
        if !outcome.violations.is_empty() {
            let (path, json) = self.keep();
            panic!("{:?}; kept as {}:\n{json}", outcome.violations, path.display());
        }
        outcome
    }

    fn keep(&self) -> (PathBuf, String) {
        let json = serde_json::to_string_pretty(self).unwrap();
        let path = kept().join(format!("{:016x}-{}.json", self.seed, self.moves.len()));
        fs::write(&path, &json).unwrap();
        (path, json)
    }
}

/// The worlds in which each power is known to find something to harm.
const POWERS: u64 = 1;

/// How many attacks are drawn.
fn attacks() -> u32 {
    env::var("ROHRPOST_SIM_ATTACKS").ok().and_then(|text| text.parse().ok()).unwrap_or(80)
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

/// One of the four devices or two safes of a small world, or nobody in particular.
fn victim() -> impl Strategy<Value = Option<Peer>> {
    prop_oneof![3 => Just(None), 2 => (0..4usize).prop_map(|at| Some(Peer::Client(at))),
        1 => (0..2usize).prop_map(|at| Some(Peer::Safe(at)))]
}

fn one_move() -> impl Strategy<Value = Move> {
    let minutes = prop_oneof![3 => Just(0u16), 1 => 1..90u16];
    (0..900u32, power(), victim(), minutes).prop_map(|(step, power, victim, minutes)| Move {
        step,
        power,
        victim,
        minutes,
    })
}

fn attack() -> impl Strategy<Value = Attack> {
    let moves = prop::collection::vec(one_move(), 1..40);
    (any::<u64>().no_shrink(), moves).prop_map(|(seed, moves)| Attack { seed, moves })
}

#[derive(Default)]
struct Done {
    attacks: u64,
    harm: u64,
    unused: u64,
    broken: u64,
    sealed: u64,
    tally: BTreeMap<&'static str, u64>,
}

impl Done {
    fn add(&mut self, outcome: Outcome) {
        let Outcome { harm, unused, sealed, violations, tally, .. } = outcome;
        self.merge(Self { attacks: 1, harm, unused, sealed, broken: violations.len() as u64, tally });
    }

    fn merge(&mut self, other: Self) {
        self.attacks += other.attacks;
        self.harm += other.harm;
        self.unused += other.unused;
        self.sealed += other.sealed;
        self.broken += other.broken;
        for (what, count) in other.tally {
            *self.tally.entry(what).or_default() += count;
        }
    }

    fn count(&self, what: &str) -> u64 {
        self.tally.get(what).copied().unwrap_or_default()
    }

    /// How many answers of a kind went to each other's client.
    fn exchanged(&self, what: &str) -> u64 {
        self.count(&format!("{what} exchanged between two clients"))
    }

    /// What every attack has to show. That an alarm was in vain, or missing, would have broken an invariant.
    fn figures(&self, name: &'static str) -> Figures {
        Figures::of(name)
            .count("schedules", self.attacks)
            .count("messages withheld, changed or made up", self.harm)
            .count("single moves that were never due", self.unused)
            .count("spoiled answers received", self.count("spoiled answers received"))
            .count("alarms raised by clients", self.count("alarms"))
            .count("documents received whole", self.count("documents received"))
            .count("sealed, none of it twice alike", self.sealed)
            .count("invariants broken", self.broken)
    }
}

#[expect(clippy::print_stderr, reason = "shrinking takes its time, and what was found is known before")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// What holds after every step stands in the simulation's oracle; what must hold in the end too.
#[test]
fn no_schedule_of_a_malicious_relay_breaks_an_invariant() {
    let mut done = Done::default();
    // In two halves, since there are two cores.
    std::thread::scope(|scope| {
        let halves =
            [0, 1].map(|half| scope.spawn(move || try_drawn(half, attacks() / 2 + attacks() % 2 * u32::from(half))));
        for half in halves {
            done.merge(half.join().unwrap());
        }
    });
    assert!(done.harm > done.attacks, "hardly any harm was done: {}", done.harm);
    let [replies, challenges] = ["replies", "challenges"].map(|what| done.exchanged(what));
    let tried = ["alarms", "thefts tried", "forgeries left"].map(|what| done.count(what));
    assert!(tried.iter().chain([&replies]).all(|count| *count > 0), "{:#?}", done.tally);
    done.figures("sim.malicious_relay")
        .seed(seed())
        .count("replies exchanged between two clients", replies)
        .count("challenges exchanged between two clients", challenges)
        .count("thefts tried by an insider", done.count("thefts tried"))
        .count("requests crafted by an insider and answered", done.count("crafted requests answered"))
        .count("forgeries left by an insider", done.count("forgeries left"))
        .publish();
}

/// Tries so many schedules of one half of those drawn. One that succeeds is shrunk and kept.
#[expect(clippy::panic, clippy::unwrap_used, reason = "it speaks for the test that calls it")]
fn try_drawn(half: u8, count: u32) -> Done {
    let (seed, done) = (seed(), RefCell::new(Done::default()));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = half;
    let runner = Runner { cases: count, failure_persistence: None, max_shrink_iters: 400, ..Runner::default() };
    let mut runner = TestRunner::new_with_rng(runner, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&attack(), |attack| {
        let outcome = attack.run();
        let (violations, trace) = (outcome.violations.clone(), outcome.trace.clone());
        done.borrow_mut().add(outcome);
        if let Some(violation) = violations.first() {
            say(&format!("seed {}, {} moves: {violation}", attack.seed, attack.moves.len()));
        }
        prop_assert!(violations.is_empty(), "{:?}", violations);
        // Now and then the same once more: what is found can be found again.
        if done.borrow().attacks % 16 == 1 {
            prop_assert_eq!(trace, attack.run().trace);
        }
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(why, attack)) = &result {
        let (path, json) = attack.keep();
        panic!("ROHRPOST_SIM_SEED={seed}: {why}; kept as {}:\n{json}", path.display());
    }
    result.unwrap();
    done.into_inner()
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
            assert_eq!(outcome.trace, attack.run().trace, "{}", path.display());
            replayed += 1;
        }
    }
    assert!(replayed > 0, "nothing was replayed");
}

/// Short enough to be asked of every planted bug: three worlds, in which each of them shows; each power several times, an
/// insider at work.
#[test]
fn an_insider_at_a_relay_with_all_powers_gets_nothing() {
    for seed in [1, 2, 13] {
        let moves = (0..3 * Power::KINDS).map(|number| {
            let kind = (7 * (number % Power::KINDS) + number / Power::KINDS) % Power::KINDS;
            Move::once(100 + 6 * u32::from(number), Power::drawn(kind, 700, number))
        });
        let outcome = Attack { seed, moves: moves.collect() }.must_fail();
        assert!(outcome.harm > 20, "seed {seed}: only {} messages were harmed", outcome.harm);
    }
}

#[test]
fn the_same_attack_takes_the_same_course() {
    let moves: Vec<_> = (40..60).map(|step| Move::once(10 * step, Power::Call(CallPower::Duplicate(2)))).collect();
    let trace = |seed| Attack { seed, moves: moves.clone() }.run().trace;
    assert_eq!(trace(4), trace(4));
    assert_ne!(trace(4), trace(5));
}

/// Each kind of power alone, in several forms and at many moments: so that every kind is known to have done harm.
#[test]
fn every_power_does_harm_and_none_gets_anything() {
    for kind in 0..Power::KINDS {
        let moves = (0..20).map(|number| Move::once(60 + 30 * u32::from(number), Power::drawn(kind, 700, number)));
        let outcome = Attack { seed: POWERS, moves: moves.collect() }.must_fail();
        assert!(outcome.harm > 0, "kind {kind} did no harm");
    }
}

/// Who has met a safe knows its newest identity; on the first visit, the time alone tells that one is over.
#[test]
fn a_newcomer_who_is_shown_only_what_is_over_takes_none_of_it() {
    let over = [RecordsPower::Mixture(0), RecordsPower::Mixture(1), RecordsPower::Stale(0)];
    for power in over {
        let lasting = Move { victim: Some(Peer::Client(1)), minutes: 90, ..Move::once(1, Power::Records(power)) };
        let outcome = Attack { seed: POWERS, moves: vec![lasting] }.must_fail();
        let late = outcome.tally.get("spoiled answers received").copied().unwrap_or_default();
        assert!(late > 0, "{power:?}: {:#?}", outcome.tally);
    }
}

/// The oracle accuses whoever leaves a patient without a word for an hour; these tries have nothing that could end them.
#[test]
fn a_patient_whom_a_relay_cuts_off_is_told_so_within_the_hour() {
    let given_up = |moves| {
        let outcome = Attack { seed: POWERS, moves }.must_fail();
        outcome.tally.get("errands given up").copied().unwrap_or_default()
    };
    let anyway = given_up(Vec::new());
    for power in [AnyPower::Drop, AnyPower::Close] {
        let lasting = Move { victim: Some(Peer::Client(1)), minutes: 90, ..Move::once(1, Power::Any(power)) };
        let more = given_up(vec![lasting]);
        assert!(more > anyway, "{power:?}: {more}, and {anyway} without it");
    }
}

/// Each power for an hour and a half against one patient, then against one practice: what lasts must be told, and only
/// to whom it concerns.
#[test]
fn a_patient_or_a_practice_that_is_singled_out_is_told_and_nobody_else_is() {
    let mut done = Done::default();
    for kind in 0..Power::KINDS {
        let harm = done.harm;
        for (victim, narrow) in [(Peer::Client(1), 0), (Peer::Safe(0), 1)] {
            let lasting =
                Move { victim: Some(victim), minutes: 90, ..Move::once(120, Power::drawn(kind, 700, narrow)) };
            done.add(Attack { seed: POWERS, moves: vec![lasting] }.must_fail());
        }
        assert!(done.harm > harm, "kind {kind} did no harm to whom it was aimed at");
    }
    assert!(done.count("alarms") > 0 && done.count("spoiled answers received") > 0, "{:#?}", done.tally);
    done.figures("sim.singled_out").seed(POWERS).publish();
}
