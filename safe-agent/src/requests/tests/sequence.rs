//! Sequence numbers and the quota.

use std::collections::BTreeMap;

use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::window::WINDOW;
use rohrpost_wire::records::{PREKEY_SECONDS, PrekeyId};

use crate::audit::{Decision, Refusal};
use crate::requests::{REQUESTS_AFTER_REVOCATION, REQUESTS_PER_DEVICE};
use crate::rows::{PrekeyRow, SeenRow, SequenceRow};
use crate::testing::{Device, Got, World};

fn world() -> (World, Device) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let device = world.device(patient);
    (world, device)
}

fn ask_as(world: &mut World, device: &Device, sequence: u64) -> Got {
    let draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.at(sequence));
    world.deliver(&sealed)
}

fn last(world: &World) -> Decision {
    world.events().last().unwrap().decision
}

#[test]
fn numbers_may_overtake_each_other_and_each_is_taken_once() {
    let (mut world, device) = world();
    for (sequence, highest) in [(5, 0), (2, 5), (9, 5), (1, 9), (8, 9)] {
        let got = ask_as(&mut world, &device, sequence);
        assert_eq!((got.status(), got.reply.highest_sequence), (Status::Done, highest));
    }
    for sequence in [5, 2, 9, 1, 8] {
        let got = ask_as(&mut world, &device, sequence);
        assert_eq!((got.status(), got.reply.highest_sequence), (Status::OutOfSequence, 9));
        assert!(got.is_bare());
        assert_eq!(last(&world), Decision::Refused(Refusal::SequenceReused), "perhaps a copied device");
    }
}

#[test]
fn numbers_outside_the_window_are_refused_and_do_not_move_it() {
    let (mut world, device) = world();
    assert_eq!(ask_as(&mut world, &device, WINDOW - 1).status(), Status::Done);
    assert_eq!(ask_as(&mut world, &device, 2 * WINDOW - 2).status(), Status::Done);
    for sequence in [0, WINDOW - 2, 3 * WINDOW - 2, u64::MAX] {
        let got = ask_as(&mut world, &device, sequence);
        assert_eq!((got.status(), got.reply.highest_sequence), (Status::OutOfSequence, 2 * WINDOW - 2), "{sequence}");
        assert_eq!(last(&world), Decision::Refused(Refusal::OutOfTime));
    }
    assert_eq!(ask_as(&mut world, &device, WINDOW).status(), Status::Done);
}

#[test]
fn a_safe_that_was_set_back_reports_less_than_it_had_confirmed() {
    let (mut world, device) = world();
    assert_eq!(ask_as(&mut world, &device, 7).status(), Status::Done);
    assert_eq!(ask_as(&mut world, &device, 8).reply.highest_sequence, 7, "as confirmed");
    world.save(&SequenceRow::new(device.id));
    assert_eq!(ask_as(&mut world, &device, 9).reply.highest_sequence, 0, "less than the client has seen");
}

#[test]
fn devices_count_for_themselves() {
    let (mut world, first) = world();
    let patient = world.patient("Ben Example");
    let second = world.device(patient);
    assert_eq!(ask_as(&mut world, &first, 1).status(), Status::Done);
    let got = ask_as(&mut world, &second, 1);
    assert_eq!((got.status(), got.reply.highest_sequence), (Status::Done, 0));
}

#[test]
fn a_device_beyond_its_quota_is_told_so_and_can_fill_nothing_any_more() {
    let (mut world, device) = world();
    let prekey = world.trusted().prekey_id();
    let mut row = SequenceRow::new(device.id);
    row.recorded = BTreeMap::from([(prekey, REQUESTS_PER_DEVICE - 1)]);
    world.save(&row);
    assert_eq!(ask_as(&mut world, &device, 1).status(), Status::Done);
    let full = (world.events().len(), world.all::<SeenRow>().len());
    for sequence in 2..7 {
        let got = ask_as(&mut world, &device, sequence);
        assert_eq!((got.status(), got.reply.highest_sequence), (Status::Busy, 1), "the number is not used up");
    }
    assert_eq!((world.events().len(), world.all::<SeenRow>().len()), (full.0 + 1, full.1), "one leaf says so");
    assert_eq!(last(&world), Decision::Refused(Refusal::Quota));
    world.now = world.now.plus(PREKEY_SECONDS + 1);
    assert_eq!(ask_as(&mut world, &device, 2).status(), Status::Done, "the next prekey has room");
}

/// The count was of the last prekey alone: a device that sealed to two in turn began anew each time.
#[test]
fn sealing_to_two_prekeys_in_turn_does_not_renew_the_quota() {
    let (mut world, device) = world();
    let mut sequence = 0;
    for _ in 0..3 {
        for turn in [0, PREKEY_SECONDS + 1] {
            let now = world.now;
            // A client whose clock says that the next prekey's time has come.
            world.now = now.plus(turn);
            let mut draft = world.draft(Operation::Status);
            draft.created = now;
            sequence += 1;
            let sealed = world.seal(&draft, device.at(sequence));
            world.now = now;
            assert_eq!(world.deliver(&sealed).status(), Status::Done);
        }
    }
    let row: SequenceRow = world.load(&device.id.0.0).unwrap();
    assert_eq!(row.recorded.into_values().collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn the_counts_of_prekeys_that_are_gone_are_forgotten() {
    let (mut world, device) = world();
    for _ in 0..20 {
        let sequence = world.load::<SequenceRow>(&device.id.0.0).map_or(0, |row| row.window.highest()) + 1;
        assert_eq!(ask_as(&mut world, &device, sequence).status(), Status::Done);
        world.now = world.now.plus(PREKEY_SECONDS);
        world.transact(|draft, now, rng| {
            crate::identity::retire(draft, now)?;
            crate::identity::top_up(draft, now, rng)
        });
    }
    let row: SequenceRow = world.load(&device.id.0.0).unwrap();
    let prekeys: Vec<PrekeyId> = world.all::<PrekeyRow>().iter().map(|prekey| prekey.id).collect();
    assert!(row.recorded.len() <= 10, "{}", row.recorded.len());
    let gone = row.recorded.keys().filter(|prekey| !prekeys.contains(prekey)).count();
    assert!(gone <= 1, "at most what was retired since the last request");
}

/// A phone that was revoked could have the safe write ten thousand refusals for every prekey, for ever.
#[test]
fn of_a_revoked_device_only_so_much_is_recorded_however_long_it_tries() {
    let (mut world, mut device) = world();
    world.revoke(&device);
    let leaves = world.events().len();
    for _ in 0..REQUESTS_AFTER_REVOCATION + 20 {
        assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::NotAllowed);
    }
    let most = REQUESTS_AFTER_REVOCATION as usize;
    assert_eq!((world.events().len() - leaves, world.all::<SeenRow>().len()), (most, most));
}
