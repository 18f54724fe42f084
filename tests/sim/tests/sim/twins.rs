//! Two worlds that differ in nothing but their secrets look the same to a relay, an honest one and a malicious one.
//!
//! Different are the names of practices, patients and devices, PINs, titles and documents; equal are their sizes.

use rohrpost_figures::Figures;
use rohrpost_sim::world::{LONGER, Line};
use rohrpost_sim::{Config, EvilRelay, Move, Power, World};

/// A relay with every power in turn, or none.
fn moves(is_evil: bool) -> Vec<Move> {
    let of_kind = |kind: u8| Move::once(40 + 12 * u32::from(kind), Power::drawn(kind, 300, kind));
    if is_evil { (0..Power::KINDS).map(of_kind).collect() } else { Vec::new() }
}

fn seen(seed: u64, secrets: u8, is_evil: bool) -> Vec<Line> {
    let config = Config { secrets, record: true, ..Config::small(seed).in_bad_weather() };
    let world = if is_evil {
        World::with_relay(config, Box::new(EvilRelay::new(seed, moves(is_evil))))
    } else {
        World::honest(config)
    };
    let outcome = world.run();
    assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
    assert!(!is_evil || outcome.harm > 10, "seed {seed}: only {} messages were harmed", outcome.harm);
    outcome.lines
}

/// The lines that two worlds have in common, which are all.
fn compared(seed: u64, is_evil: bool) -> u64 {
    let (one, other) = (seen(seed, 0, is_evil), seen(seed, 7, is_evil));
    assert!(one.len() > 200, "seed {seed}: hardly anything was seen");
    let differs = one.iter().zip(&other).find(|(a, b)| a != b);
    assert_eq!(differs, None, "seed {seed}");
    assert_eq!(one.len(), other.len(), "seed {seed}");
    one.len() as u64
}

#[test]
fn a_relay_sees_the_same_whatever_the_secrets_are() {
    let seeds = 1..=12;
    let lines = seeds.clone().map(|seed| compared(seed, false)).sum();
    let figures = Figures::of("sim.twins").seed(1).count("pairs of worlds", seeds.count() as u64);
    figures.count("lines of trace compared", lines).publish();
}

#[test]
fn a_malicious_relay_sees_the_same_whatever_it_does_and_the_secrets_are() {
    let seeds = 1..=6;
    let lines = seeds.clone().map(|seed| compared(seed, true)).sum();
    let figures = Figures::of("sim.evil_twins").seed(1).count("pairs of worlds", seeds.count() as u64);
    figures.count("lines of trace compared", lines).publish();
}

/// The comparison is worth something only if it sees what it should: the same course of events with longer documents.
#[test]
fn a_relay_sees_it_when_documents_are_longer() {
    assert_ne!(seen(1, 0, false), seen(1, LONGER, false));
}
