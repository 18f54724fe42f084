//! What the clock allows, and that it never goes back.

use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::RequestDraft;
use rohrpost_wire::Timestamp;
use rohrpost_wire::frame::TtlClass;

use crate::audit::{Decision, Refusal};
use crate::requests::{CLOCK_GRACE_SECONDS, REQUEST_SECONDS};
use crate::rows::{DocumentRow, GrantRow};
use crate::testing::{Device, Got, LISTING, START, World, reading};

fn world() -> (World, Device) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let device = world.device(patient);
    (world, device)
}

fn ask_at(world: &mut World, device: &mut Device, created: Timestamp, expires: Timestamp) -> Got {
    let draft = RequestDraft { created, expires, ..world.draft(Operation::Status) };
    let sealed = world.seal(&draft, device.next());
    world.deliver(&sealed)
}

#[test]
fn a_request_is_taken_within_its_times_and_not_a_second_outside() {
    let (mut world, mut device) = world();
    let (now, latest) = (world.now, world.trusted().prekey_until().plus(REQUEST_SECONDS));
    let ahead = now.plus(CLOCK_GRACE_SECONDS);
    for (created, expires, status) in [
        (ahead, ahead, Status::Done),
        (ahead.plus(1), ahead.plus(2), Status::ClockAhead),
        (Timestamp(0), now.plus(1), Status::Done),
        (Timestamp(0), now, Status::RequestExpired),
        (now, Timestamp(0), Status::RequestExpired),
        (now, latest, Status::Done),
        (now, latest.plus(1), Status::RequestExpired),
        (now, Timestamp(u64::MAX), Status::RequestExpired),
        (Timestamp(u64::MAX), Timestamp(u64::MAX), Status::ClockAhead),
    ] {
        let got = ask_at(&mut world, &mut device, created, expires);
        assert_eq!(got.status(), status, "{created:?} {expires:?}");
        assert_eq!(got.reply.safe_time, now);
        if status != Status::Done {
            assert!(got.is_bare());
            assert_eq!(world.events().last().unwrap().decision, Decision::Refused(Refusal::OutOfTime));
        }
    }
}

/// A relay keeps a request for so long, and whoever left it there could be answered until then.
#[test]
fn a_request_may_live_as_long_as_a_relay_keeps_one_at_most() {
    assert_eq!(REQUEST_SECONDS, TtlClass::Fortnight.seconds());
}

#[test]
fn nothing_is_visible_until_it_is_shared_and_no_longer_than_it_is() {
    let (mut world, mut device) = world();
    let patient = world.load::<crate::rows::DeviceRow>(&device.id.0.0).unwrap().patient;
    let document = world.document(patient, "finding");
    let mut look = |world: &mut World| {
        let listed = world.ask(&mut device, LISTING).listed() == [document];
        let read = world.ask(&mut device, reading(document)).status() == Status::Done;
        assert_eq!(listed, read);
        listed
    };
    assert!(!look(&mut world), "not shared yet");
    world.share(patient, document, None);
    assert!(look(&mut world));
    world.delete::<GrantRow>(&DocumentRow::key_of(&patient, &document));
    assert!(!look(&mut world), "taken back");
    world.share(patient, document, Some(START.plus(100)));
    world.now = START.plus(100);
    assert!(look(&mut world), "the last second");
    world.now = START.plus(101);
    assert!(!look(&mut world), "the second after");
    world.share(patient, document, Some(START.plus(200)));
    assert!(look(&mut world), "shared anew");
}

#[test]
fn a_clock_that_goes_back_resurrects_no_share() {
    let (mut world, mut device) = world();
    let patient = world.load::<crate::rows::DeviceRow>(&device.id.0.0).unwrap().patient;
    let document = world.document(patient, "finding");
    world.share(patient, document, Some(START.plus(100)));
    assert_eq!(world.ask(&mut device, reading(document)).status(), Status::Done);
    world.now = START.plus(101);
    assert_eq!(world.ask(&mut device, reading(document)).status(), Status::NotAllowed);
    for back in [100, 1, 50] {
        world.now = START.plus(back);
        let got = world.ask(&mut device, reading(document));
        assert_eq!((got.status(), got.reply.safe_time), (Status::NotAllowed, START.plus(101)));
        assert!(world.ask(&mut device, LISTING).listed().is_empty());
    }
    let times: Vec<_> = world.events().iter().map(|event| event.at).collect();
    assert!(times.is_sorted(), "nor does the record go back");
}

#[test]
fn a_clock_that_goes_back_resurrects_no_request() {
    let (mut world, mut device) = world();
    let draft = RequestDraft { expires: START.plus(50), ..world.draft(Operation::Status) };
    let late = world.seal(&draft, device.next());
    world.now = START.plus(51);
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    world.now = START;
    assert_eq!(world.deliver(&late).status(), Status::RequestExpired);
}

#[test]
fn a_device_that_is_revoked_is_refused_from_then_on() {
    let (mut world, mut device) = world();
    let patient = world.load::<crate::rows::DeviceRow>(&device.id.0.0).unwrap().patient;
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let draft = world.draft(reading(document));
    let before = world.seal(&draft, device.next());
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    world.revoke(&device);
    assert_eq!(world.deliver(&before).status(), Status::NotAllowed, "sealed before, decided after");
    for operation in [LISTING, Operation::Status, reading(document)] {
        let got = world.ask(&mut device, operation);
        assert_eq!(got.status(), Status::NotAllowed);
        assert!(got.is_bare());
        assert_eq!(world.events().last().unwrap().decision, Decision::Refused(Refusal::Revoked));
    }
}
