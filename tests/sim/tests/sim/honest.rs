//! An honest relay, in good weather and in bad: nothing is lost, doubled, given to the wrong person or believed in vain.

use std::collections::BTreeMap;
use std::env;

use rohrpost_figures::Figures;
use rohrpost_sim::client::Tally;
use rohrpost_sim::{Config, Outcome, World};

/// Hours of chaos in a large world; a calm hour and what leads to it come on top.
const HOURS: u64 = 100;

fn run(config: Config) -> Outcome {
    let seed = config.seed;
    let outcome = World::honest(config).run();
    let again = format!("ROHRPOST_SIM_SEED={seed}");
    assert!(outcome.violations.is_empty(), "{again}: {:#?} {:#?}", outcome.violations, outcome.tally);
    assert_eq!(outcome.tally.get("alarms"), None, "{again}: an honest relay was taken for a malicious one");
    outcome
}

fn add(tally: &mut Tally, outcome: &Outcome) {
    for (what, count) in &outcome.tally {
        *tally.entry(what).or_default() += count;
    }
}

#[expect(clippy::print_stderr, reason = "a run can be repeated from its seed and compared by its trace")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// How many large worlds in each half: twice five make a thousand hours.
fn worlds() -> u64 {
    env::var("ROHRPOST_SIM_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

fn first_seed() -> u64 {
    env::var("ROHRPOST_SIM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[test]
fn in_good_weather_everybody_gets_everything_and_nothing_fails() {
    let outcome = run(Config::small(1));
    let count = |what| outcome.tally.get(what).copied().unwrap_or_default();
    assert_eq!(count("failed tries"), count("errands given up"), "only wrong PINs fail: {:#?}", outcome.tally);
    assert!(count("documents received") > 4 && count("deposits queued") > 4, "{:#?}", outcome.tally);
}

#[test]
fn in_bad_weather_a_small_world_loses_and_doubles_nothing() {
    for seed in 1..=6 {
        run(Config::small(seed).in_bad_weather());
    }
}

/// With more wrong clocks than right ones: what a safe has decided by one it does not take back by the next.
#[test]
fn clocks_that_jump_every_hour_take_back_nothing() {
    for seed in 1..=6 {
        let mut config = Config::small(seed).in_bad_weather();
        config.faults.clock_jumps = 600;
        run(config);
    }
}

/// Every second world from this one on. The first of them is that of the seed itself, so that it can be run alone.
fn large_worlds(first: u64) -> (Tally, u64) {
    let (mut tally, mut events) = (BTreeMap::new(), 0);
    for seed in (first..).step_by(2).zip(0..worlds()).map(|(seed, _)| seed) {
        let outcome = run(Config::large(seed, HOURS).in_bad_weather());
        say(&format!("seed={seed} trace={} events={}", outcome.trace, outcome.events));
        add(&mut tally, &outcome);
        events += outcome.events;
    }
    (tally, events)
}

fn publish(name: &'static str, first: u64) {
    let (tally, events) = large_worlds(first);
    let figures = Figures::of(name).seed(first);
    let figures = figures.count("simulated hours", worlds() * (HOURS + 2)).count("events", events);
    tally.into_iter().fold(figures, |figures, (what, count)| figures.count(what, count)).publish();
}

/// With the next one a thousand hours: two tests, since there are two cores.
#[test]
fn twenty_safes_and_two_hundred_devices_survive_the_even_half_of_a_thousand_hours() {
    publish("sim.chaos_even", first_seed() + 1);
}

#[test]
fn twenty_safes_and_two_hundred_devices_survive_the_odd_half_of_a_thousand_hours() {
    publish("sim.chaos_odd", first_seed());
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let trace = |seed| run(Config::small(seed).in_bad_weather()).trace;
    let seed = first_seed();
    assert_eq!(trace(seed), trace(seed));
    assert_ne!(trace(seed), trace(seed + 1));
    let large = || run(Config::large(seed, 3).in_bad_weather()).trace;
    assert_eq!(large(), large());
}
