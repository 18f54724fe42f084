//! Ids that name things to outsiders: 128 random bits, in no order of time, and not to be guessed.

use std::collections::BTreeSet;

use rohrpost_client::random;
use rohrpost_e2ee::{DocumentId, RequestId};
use rohrpost_figures::Figures;
use rohrpost_fuzz::dice::Dice;
use rohrpost_safe_agent::rows::PatientId;

const DRAWN: usize = 20_000;
const GUESSES: u64 = 1_000_000;

/// How far the least even of 128 bits is from even, in standard deviations; and how many neighbours rise.
fn unevenness(ids: &[[u8; 16]]) -> (f64, f64) {
    let many = f64::from(u32::try_from(ids.len()).unwrap());
    let set = |bit: usize| ids.iter().filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1).count();
    let off = |count: usize| (f64::from(u32::try_from(count).unwrap()) - many / 2.0).abs() / (many / 4.0).sqrt();
    let worst = (0..128).map(|bit| off(set(bit))).fold(0.0, f64::max);
    let rising = ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
    (worst, off(rising))
}

/// With 129 figures at once the largest of truly even ones passes this about once in two million runs.
const FAR: f64 = 6.0;

fn assert_unordered(what: &str, ids: &[[u8; 16]]) {
    let (bits, order) = unevenness(ids);
    assert!(bits < FAR && order < FAR, "{what}: {bits:.1} and {order:.1} deviations");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{what}: one twice");
}

#[test]
fn ids_are_even_in_every_bit_and_in_no_order() {
    let mut rng = random::system();
    let documents: Vec<[u8; 16]> = (0..DRAWN).map(|_| DocumentId::generate(&mut rng).0.0).collect();
    assert_unordered("documents", &documents);
    assert_unordered("patients", &(0..DRAWN).map(|_| PatientId::generate(&mut rng).0.0).collect::<Vec<_>>());
    assert_unordered("requests", &(0..DRAWN).map(|_| RequestId::generate(&mut rng).0.0).collect::<Vec<_>>());

    // Guesses at random, and around an id that is known.
    let known: BTreeSet<[u8; 16]> = documents.iter().skip(1).copied().collect();
    let (mut dice, near) = (Dice::new(1), u128::from_be_bytes(documents[0]));
    let hits = (1..=GUESSES).filter(|step| {
        let guess = if step % 2 == 0 {
            near.wrapping_add(u128::from(*step))
        } else {
            u128::from(dice.throw()) << 64 | u128::from(dice.throw())
        };
        known.contains(&guess.to_be_bytes())
    });
    assert_eq!(hits.count(), 0);
    Figures::of("fuzz.ids").count("ids", 3 * DRAWN as u64).count("guesses", GUESSES).none("hits").publish();
}

#[test]
fn ids_that_count_or_begin_with_a_time_are_noticed() {
    let mut dice = Dice::new(2);
    let counted: Vec<[u8; 16]> = (0..DRAWN as u128).map(u128::to_be_bytes).collect();
    let timed: Vec<[u8; 16]> =
        (0..DRAWN as u128).map(|at| (at << 80 | u128::from(dice.throw())).to_be_bytes()).collect();
    for (bits, order) in [unevenness(&counted), unevenness(&timed)] {
        assert!(bits > FAR && order > FAR, "{bits:.1}, {order:.1}");
    }
}
