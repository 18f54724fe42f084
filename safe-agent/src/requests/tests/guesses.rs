//! Guessing: ids are random, numbers next to a live one are nobody's, and a million guesses hit nothing.

use std::collections::BTreeSet;

use rand_chacha::rand_core::Rng as _;
use rohrpost_e2ee::body::{DocumentId, LinkId, Pin, RequestId, Status};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_figures::Figures;
use rohrpost_wire::fixed::Fixed;

use super::snapshot::Try;
use crate::handlers::enrol::{self, Counted};
use crate::rows::{self, LinkRow, PatientId};
use crate::testing::{START, Who, World, enrolling};
use crate::vault::Draft;

const LIVE: usize = 100_000;
const GUESSES: u64 = 1_000_000;

/// Live links, with ids as random as real ones, and all with one secret's key: for a guess at an id alone that is more
/// than fair.
fn live_links(world: &mut World) -> BTreeSet<[u8; 16]> {
    let (patient, secret) = (world.patient("Ada Example"), LinkSecret::generate(&mut world.rng));
    let (mac_key, pin) = (secret.mac_key(), Pin::generate(&mut world.rng));
    let mut ids = BTreeSet::new();
    while ids.len() < LIVE {
        world.transact(|draft, _, rng| {
            for _ in 0..10_000 {
                let mut id = [0; 16];
                rng.fill_bytes(&mut id);
                rows::save(draft, &LinkRow::new(LinkId(Fixed(id)), patient, &mac_key, pin.clone(), START.plus(1000)))?;
                ids.insert(id);
            }
            Ok(())
        });
    }
    ids
}

/// A guess in the dark, or beside a live one.
fn guess(world: &mut World, number: u64, live: &[[u8; 16]]) -> [u8; 16] {
    let mut random = [0; 16];
    world.rng.fill_bytes(&mut random);
    let near = |step: u128| {
        let beside = live[usize::try_from(number).unwrap() % live.len()];
        u128::from_be_bytes(beside).wrapping_add(step).to_be_bytes()
    };
    match number % 4 {
        0 => near(1),
        1 => near(u128::MAX),
        2 => near(1 << (number % 128)),
        _ => random,
    }
}

#[test]
fn a_million_guesses_at_a_hundred_thousand_live_links_find_none() {
    let mut world = World::found();
    let ids = live_links(&mut world);
    let live: Vec<[u8; 16]> = ids.iter().copied().collect();
    let draft = world.draft(enrolling(&Pin::parse("123456").unwrap()));
    let who = Who::Enrol(world.key(), LinkSecret::generate(&mut world.rng));
    let sealed = world.seal(&draft, who);
    let Try { incoming, mut enrolment } = Try::of(&world, &sealed);
    let (mut known, mut answered_otherwise) = (0u64, 0u64);
    for number in 0..GUESSES {
        let id = guess(&mut world, number, &live);
        enrolment.link = LinkId(Fixed(id));
        known += u64::from(ids.contains(&id));
        let mut draft = Draft::new(&world.store);
        let counted = enrol::count(&mut draft, &incoming, &enrolment, START, &mut world.rng).unwrap();
        let refused = matches!(
            &counted,
            Counted::Answer { answer, recorded: false } if answer.reply.status == Status::NotAllowed
        );
        answered_otherwise += u64::from(!refused);
    }
    assert_eq!((known, answered_otherwise), (0, 0));
    Figures::of("access.guesses")
        .seed(1)
        .count("live links", LIVE as u64)
        .count("guesses", GUESSES)
        .count("hits", known)
        .count("answers that were no plain refusal", answered_otherwise)
        .publish();
}

/// The name of a link is not enough: even one that is hit opens nothing without the link's secret.
#[test]
fn a_guess_that_hits_a_live_link_gets_the_answer_of_one_that_misses() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let draft = world.draft(enrolling(&invitation.pin));
    let who = Who::Enrol(world.key(), LinkSecret::generate(&mut world.rng));
    let sealed = world.seal(&draft, who);
    let Try { incoming, mut enrolment } = Try::of(&world, &sealed);
    let replies = [enrolment.link, invitation.secret.id()].map(|link| {
        enrolment.link = link;
        match world.count(&incoming, &enrolment) {
            Counted::Answer { answer, recorded: false } => answer.reply,
            other @ (Counted::Compare | Counted::Answer { .. }) => panic!("{other:?}"),
        }
    });
    assert_eq!(replies[0], replies[1]);
    assert_eq!(world.link(&invitation).attempts, 0);
}

/// How far from even the bits of ids are, in standard deviations, at worst; and how often an id is above the one before.
fn evenness(ids: &[[u8; 16]]) -> (f64, f64) {
    let count = f64::from(u32::try_from(ids.len()).unwrap());
    let worst = (0..128)
        .map(|bit| {
            let set = ids.iter().filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1).count();
            (f64::from(u32::try_from(set).unwrap()) - count / 2.0).abs() / (count.sqrt() / 2.0)
        })
        .fold(0.0, f64::max);
    let rising = ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
    (worst, f64::from(u32::try_from(rising).unwrap()) / count)
}

#[test]
fn ids_neither_rise_nor_repeat_nor_have_a_bit_that_leans() {
    let mut world = World::found();
    let mut draw = |kind: &str| -> Vec<[u8; 16]> {
        (0..20_000u64)
            .map(|number| match kind {
                "document" => DocumentId::generate(&mut world.rng).0.0,
                "patient" => PatientId::generate(&mut world.rng).0.0,
                "request" => RequestId::generate(&mut world.rng).0.0,
                "link" => LinkSecret::generate(&mut world.rng).id().0.0,
                "planted: ascending" => u128::from(number).to_be_bytes(),
                other => panic!("{other}"),
            })
            .collect()
    };
    for kind in ["document", "patient", "request", "link"] {
        let ids = draw(kind);
        let (worst, rising) = evenness(&ids);
        // Of 128 bits one is beyond 5.5 standard deviations once in 200,000 runs.
        assert!(worst < 5.5 && (rising - 0.5).abs() < 0.02, "{kind}: {worst} {rising}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }
    let (worst, rising) = evenness(&draw("planted: ascending"));
    assert!(worst > 100.0 && rising > 0.99, "the control: {worst} {rising}");
}
