use std::collections::BTreeSet;

use rand_core::Rng as _;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::RequestDraft;
use rohrpost_e2ee::trust::{self, Known, TrustError};
use rohrpost_wire::time::{DAY, HOUR};

use super::*;
use crate::rows::{DeviceRow, GrantRow, SequenceRow};
use crate::testing::{Device, START, World};

fn upkeep(world: &mut World) -> bool {
    while world.transact(|draft, now, _| retire(draft, now)) {}
    world.transact(top_up)
}

fn device(world: &mut World) -> Device {
    let patient = world.patient("Ada Example");
    world.device(patient)
}

#[test]
fn a_safe_that_is_switched_off_after_its_founding_can_be_trusted_for_thirty_days() {
    let world = World::found();
    let set = world.read(|draft| record_set(draft, START));
    let set = RecordSet::decode(&set.encode()).unwrap();
    let known = *world.trusted().known();
    let mut used = BTreeSet::new();
    for now in (0..=30 * DAY).step_by(usize::try_from(HOUR).unwrap()).map(|after| START.plus(after)) {
        let safe = trust::verify(&set, &known, now).unwrap();
        assert!(safe.prekey_until() >= now && safe.prekey_until() <= now.plus(PREKEY_SECONDS), "{now:?}");
        used.insert(safe.prekey_id());
    }
    assert_eq!(used.len(), 15, "each in its turn");
    assert!(trust::verify(&set, &known, START.minus(HOUR)).is_ok(), "a client's slow clock");
    assert_eq!(trust::verify(&set, &known, START.plus(34 * DAY)), Err(TrustError::NoPrekey));
    assert_eq!(trust::verify(&set, &Known { epoch: 2, ..known }, START), Err(TrustError::RolledBack));
}

#[test]
fn the_root_key_and_its_successor_stay_in_no_row() {
    let mut store = crate::vault::MemoryStore::new();
    let mut draft = Draft::new(&store);
    let mut rng = crate::vault::system_rng();
    let roots = found(&mut draft, "Practice on the Hill", &crate::testing::relay(), START, &mut rng).unwrap();
    let writes = draft.into_writes();
    for secret in [&roots.root, &roots.next_root] {
        let seed = secret.expose();
        for (_, _, row) in writes.iter() {
            assert!(!row.unwrap().as_bytes().windows(32).any(|window| window == seed.expose()));
        }
    }
    crate::vault::Store::apply(&mut store, writes).unwrap();
    let (_, identity) = load(&Draft::new(&store)).unwrap();
    assert_eq!(identity.inbox, InboxId::of_route_key(&identity.keys().route.public().0));
}

#[test]
fn prekeys_are_made_ahead_without_gaps_and_only_once() {
    let mut world = World::found();
    assert!(!world.transact(top_up), "founding has made them");
    for hours in [1, 47, 48, 49, 24 * 10, 24 * 29] {
        world.now = START.plus(hours * HOUR);
        upkeep(&mut world);
        assert!(!world.transact(top_up), "nothing to do twice");
        let prekeys = world.read(prekeys);
        assert!(prekeys.windows(2).all(|two| two[0].not_after == two[1].not_before), "after {hours} hours");
        assert!(prekeys[0].not_before <= world.now);
        let end = prekeys.last().unwrap().not_after;
        let ahead = PREKEYS_AHEAD_SECONDS;
        assert!(end >= world.now.plus(ahead) && end < world.now.plus(ahead + PREKEY_SECONDS));
    }
}

#[test]
fn a_safe_that_was_off_for_long_offers_prekeys_from_now_on() {
    let mut world = World::found();
    world.now = START.plus(300 * DAY);
    assert!(upkeep(&mut world));
    world.trusted();
    world.transact(audit::accept_clock);
    assert!(!upkeep(&mut world));
    let prekeys = world.read(prekeys);
    assert_eq!(prekeys.len(), 15, "the old ones are gone");
    assert_eq!(prekeys[0].not_before, world.now);
    world.trusted();
}

/// The end of the last prekey alone was looked at: after an hour with a clock years ahead the safe made no prekeys for
/// the present any more.
#[test]
fn prekeys_made_under_a_wrong_clock_do_not_keep_the_safe_from_making_the_right_ones() {
    let mut world = World::found();
    world.now = START.plus(3000 * DAY);
    assert!(world.transact(top_up));
    world.now = START.plus(40 * DAY);
    assert!(upkeep(&mut world));
    world.trusted();
    assert!(!world.transact(top_up));
}

#[test]
fn the_published_set_holds_what_a_client_may_still_take_and_fits_its_limit() {
    let mut world = World::found();
    for day in 0..40 {
        world.now = START.plus(day * DAY);
        upkeep(&mut world);
        let set = world.read(|draft| record_set(draft, world.now));
        assert!(set.prekeys.len() <= limits::PREKEY_RECORDS);
        assert_eq!(RecordSet::decode(&set.encode()).as_ref(), Ok(&set));
        world.trusted();
        let newest = world.read(prekeys).pop().unwrap();
        assert_eq!(set.prekeys.last(), Some(&newest.record), "day {day}: none is left out at the end");
    }
}

#[test]
fn a_prekey_is_published_for_a_day_beyond_its_time() {
    let mut world = World::found();
    let first = world.read(prekeys).remove(0);
    for (late, published) in [(0, true), (PREKEY_LATE_SECONDS, true), (PREKEY_LATE_SECONDS + 1, false)] {
        world.now = first.not_after.plus(late);
        upkeep(&mut world);
        let set = world.read(|draft| record_set(draft, world.now));
        assert_eq!(set.prekeys.contains(&first.record), published, "{late}");
    }
}

#[test]
fn a_secret_dies_fifteen_days_after_its_time_and_its_envelopes_with_it() {
    let mut world = World::found();
    let mut device = device(&mut world);
    let draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.next());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    let until = world.trusted().prekey_until();

    world.now = until.plus(PREKEY_SECRET_SECONDS);
    upkeep(&mut world);
    assert_eq!(world.deliver(&sealed).status(), Status::Repeated, "its last second");
    assert_eq!((world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), (1, 1));

    world.now = until.plus(PREKEY_SECRET_SECONDS + 1);
    let before = (world.events(), world.all::<DeviceRow>(), world.all::<GrantRow>(), world.all::<SequenceRow>());
    upkeep(&mut world);
    assert!(world.open(&sealed).is_err(), "nobody can open it any more");
    assert_eq!((world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), (0, 0));
    let after = (world.events(), world.all::<DeviceRow>(), world.all::<GrantRow>(), world.all::<SequenceRow>());
    assert_eq!(before, after, "nothing else is erased");
}

#[test]
fn a_clock_that_goes_back_brings_back_no_secret_and_publishes_none_that_is_over() {
    let mut world = World::found();
    let mut device = device(&mut world);
    world.now = START.plus(40 * DAY);
    upkeep(&mut world);
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    let offered = world.read(|draft| record_set(draft, world.now));
    world.now = START;
    assert!(!upkeep(&mut world), "nothing is made for a time that is over");
    assert_eq!(world.read(|draft| record_set(draft, world.now)), offered);
    assert!(world.read(prekeys).iter().all(|prekey| prekey.not_after > START.plus(25 * DAY)));
}

#[test]
fn an_outcome_lives_as_long_as_any_envelope_of_its_request_can_be_opened() {
    let mut world = World::found();
    let mut device = device(&mut world);
    let first_until = world.trusted().prekey_until();
    let draft = RequestDraft { expires: first_until.plus(10 * DAY), ..world.draft(Operation::Status) };
    let early = world.seal(&draft, device.next());
    world.now = first_until.plus(HOUR);
    let late = world.seal(&draft, device.next());
    // The later prekey's envelope overtakes the earlier one's.
    assert_eq!(world.deliver(&late).status(), Status::Done);
    assert_eq!(world.deliver(&early).status(), Status::Done);
    world.now = first_until.plus(PREKEY_SECRET_SECONDS + 1);
    upkeep(&mut world);
    assert!(world.open(&early).is_err());
    assert_eq!((world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), (1, 1));
    assert_eq!(world.deliver(&late).status(), Status::Repeated);
    world.now = world.now.plus(PREKEY_SECONDS);
    upkeep(&mut world);
    assert_eq!((world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), (0, 0));
}

#[test]
fn a_full_bucket_is_erased_in_portions_and_its_neighbours_are_left_alone() {
    let mut world = World::found();
    let prekeys = world.read(prekeys);
    let (gone, live) = (prekeys[0].clone(), prekeys[1].clone());
    let device = device(&mut world).id;
    let mut number = 0u64;
    for (prekey, rows) in [(&gone, 4500), (&live, 700)] {
        world.transact(|draft, _, rng| {
            for _ in 0..rows {
                number += 1;
                let mut envelope = [0xff; 32];
                rng.fill_bytes(&mut envelope[..8]);
                let mut request = [0; 16];
                rng.fill_bytes(&mut request);
                let (request, operation) = (rohrpost_e2ee::RequestId(Fixed(request)), Fixed([0; 32]));
                let (prekey, until) = (prekey.id, prekey.not_after);
                rows::save(draft, &SeenRow { prekey, envelope: Fixed(envelope), device, request })?;
                rows::save(draft, &OutcomeRow { device, request, operation, status: Status::Done, until })?;
            }
            Ok(())
        });
    }
    world.now = gone.not_after.plus(PREKEY_SECRET_SECONDS + 1);
    let mut calls = 1;
    while world.transact(|draft, now, _| retire(draft, now)) {
        assert!(world.load::<PrekeyRow>(&gone.id.0.0).is_none(), "the secret goes first");
        calls += 1;
    }
    assert_eq!(calls, 3);
    assert_eq!((world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), (700, 700));
    assert!(world.all::<SeenRow>().iter().all(|seen| seen.prekey == live.id));
}

/// One damaged replay record kept all upkeep from happening, and so the safe from starting.
#[test]
fn damaged_rows_are_erased_with_their_bucket_and_stop_no_upkeep() {
    let mut world = World::found();
    let mut device = device(&mut world);
    for _ in 0..3 {
        world.ask(&mut device, Operation::Status);
    }
    let prekey = world.trusted().prekey_id();
    let until = world.trusted().prekey_until();
    let garbage = || crate::vault::Row::new(vec![1, 0xff]);
    let (seen, outcomes, others) = world.read(|draft| {
        let keys = |table| draft.keys(table, &[], None, 10);
        Ok((keys(Table::Seen)?, keys(Table::Outcomes)?, keys(Table::Prekeys)?))
    });
    let other = others.into_iter().find(|key| *key != prekey.0.0).unwrap();
    world.transact(|draft, _, _| {
        draft.put(Table::Seen, &seen[0], garbage())?;
        draft.put(Table::Outcomes, &outcomes[0], garbage())?;
        draft.put(Table::Prekeys, &other, garbage())
    });
    world.now = until.plus(PREKEY_SECRET_SECONDS + 1);
    assert!(upkeep(&mut world));
    world.trusted();
    assert_eq!(world.all::<SeenRow>().len(), 0);
    assert!(world.load::<PrekeyRow>(&prekey.0.0).is_none());
}
