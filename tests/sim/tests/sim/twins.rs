//! Two worlds that differ in nothing but their secrets look the same to a relay.

use rohrpost_figures::Figures;
use rohrpost_sim::world::{LONGER, Line};
use rohrpost_sim::{Config, World};

fn seen(seed: u64, secrets: u8) -> Vec<Line> {
    let config = Config { secrets, record: true, ..Config::small(seed).in_bad_weather() };
    let outcome = World::honest(config).run();
    assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
    outcome.lines
}

#[test]
fn a_relay_sees_the_same_whatever_the_secrets_are() {
    let mut lines = 0;
    let seeds = 1..=12;
    for seed in seeds.clone() {
        let (one, other) = (seen(seed, 0), seen(seed, 7));
        lines += one.len();
        assert!(one.len() > 200, "seed {seed}: hardly anything was seen");
        if let Some((a, b)) = one.iter().zip(&other).find(|(a, b)| a != b) {
            panic!("seed {seed}:\n{}\n{}", a.0, b.0);
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
    Figures::of("sim.twins")
        .seed(1)
        .count("pairs of worlds", seeds.count() as u64)
        .count("lines of trace compared", lines as u64)
        .publish();
}

/// The comparison is worth something only if it sees what it should: the same course of events with longer documents.
#[test]
fn a_relay_sees_it_when_documents_are_longer() {
    assert_ne!(seen(1, 0), seen(1, LONGER));
}
