//! One effect, however often a request arrives.

use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;

use crate::audit::{Action, Decision, Refusal};
use crate::rows::{DeviceRow, OutcomeRow, SeenRow};
use crate::testing::{LISTING, Who, World, enrolling, reading};
use crate::vault::{SqliteStore, Store, VaultKey, system_rng};

const DEPOSIT: Lane = Lane::Deposit { ttl: TtlClass::Week, reply_mailbox: Some(Fixed([6; 32])) };

fn each_envelope_is_answered_once_and_each_request_again<S: Store>(world: &mut World<S>) {
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let mut device = world.device(patient);
    for operation in [LISTING, reading(document), Operation::Status] {
        let draft = world.draft(operation.clone());
        let sealed = world.seal(&draft, device.next());
        let first = world.deliver(&sealed);
        assert_eq!(first.status(), Status::Done, "{operation:?}");
        let leaves = world.events().len();
        for _ in 0..3 {
            let again = world.deliver(&sealed);
            assert_eq!(again.status(), Status::Repeated, "{operation:?}");
            assert!(again.is_bare() && again.reply.tickets.is_empty(), "{operation:?}");
        }
        assert_eq!(world.events().len(), leaves, "a relay's copies are not decided about");

        let renewed = world.seal(&draft, device.next());
        let again = world.deliver(&renewed);
        assert_eq!(again.status(), Status::Done, "{operation:?}");
        assert_eq!(again.transfer.is_some(), first.transfer.is_some());
        assert_eq!(world.events().len(), leaves + 1);
    }
}

#[test]
fn a_read_is_answered_once_per_envelope_and_read_again_in_a_new_one() {
    each_envelope_is_answered_once_and_each_request_again(&mut World::found());
}

#[test]
fn a_read_is_answered_once_per_envelope_on_disk_too() {
    let place = tempfile::TempDir::new().unwrap();
    let key = VaultKey::generate(&mut system_rng());
    let store = SqliteStore::create(&place.path().join("vault.db"), &key, system_rng()).unwrap();
    each_envelope_is_answered_once_and_each_request_again(&mut World::over(store));
}

#[test]
fn a_retried_read_is_sent_under_a_new_key() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let mut device = world.device(patient);
    let draft = world.draft(reading(document));
    let [first, second] = [(); 2].map(|()| {
        let sealed = world.seal(&draft, device.next());
        world.deliver(&sealed).transfer.unwrap()
    });
    assert_ne!(first.object_key.expose(), second.object_key.expose());
    assert_ne!(first.context, second.context);
    assert_ne!(first.salt, second.salt);
}

#[test]
fn an_enrolment_that_arrives_again_gets_the_outcome_it_had() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let (key, link) = (world.key(), invitation.secret.clone());
    for pin in [invitation.wrong_pin(0), invitation.pin.clone()] {
        let draft = world.draft(enrolling(&pin));
        let sealed = world.seal(&draft, Who::Enrol(key.clone(), link.clone()));
        let first = world.deliver(&sealed);
        let before = (world.events().len(), world.link(&invitation).attempts, world.all::<DeviceRow>());
        let renewed = world.seal(&draft, Who::Enrol(key.clone(), link.clone()));
        let deposited = world.seal_on(DEPOSIT, &draft, Who::Enrol(key.clone(), link.clone()));
        for sealed in [&sealed, &renewed, &deposited, &sealed, &renewed] {
            let again = world.deliver(sealed);
            assert_eq!(again.status(), first.status());
            assert!(again.reply.payload == first.reply.payload);
        }
        let after = (world.events().len(), world.link(&invitation).attempts, world.all::<DeviceRow>());
        assert_eq!(before, after, "told again, not done again");
    }
    assert_eq!(world.all::<DeviceRow>().len(), 1);
    assert_eq!(world.link(&invitation).attempts, 2);
}

#[test]
fn the_outcome_of_an_enrolment_is_told_again_only_to_a_device_that_may_still_hear_it() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let draft = world.draft(enrolling(&invitation.pin));
    let who = Who::Enrol(world.key(), invitation.secret);
    let sealed = world.seal(&draft, who.clone());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    let row = world.all::<DeviceRow>().remove(0);
    world.save(&DeviceRow { revoked: Some(world.now), ..row });
    let renewed = world.seal(&draft, who);
    for sealed in [&sealed, &renewed, &renewed] {
        let again = world.deliver(sealed);
        assert_eq!(again.status(), Status::NotAllowed);
        assert!(again.is_bare());
    }
}

#[test]
fn another_operation_under_a_used_id_is_refused_and_changes_nothing() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let mut device = world.device(patient);
    let mut draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.next());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    draft.operation = reading(document);
    let sealed = world.seal(&draft, device.next());
    let got = world.deliver(&sealed);
    assert_eq!(got.status(), Status::Conflict);
    assert!(got.is_bare());
    assert_eq!(world.events().last().unwrap().decision, Decision::Refused(Refusal::Conflict));
    draft.operation = Operation::Status;
    let sealed = world.seal(&draft, device.next());
    assert_eq!(world.deliver(&sealed).status(), Status::Done, "the id still stands for what it stood for");
}

#[test]
fn another_pin_under_a_used_id_is_refused_and_not_compared() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    let mut draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let sealed = world.seal(&draft, who.clone());
    assert_eq!(world.deliver(&sealed).status(), Status::WrongPin { left: 4 });
    draft.operation = enrolling(&invitation.pin);
    let sealed = world.seal(&draft, who);
    assert_eq!(world.deliver(&sealed).status(), Status::Conflict);
    assert_eq!(world.deliver(&sealed).status(), Status::Repeated);
    assert_eq!(world.link(&invitation).attempts, 1);
    assert!(world.all::<DeviceRow>().is_empty());
}

#[test]
fn the_same_id_of_two_devices_is_two_requests() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let (mut first, mut second) = (world.device(patient), world.device(patient));
    let mut draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, first.next());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    draft.operation = LISTING;
    let sealed = world.seal(&draft, second.next());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
}

/// A relay that kept a refused envelope could have each copy written into the log, and a copy of one refused after its
/// number was taken looked like a copied device.
#[test]
fn copies_of_a_refused_envelope_write_nothing_and_raise_no_alarm() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let mut device = world.device(patient);
    let stale = world.draft(LISTING);
    world.now = world.now.plus(601);
    let pin = world.invite(patient).pin;
    let enrol = world.draft(enrolling(&pin));
    for draft in [stale, enrol] {
        let sealed = world.seal(&draft, device.next());
        let refused = world.deliver(&sealed).status();
        assert!(matches!(refused, Status::RequestExpired | Status::NotAllowed));
        let rows = (world.events().len(), world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len());
        for _ in 0..5 {
            assert!(world.deliver(&sealed).is_bare());
        }
        assert_eq!((world.events().len(), world.all::<SeenRow>().len(), world.all::<OutcomeRow>().len()), rows);
    }
    let is_listing = |action: &Action| matches!(action, Action::Listed { .. });
    let refused: Vec<_> = world.events().into_iter().filter(|event| event.decision != Decision::Allowed).collect();
    assert_eq!(refused.len(), 2);
    assert!(
        is_listing(&refused[0].action)
            && refused.iter().all(|e| e.decision != Decision::Refused(Refusal::SequenceReused))
    );
}

#[test]
fn an_envelope_that_was_refused_for_its_id_is_never_told_the_outcome_of_another() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    let mut draft = world.draft(enrolling(&invitation.pin));
    let sealed = world.seal(&draft, who.clone());
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    draft.operation = enrolling(&invitation.wrong_pin(0));
    let sealed = world.seal(&draft, who);
    for status in [Status::Conflict, Status::Repeated, Status::Repeated] {
        let got = world.deliver(&sealed);
        assert_eq!(got.status(), status);
        assert!(got.is_bare());
    }
}
