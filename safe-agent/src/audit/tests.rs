use rohrpost_wire::fixed::Fixed;

use super::*;
use crate::testing::{LISTING, START, World, reading};
use crate::vault::{Row, Store as _};

fn some_history() -> World {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    let mut device = world.device(patient);
    world.ask(&mut device, LISTING);
    world.ask(&mut device, reading(document));
    world.share(patient, document, None);
    world.ask(&mut device, reading(document));
    world
}

#[test]
fn every_decision_is_a_leaf_in_its_order() {
    let events = some_history().events();
    let told: Vec<_> = events.iter().map(|event| (&event.action, event.decision)).collect();
    let refused = Decision::Refused(Refusal::NotAllowed);
    assert!(matches!(
        told[..],
        [
            (Action::Founded, Decision::Allowed),
            (Action::Listed { documents: 0 }, Decision::Allowed),
            (Action::Read { offset: 0, .. }, denied),
            (Action::Read { offset: 0, .. }, Decision::Allowed),
        ] if denied == refused
    ));
    assert!(events[1..].iter().all(|event| matches!(event.actor, Actor::Device(_)) && event.patient.is_some()));
}

#[test]
fn equal_events_have_different_salts_and_hashes() {
    let mut world = World::found();
    let event = Event::new(START, Actor::Safe, Action::StatusAsked);
    for _ in 0..3 {
        world.transact(|draft, _, rng| append(draft, &event, rng));
    }
    let leaves: Vec<Leaf> = world.all();
    let mut salts: Vec<_> = leaves[1..].iter().map(|leaf| (leaf.salt, leaf.hash)).collect();
    assert!(leaves[1..].iter().all(|leaf| leaf.event == leaves[1].event));
    salts.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
    assert_eq!(salts.len(), 3);
}

#[test]
fn a_leaf_with_any_byte_flipped_is_damage() {
    let world = some_history();
    for number in 0..4u64 {
        let row = world.store.get(Table::Audit, &number.to_be_bytes()).unwrap().unwrap();
        for at in 0..row.as_bytes().len() {
            let mut bytes = row.as_bytes().to_vec();
            bytes[at] ^= 1;
            let mut draft = Draft::new(&world.store);
            draft.put(Table::Audit, &number.to_be_bytes(), Row::new(bytes)).unwrap();
            let error = read(&draft, 0, 100).map(|events| events.len());
            // The first byte is the version of all rows.
            let newer = at == 0 && row.as_bytes()[0] & 1 == 0;
            assert_eq!(
                error,
                Err(if newer { StoreError::Newer } else { StoreError::Damaged }),
                "leaf {number}, byte {at}"
            );
        }
    }
}

#[test]
fn a_leaf_that_is_missing_or_moved_is_damage_in_the_middle_as_at_the_end() {
    let world = some_history();
    for gone in 0..4u64 {
        let mut draft = Draft::new(&world.store);
        draft.delete(Table::Audit, &gone.to_be_bytes()).unwrap();
        assert_eq!(read(&draft, 0, 100).map(|events| events.len()), Err(StoreError::Damaged), "{gone}");
        assert_eq!(read(&draft, gone, 1).map(|events| events.len()), Err(StoreError::Damaged), "{gone}");
    }
    let row = world.store.get(Table::Audit, &1u64.to_be_bytes()).unwrap().unwrap();
    for place in [2u64, 4] {
        let mut draft = Draft::new(&world.store);
        draft.put(Table::Audit, &place.to_be_bytes(), row.clone()).unwrap();
        assert_eq!(read(&draft, 0, 100).map(|events| events.len()), Err(StoreError::Damaged), "{place}");
    }
}

#[test]
fn the_record_is_read_from_any_place_in_any_portion() {
    let world = some_history();
    let numbers = |from, limit| -> Vec<u64> {
        world.read(|draft| read(draft, from, limit)).into_iter().map(|(number, _)| number).collect()
    };
    assert_eq!(numbers(0, 2), [0, 1]);
    assert_eq!(numbers(2, 2), [2, 3]);
    assert_eq!(numbers(3, 100), [3]);
    assert!(numbers(4, 100).is_empty() && numbers(u64::MAX, 100).is_empty());
}

#[test]
fn numbering_has_no_gap_after_a_crash() {
    let mut world = some_history();
    let event = Event::new(START, Actor::Safe, Action::StatusAsked);
    for _ in 0..3 {
        let mut draft = Draft::new(&world.store);
        append(&mut draft, &event, &mut world.rng).unwrap();
        let writes = draft.into_writes();
        world.store.apply(writes).unwrap();
        world.store.crash();
        world.transact(|draft, _, rng| append(draft, &event, rng));
        world.store.crash();
    }
    assert_eq!(world.all::<Leaf>().iter().map(|leaf| leaf.number).collect::<Vec<_>>(), (0..7).collect::<Vec<_>>());
    assert_eq!(world.events().len(), 7);
}

#[test]
fn the_hash_of_a_leaf_is_that_of_rfc_6962_over_salt_and_event() {
    let salt = Fixed([7; 16]);
    let mut bytes = vec![0];
    bytes.extend(salt.0);
    bytes.extend(b"event");
    assert_eq!(leaf_hash(&salt, b"event").as_ref(), digest::digest(&digest::SHA256, &bytes).as_ref());
}

#[test]
fn the_time_to_act_at_is_the_latest_that_was_ever_decided_at() {
    let mut world = World::found();
    let time = |world: &World, clock| world.read(|draft| effective_time(draft, clock));
    assert_eq!(time(&world, START.minus(50)), START);
    assert_eq!(time(&world, START.plus(50)), START.plus(50));
    for (at, highest) in [(100, 100), (30, 100), (101, 101)] {
        let event = Event::new(START.plus(at), Actor::Safe, Action::StatusAsked);
        world.transact(|draft, _, rng| append(draft, &event, rng));
        assert_eq!(time(&world, START), START.plus(highest));
    }
}
