//! Links and PINs.

use rohrpost_client::VisitError;
use rohrpost_e2ee::Link;
use rohrpost_e2ee::trust::TrustError;
use rohrpost_patient::Problem;
use rohrpost_patient::problem::LinkProblem;
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::{Patient, Practice, World};

fn wrong(invitation: &Invitation) -> Invitation {
    let pin = if invitation.pin == "000000" { "000001" } else { "000000" };
    Invitation { pin: pin.into(), ..invitation.clone() }
}

fn problem(accepted: Result<rohrpost_patient::enrol::Accepted, Problem>) -> LinkProblem {
    match accepted {
        Err(Problem::Link(problem)) => problem,
        other => panic!("no problem with the link: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_kill_a_link_across_restarts() {
    let world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let invitation = practice.invite(&id).await;
    let thief = Patient::new(&world, "a thief");
    for left in (0..5).rev() {
        let refused = problem(thief.accept(&wrong(&invitation)).await);
        assert!(matches!(refused, LinkProblem::WrongPin { left: l } if l == left), "{refused:?}");
        practice.stops().await;
        practice.serve().await;
        practice.connected().await;
    }
    let owner = Patient::new(&world, "the owner");
    let refused = problem(owner.accept(&invitation).await);
    assert!(matches!(refused, LinkProblem::Dead), "the right PIN comes too late: {refused:?}");
    assert!(practice.devices().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_pin_works_after_four_wrong_ones() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let invitation = practice.invite(&id).await;
    let patient = Patient::new(&world, "a patient with thick fingers");
    for _ in 0..4 {
        problem(patient.accept(&wrong(&invitation)).await);
    }
    patient.accept(&invitation).await.unwrap();
    assert_eq!(practice.devices().await.len(), 1);
}

/// Whoever reads an e-mail can put its link's secret into another text, since the check sum of a link is no signature.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_text_of_a_link_shuts_out_neither_that_link_nor_the_next_one() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let (first, second) = (practice.invite(&id).await, practice.invite(&id).await);
    let patient = Patient::new(&world, "Erika Beispiel");
    assert!(matches!(problem(patient.accept(&wrong(&first)).await), LinkProblem::WrongPin { .. }));

    let mut link = Link::parse(&first.link).unwrap();
    link.epoch = u32::MAX;
    let forged = Invitation { link: link.to_url("https://app.example/").to_string(), ..first.clone() };
    let refused = patient.accept(&forged).await;
    assert!(matches!(refused, Err(Problem::Visit(VisitError::Trust(TrustError::RolledBack)))), "{refused:?}");

    assert!(matches!(problem(patient.accept(&wrong(&first)).await), LinkProblem::WrongPin { .. }), "it is met again");
    patient.accept(&second).await.unwrap();
    assert_eq!(practice.devices().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_enrols_one_device_once() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let invitation = practice.invite(&id).await;
    let first = Patient::new(&world, "first");
    first.accept(&invitation).await.unwrap();
    let refused = problem(Patient::new(&world, "second").accept(&invitation).await);
    assert!(matches!(refused, LinkProblem::Used), "{refused:?}");
    let again = first.accept(&invitation).await.unwrap();
    assert!(again.already, "the first device is told that all is well");
    assert_eq!(practice.devices().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_are_five_in_all() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let invitation = wrong(&practice.invite(&id).await);
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (thief, invitation) = (Patient::new(&world, &format!("thief {number}")), invitation.clone());
        guesses.spawn(async move { problem(thief.accept(&invitation).await) });
    }
    let verdicts = guesses.join_all().await;
    let compared = verdicts.iter().filter(|verdict| matches!(verdict, LinkProblem::WrongPin { .. })).count();
    let dead = verdicts.iter().filter(|verdict| matches!(verdict, LinkProblem::Dead)).count();
    assert_eq!((compared, dead), (5, 15), "{verdicts:?}");
}
