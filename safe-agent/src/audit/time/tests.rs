use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_wire::time::HOUR;

use super::*;
use crate::identity;
use crate::rows::PrekeyRow;
use crate::testing::{START, World};
use crate::vault::{Store as _, Table};

const FAR: Timestamp = Timestamp(START.0 + 300 * DAY);

fn upkeep(world: &mut World) {
    while world.transact(|draft, now, _| identity::retire(draft, now)) {}
    world.transact(identity::top_up);
}

fn mark(world: &World) -> Timestamp {
    world.load::<AuditHead>(AuditHead::KEY).unwrap().time
}

/// One start under a clock years ahead erased every secret, and one recorded event kept the safe in that year for ever.
#[test]
fn a_clock_far_ahead_erases_nothing_and_leaves_the_safe_in_its_time() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let mut device = world.device(patient);
    let draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.next());
    let before: Vec<PrekeyRow> = world.all();

    world.now = FAR;
    upkeep(&mut world);
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done, "recorded");
    assert_eq!(world.read(|draft| days_astray(draft, FAR)), Some(300));
    assert_eq!(mark(&world), START);
    for prekey in before {
        assert!(world.load::<PrekeyRow>(&prekey.id.0.0).is_some(), "no secret is erased");
    }

    world.now = START.plus(60);
    upkeep(&mut world);
    assert_eq!(world.read(|draft| effective_time(draft, START.plus(60))), START.plus(60));
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
}

#[test]
fn a_clock_that_goes_astray_again_and_again_does_not_fill_the_safe_with_prekeys() {
    let mut world = World::found();
    for year in 1..20 {
        world.now = START.plus(year * 365 * DAY);
        upkeep(&mut world);
    }
    assert!(world.all::<PrekeyRow>().len() < 60);
    world.now = START;
    upkeep(&mut world);
    world.trusted();
}

#[test]
fn a_clock_is_believed_to_the_last_second_of_forty_five_days() {
    for (after, believed) in [(LONGEST_JUMP_SECONDS, true), (LONGEST_JUMP_SECONDS + 1, false)] {
        let mut world = World::found();
        world.now = START.plus(after);
        upkeep(&mut world);
        assert_eq!(mark(&world) == world.now, believed);
        assert_eq!(world.read(|draft| is_clock_astray(draft, START.plus(after))), !believed);
    }
}

#[test]
fn a_safe_that_is_served_and_asked_nothing_keeps_up_with_the_time() {
    let mut world = World::found();
    for hours in (0..24 * 100).step_by(5) {
        world.now = START.plus(hours * HOUR);
        upkeep(&mut world);
        assert!(mark(&world).plus(DAY) > world.now);
    }
}

#[test]
fn the_practice_vouches_for_a_clock_forwards_and_backwards() {
    let mut world = World::found();
    for now in [FAR, START.plus(DAY)] {
        world.now = now;
        world.transact(accept_clock);
        assert_eq!(mark(&world), now);
        assert_eq!(world.read(|draft| days_astray(draft, now)), None);
        let event = world.events().pop().unwrap();
        assert_eq!((event.at, event.actor, event.action), (now, Actor::Owner, Action::ClockAccepted));
        upkeep(&mut world);
        world.trusted();
    }
}

/// Else time would start from nothing, what had ended would be open again, and the next leaf would lie over the first.
#[test]
fn behind_a_record_whose_end_is_lost_it_is_no_time_at_all_and_nothing_is_recorded() {
    let mut world = World::found();
    let leaves = world.events().len();
    world.transact(|draft, _, _| draft.delete(Table::Settings, AuditHead::KEY));
    let mut draft = Draft::new(&world.store);
    assert_eq!(effective_time(&draft, START).unwrap_err(), StoreError::Damaged);
    assert_eq!(is_clock_astray(&draft, START).unwrap_err(), StoreError::Damaged);
    assert_eq!(advance(&mut draft, START).unwrap_err(), StoreError::Damaged);
    assert_eq!(accept_clock(&mut draft, START, &mut world.rng).unwrap_err(), StoreError::Damaged);
    let event = Event::new(START, Actor::Owner, Action::PatientAdded);
    assert_eq!(append(&mut draft, &event, &mut world.rng).unwrap_err(), StoreError::Damaged);
    assert!(draft.into_writes().is_empty());
    assert_eq!(world.store.keys(Table::Audit, &[], None, 100).unwrap().len(), leaves);
}
