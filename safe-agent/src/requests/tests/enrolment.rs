//! The link, the PIN, and the five tries.

use rohrpost_e2ee::body::{Operation, Payload, Status};
use rohrpost_e2ee::exchange::RequestDraft;
use rohrpost_e2ee::link::{LINK_SECONDS, LinkSecret};

use crate::audit::{Action, Decision, Refusal};
use crate::handlers::enrol::{Counted, REQUESTS_PER_LINK};
use crate::requests::Asker;
use crate::rows::{DeviceRow, SeenRow};
use crate::testing::{Device, Invitation, Sealed, Who, World, enrolling};
use crate::vault::{SqliteStore, VaultKey, system_rng};

fn world() -> (World, Invitation) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    (world, invitation)
}

/// First transaction alone, as if the safe fell over before the second.
fn count_only(world: &mut World, sealed: &Sealed) -> Counted {
    let (incoming, asker, _) = world.open(sealed).unwrap();
    let Asker::Enrol(enrolment) = asker else { panic!("not an enrolment") };
    world.count(&incoming, &enrolment)
}

#[test]
fn five_wrong_pins_kill_a_link_for_ever() {
    let (mut world, invitation) = world();
    let key = world.key();
    for number in 0..5 {
        let got = world.try_pin(&key, &invitation, &invitation.wrong_pin(number));
        assert_eq!(got.status(), Status::WrongPin { left: 4 - number });
        assert!(got.is_bare());
    }
    for _ in 0..3 {
        assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::LinkDead);
    }
    let other = world.key();
    assert_eq!(world.try_pin(&other, &invitation, &invitation.pin).status(), Status::LinkDead, "by whomever");
    assert!(world.all::<DeviceRow>().is_empty());
    let decisions: Vec<_> = world.events().iter().map(|event| event.decision).collect();
    let count = |refusal| decisions.iter().filter(|decision| **decision == Decision::Refused(refusal)).count();
    assert_eq!((count(Refusal::WrongPin), count(Refusal::LinkDead)), (5, 4));
}

#[test]
fn the_right_pin_works_on_the_fifth_try() {
    let (mut world, invitation) = world();
    let key = world.key();
    for number in 0..4 {
        world.try_pin(&key, &invitation, &invitation.wrong_pin(number));
    }
    let got = world.try_pin(&key, &invitation, &invitation.pin);
    let Payload::Enrolled(enrolled) = &got.reply.payload else { panic!("{:?}", got.status()) };
    assert_eq!((enrolled.practice.as_str(), enrolled.patient.as_str()), ("Practice on the Hill", "Ada Example"));
    let mut device = Device { id: world.all::<DeviceRow>()[0].id, key, sequence: 0 };
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
}

#[test]
fn an_attempt_counts_though_its_pin_was_never_compared_and_is_compared_when_it_comes_again() {
    let (mut world, invitation) = world();
    let key = world.key();
    let mut last = None;
    for attempt in 1..=5 {
        let draft = world.draft(enrolling(&invitation.pin));
        let sealed = world.seal(&draft, Who::Enrol(key.clone(), invitation.secret.clone()));
        assert!(matches!(count_only(&mut world, &sealed), Counted::Compare));
        world.store.crash();
        assert_eq!(world.link(&invitation).attempts, attempt);
        last = Some((draft, sealed));
    }
    assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::LinkDead);
    let (draft, sealed) = last.unwrap();
    assert!(matches!(count_only(&mut world, &sealed), Counted::Compare), "a copy of the fifth");
    let renewed = world.seal(&draft, Who::Enrol(key, invitation.secret.clone()));
    assert_eq!(world.deliver(&renewed).status(), Status::Done, "the fifth in a new envelope");
    assert_eq!(world.deliver(&sealed).status(), Status::Done, "told again");
    assert_eq!(world.link(&invitation).attempts, 5);
}

#[test]
fn a_try_that_was_counted_for_one_pin_link_or_device_is_none_for_another() {
    let (mut world, invitation) = world();
    let patient = world.link(&invitation).patient;
    let other_link = world.invite(patient);
    let key = world.key();
    let draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let sealed = world.seal(&draft, Who::Enrol(key.clone(), invitation.secret.clone()));
    count_only(&mut world, &sealed);

    let other_pin = RequestDraft { operation: enrolling(&invitation.wrong_pin(1)), ..draft.clone() };
    let sealed = world.seal(&other_pin, Who::Enrol(key.clone(), invitation.secret.clone()));
    count_only(&mut world, &sealed);
    assert_eq!(world.link(&invitation).attempts, 2, "another PIN");
    let stranger = world.key();
    let sealed = world.seal(&draft, Who::Enrol(stranger, invitation.secret.clone()));
    count_only(&mut world, &sealed);
    assert_eq!(world.link(&invitation).attempts, 3, "another device");
    let sealed = world.seal(&draft, Who::Enrol(key, other_link.secret.clone()));
    count_only(&mut world, &sealed);
    assert_eq!(world.link(&other_link).attempts, 1, "another link");
}

#[test]
fn a_counted_try_that_comes_again_after_the_end_of_its_link_is_not_compared() {
    let (mut world, invitation) = world();
    let key = world.key();
    world.now = world.now.plus(LINK_SECONDS);
    let draft = world.draft(enrolling(&invitation.pin));
    let sealed = world.seal(&draft, Who::Enrol(key.clone(), invitation.secret.clone()));
    count_only(&mut world, &sealed);
    world.now = world.now.plus(1);
    let leaves = world.events().len();
    assert_eq!(world.deliver(&sealed).status(), Status::Repeated);
    assert_eq!(world.events().len(), leaves, "a copy leaves nothing");
    let renewed = world.seal(&draft, Who::Enrol(key, invitation.secret));
    assert_eq!(world.deliver(&renewed).status(), Status::LinkExpired);
    assert!(world.all::<DeviceRow>().is_empty());
}

#[test]
fn bad_proofs_unknown_links_and_other_operations_do_not_count_and_leave_nothing() {
    let (mut world, invitation) = world();
    let leaves = world.events().len();
    // The name of the link does not help without its secret: the proof is made under another one.
    let draft = world.draft(enrolling(&invitation.pin));
    let stranger = LinkSecret::generate(&mut world.rng);
    let who = Who::Enrol(world.key(), stranger);
    let sealed = world.seal(&draft, who);
    let (incoming, asker, _) = world.open(&sealed).unwrap();
    let Asker::Enrol(mut enrolment) = asker else { panic!("not an enrolment") };
    let unknown = world.count(&incoming, &enrolment);
    enrolment.link = invitation.secret.id();
    let forged = world.count(&incoming, &enrolment);
    for counted in [unknown, forged] {
        let Counted::Answer { answer, recorded: false } = counted else { panic!("compared") };
        assert_eq!(answer.reply.status, Status::NotAllowed);
    }
    let draft = world.draft(Operation::Status);
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    let sealed = world.seal(&draft, who);
    assert_eq!(world.deliver(&sealed).status(), Status::NotAllowed);
    let link = world.link(&invitation);
    assert_eq!((link.attempts, link.recorded), (0, 0));
    assert_eq!((world.events().len(), world.all::<SeenRow>().len()), (leaves, 0));
}

#[test]
fn a_link_works_until_its_last_second_and_not_after_and_an_expired_one_counts_nothing() {
    let (mut world, invitation) = world();
    let key = world.key();
    world.now = world.now.plus(LINK_SECONDS);
    let got = world.try_pin(&key, &invitation, &invitation.wrong_pin(0));
    assert_eq!(got.status(), Status::WrongPin { left: 4 });
    world.now = world.now.plus(1);
    assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::LinkExpired);
    assert_eq!(world.link(&invitation).attempts, 1);
    assert_eq!(world.events().last().unwrap().decision, Decision::Refused(Refusal::LinkExpired));
    world.now = world.now.minus(60);
    assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::LinkExpired, "for ever");
}

#[test]
fn a_used_link_enrols_nobody_else() {
    let (mut world, invitation) = world();
    let (first, second) = (world.key(), world.key());
    assert_eq!(world.try_pin(&first, &invitation, &invitation.pin).status(), Status::Done);
    assert_eq!(world.try_pin(&second, &invitation, &invitation.pin).status(), Status::LinkUsed);
    assert_eq!(world.all::<DeviceRow>().len(), 1);
    assert_eq!(world.link(&invitation).attempts, 1);
}

#[test]
fn a_second_link_neither_moves_a_device_nor_undoes_its_revocation() {
    let (mut world, invitation) = world();
    let key = world.key();
    assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::Done);
    let enrolled = world.all::<DeviceRow>().remove(0);
    let other = world.patient("Ben Example");
    for revoked in [None, Some(world.now)] {
        let row = DeviceRow { revoked, ..enrolled.clone() };
        world.save(&row);
        let second = world.invite(other);
        assert_eq!(world.try_pin(&key, &second, &second.pin).status(), Status::NotAllowed);
        assert_eq!(world.all::<DeviceRow>(), [row]);
        let link = world.link(&second);
        assert_eq!((link.attempts, link.used_by), (0, None), "the link is still good for another device");
    }
}

#[test]
fn an_enrolled_device_cannot_enrol_in_its_own_name() {
    let (mut world, invitation) = world();
    let patient = world.link(&invitation).patient;
    let mut device = world.device(patient);
    assert_eq!(world.ask(&mut device, enrolling(&invitation.pin)).status(), Status::NotAllowed);
    assert_eq!(world.link(&invitation).attempts, 0);
    assert!(matches!(world.events().last().unwrap().action, Action::Enrolment(_)));
}

#[test]
fn a_device_name_is_kept_without_what_could_move_a_cursor() {
    let (mut world, invitation) = world();
    let device_name = format!("\u{1b}[2J\r\nAda's\u{7}\u{202e}\u{61c} phone{}", "x".repeat(44));
    let draft = world.draft(Operation::Enrol { pin: invitation.pin.clone(), device_name });
    let who = Who::Enrol(world.key(), invitation.secret);
    let sealed = world.seal(&draft, who);
    assert_eq!(world.deliver(&sealed).status(), Status::Done);
    let name = world.all::<DeviceRow>().remove(0).name;
    assert!(name.starts_with("[2JAda's phonexxx"), "{name}");
    assert_eq!(name.chars().count(), 58);
}

/// Whoever found an old link could have the safe write a leaf and a replay record for every envelope, without end.
#[test]
fn a_link_of_any_state_makes_the_safe_write_only_so_much() {
    let (mut world, invitation) = world();
    let key = world.key();
    assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::Done);
    let mut statuses = Vec::new();
    for _ in 0..REQUESTS_PER_LINK + 20 {
        let stranger = world.key();
        statuses.push(world.try_pin(&stranger, &invitation, &invitation.pin).status());
    }
    let used = usize::from(REQUESTS_PER_LINK) - 1;
    assert!(statuses[..used].iter().all(|status| *status == Status::LinkUsed));
    assert!(statuses[used..].iter().all(|status| *status == Status::Busy));
    assert_eq!(world.all::<SeenRow>().len(), usize::from(REQUESTS_PER_LINK));
    let about_link = |action: &Action| matches!(action, Action::Enrolment(_));
    let leaves = world.events().iter().filter(|event| about_link(&event.action)).count();
    assert_eq!(leaves, usize::from(REQUESTS_PER_LINK));
}

#[test]
fn the_outcome_is_told_to_its_device_even_when_the_link_may_write_no_more() {
    let (mut world, invitation) = world();
    let draft = world.draft(enrolling(&invitation.pin));
    let who = Who::Enrol(world.key(), invitation.secret);
    for _ in 0..REQUESTS_PER_LINK + 5 {
        let sealed = world.seal(&draft, who.clone());
        assert_eq!(world.deliver(&sealed).status(), Status::Done);
    }
    assert_eq!(world.all::<SeenRow>().len(), usize::from(REQUESTS_PER_LINK));
}

#[test]
fn tries_are_counted_across_restarts() {
    let place = tempfile::TempDir::new().unwrap();
    let (path, key) = (place.path().join("vault.db"), VaultKey::generate(&mut system_rng()));
    let mut world = World::over(SqliteStore::create(&path, &key, system_rng()).unwrap());
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let device = world.key();
    for number in 0..6 {
        let got = world.try_pin(&device, &invitation, &invitation.wrong_pin(number));
        let expected = if number < 5 { Status::WrongPin { left: 4 - number } } else { Status::LinkDead };
        assert_eq!(got.status(), expected);
        let World { store, rng, now } = world;
        drop(store);
        world = World { store: SqliteStore::open(&path, &key, system_rng()).unwrap(), rng, now };
    }
    assert_eq!(world.try_pin(&device, &invitation, &invitation.pin).status(), Status::LinkDead);
}
