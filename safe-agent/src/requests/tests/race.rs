//! Enrolments that overlap: two transactions each, in whatever order a safe may run them.

use std::sync::Arc;

use rohrpost_e2ee::body::Status;
use rohrpost_e2ee::keys::SigningSecret;
use tokio::task::JoinSet;

use crate::audit::{Decision, Refusal};
use crate::handlers::enrol::{self, Counted};
use crate::requests::{Answer, Asker, Enrolment, Incoming};
use crate::rows::{self, DeviceRow, LinkRow, OutcomeRow};
use crate::testing::{Invitation, START, Sealed, Who, World, enrolling};
use crate::vault::{Draft, Keeper, StoreError, Table, VaultHandle, system_rng};

fn opened(world: &World, sealed: &Sealed) -> (Incoming, Enrolment) {
    let (incoming, asker, _) = world.open(sealed).unwrap();
    let Asker::Enrol(enrolment) = asker else { panic!("not an enrolment") };
    (incoming, enrolment)
}

/// As the agent does it: the second transaction only after the first is durable. The flag says whether a PIN was
/// compared.
async fn enrol_through(vault: VaultHandle, incoming: Incoming, enrolment: Enrolment) -> (bool, Answer) {
    let request = Arc::new((incoming, enrolment));
    let first = Arc::clone(&request);
    let count = move |draft: &mut Draft<'_>| enrol::count(draft, &first.0, &first.1, START, &mut system_rng());
    match vault.transact(count).await.unwrap().unwrap() {
        Counted::Answer { answer, .. } => (false, answer),
        Counted::Compare => {
            let compare =
                move |draft: &mut Draft<'_>| enrol::compare(draft, &request.0, &request.1, START, &mut system_rng());
            (true, vault.transact(compare).await.unwrap().unwrap())
        }
    }
}

async fn all_at_once(vault: &VaultHandle, requests: Vec<(Incoming, Enrolment)>) -> Vec<(bool, Status)> {
    let mut tasks = JoinSet::new();
    for (incoming, enrolment) in requests {
        tasks.spawn(enrol_through(vault.clone(), incoming, enrolment));
    }
    tasks.join_all().await.into_iter().map(|(compared, answer)| (compared, answer.reply.status)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_wrong_pins_at_once_exactly_five_are_compared() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let requests = (0..64u8)
        .map(|number| {
            let draft = world.draft(enrolling(&invitation.wrong_pin(number % 9)));
            let who = Who::Enrol(world.key(), invitation.secret.clone());
            let sealed = world.seal(&draft, who);
            opened(&world, &sealed)
        })
        .collect();
    let last = world.draft(enrolling(&invitation.pin));
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    let last = world.seal(&last, who);
    let last = opened(&world, &last);
    let keeper = Keeper::start(Box::new(world.store));
    let answers = all_at_once(&keeper.handle(), requests).await;
    assert_eq!(answers.iter().filter(|(compared, _)| *compared).count(), 5);
    for (compared, status) in answers {
        let wrong = matches!(status, Status::WrongPin { .. });
        assert_eq!(wrong, compared, "{status:?}");
        assert!(compared || status == Status::LinkDead, "{status:?}");
    }
    assert_eq!(all_at_once(&keeper.handle(), vec![last]).await, [(false, Status::LinkDead)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_devices_with_the_right_pin_exactly_one_wins() {
    for seed in 0..8 {
        let mut world = World::found();
        let patient = world.patient("Ada Example");
        let invitation = world.invite(patient);
        let keys: Vec<SigningSecret> = (0..2).map(|_| world.key()).collect();
        let mut requests: Vec<_> = keys
            .iter()
            .map(|key| {
                let draft = world.draft(enrolling(&invitation.pin));
                let sealed = world.seal(&draft, Who::Enrol(key.clone(), invitation.secret.clone()));
                opened(&world, &sealed)
            })
            .collect();
        if seed % 2 == 1 {
            requests.reverse();
        }
        let keeper = Keeper::start(Box::new(world.store));
        let statuses: Vec<_> =
            all_at_once(&keeper.handle(), requests).await.into_iter().map(|(_, status)| status).collect();
        let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(Status::Done), count(Status::LinkUsed)), (1, 1), "{statuses:?}");
        let secret = invitation.secret.id();
        let look = move |draft: &mut Draft<'_>| {
            let link: Option<LinkRow> = rows::load(draft, &secret.0.0)?;
            Ok::<_, StoreError>((link.unwrap(), rows::list::<DeviceRow>(draft, &[], None, 10)?))
        };
        let (link, devices) = keeper.handle().transact(look).await.unwrap().unwrap();
        assert_eq!(devices.iter().map(|device| Some(device.id)).collect::<Vec<_>>(), [link.used_by]);
    }
}

/// A safe that has invited a patient, and the device that holds the link.
fn invited() -> (World, Invitation, Who) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    (world, invitation, who)
}

/// Every one is counted before any is compared.
fn count_all(world: &mut World, requests: &[(Incoming, Enrolment)]) {
    for (incoming, enrolment) in requests {
        assert!(matches!(world.count(incoming, enrolment), Counted::Compare));
    }
}

/// A client that asks on both lanes had both attempts counted before either was compared: the second then found the
/// link used, by its own device, and wrote that over the outcome.
#[test]
fn two_envelopes_of_one_enrolment_counted_before_either_is_compared_get_one_outcome() {
    for (right, expected) in [(true, Status::Done), (false, Status::WrongPin { left: 4 })] {
        let (mut world, invitation, who) = invited();
        let pin = if right { invitation.pin.clone() } else { invitation.wrong_pin(0) };
        let draft = world.draft(enrolling(&pin));
        let sealed = [(); 2].map(|()| world.seal(&draft, who.clone()));
        let requests = sealed.each_ref().map(|sealed| opened(&world, sealed));
        count_all(&mut world, &requests);
        let statuses = requests.each_ref().map(|(i, e)| world.compare(i, e).reply.status);
        assert_eq!(statuses, [expected; 2]);
        let renewed = world.seal(&draft, who);
        assert_eq!(world.deliver(&renewed).status(), expected);
    }
}

#[test]
fn two_pins_under_one_id_counted_before_either_is_compared_are_not_both_compared() {
    let (mut world, invitation, who) = invited();
    let mut draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let wrong = world.seal(&draft, who.clone());
    draft.operation = enrolling(&invitation.pin);
    let right = world.seal(&draft, who);
    let requests = [wrong, right].map(|sealed| opened(&world, &sealed));
    count_all(&mut world, &requests);
    let statuses = requests.each_ref().map(|(i, e)| world.compare(i, e).reply.status);
    assert_eq!(statuses, [Status::WrongPin { left: 3 }, Status::Conflict]);
    assert!(world.all::<DeviceRow>().is_empty());
}

/// Each copy that a relay delivered in time wrote another leaf that said so.
#[test]
fn a_try_that_came_too_late_is_recorded_once_however_many_copies_of_it_were_counted() {
    let (mut world, invitation, who) = invited();
    let mut draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let first = world.seal(&draft, who.clone());
    draft.operation = enrolling(&invitation.pin);
    let late = [(); 2].map(|()| world.seal(&draft, who.clone()));
    let all = [&first, &late[0], &late[0], &late[1], &late[1]];
    let requests = all.map(|sealed| opened(&world, sealed));
    count_all(&mut world, &requests);
    let before = world.events().len();
    let statuses: Vec<_> = requests.iter().map(|(i, e)| world.compare(i, e).reply.status).collect();
    assert_eq!(statuses[1..], [Status::Conflict; 4]);
    let decisions: Vec<_> = world.events()[before..].iter().map(|event| event.decision).collect();
    assert_eq!(decisions, [Refusal::WrongPin, Refusal::Conflict].map(Decision::Refused));
}

/// The clock was set ahead between two copies, and what came of the first was forgotten.
#[test]
fn a_try_whose_outcome_is_forgotten_is_not_compared_again() {
    let (mut world, invitation, who) = invited();
    let draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let sealed = world.seal(&draft, who);
    let copies = [(); 2].map(|()| opened(&world, &sealed));
    count_all(&mut world, &copies);
    let [first, second] = &copies;
    assert_eq!(world.compare(&first.0, &first.1).reply.status, Status::WrongPin { left: 4 });
    let leaves = world.events().len();
    let outcome = OutcomeRow::key_of(&second.1.device(), &second.0.id);
    world.transact(|draft, _, _| draft.delete(Table::Outcomes, &outcome));
    assert_eq!(world.compare(&second.0, &second.1).reply.status, Status::Repeated);
    assert_eq!(world.events().len(), leaves);
}

/// Or the time would tell what came of it.
#[test]
fn whatever_a_comparison_comes_to_it_is_written() {
    let (mut world, invitation, who) = invited();
    let mut draft = world.draft(enrolling(&invitation.wrong_pin(0)));
    let mut requests = vec![world.seal(&draft, who.clone()), world.seal(&draft, who.clone())];
    draft.operation = enrolling(&invitation.pin);
    requests.extend([world.seal(&draft, who.clone()), world.seal(&draft, who)]);
    let requests: Vec<_> = requests.iter().map(|sealed| opened(&world, sealed)).collect();
    count_all(&mut world, &requests);
    for (incoming, enrolment) in &requests {
        let is_written = world.transact(|draft, now, rng| {
            enrol::compare(draft, incoming, enrolment, now, rng)?;
            Ok(draft.has_written())
        });
        assert!(is_written);
    }
}
