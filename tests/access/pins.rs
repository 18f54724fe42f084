//! Guessed PINs over real connections, while the safe is killed and comes back.

use rohrpost_figures::Figures;
use rohrpost_patient::Problem;
use rohrpost_patient::problem::LinkProblem;
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::{PATIENCE, Patient, Practice, World};
use tokio::task::JoinSet;

const THIEVES: usize = 40;
const KILLS: u64 = 4;

fn wrong(invitation: &Invitation) -> Invitation {
    let pin = if invitation.pin == "000000" { "000001" } else { "000000" };
    Invitation { pin: pin.into(), ..invitation.clone() }
}

/// Tries until there is an answer about the link, however often the line is cut.
async fn verdict(patient: Patient, invitation: Invitation) -> LinkProblem {
    let trying = async {
        loop {
            match patient.accept(&invitation).await {
                // The line was cut behind the request: asked again, it gets the answer it had.
                Err(Problem::Link(LinkProblem::Unanswered(_))) | Ok(_) => {}
                Err(Problem::Link(problem)) => return problem,
                Err(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, trying).await.expect("the safe comes back and answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_guesses_at_once_at_a_safe_that_is_killed_again_and_again_are_five_in_all() {
    let world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let right = practice.invite(&id).await;
    let mut guesses = JoinSet::new();
    for number in 0..THIEVES {
        guesses.spawn(verdict(Patient::new(&world, &format!("thief {number}")), wrong(&right)));
    }
    let mut verdicts = Vec::new();
    for _ in 0..KILLS {
        practice.stops().await;
        practice.serve().await;
        practice.connected().await;
        verdicts.extend(guesses.join_next().await.map(Result::unwrap));
    }
    verdicts.extend(guesses.join_all().await);
    let compared = verdicts.iter().filter(|verdict| matches!(verdict, LinkProblem::WrongPin { .. })).count();
    // Who was cut off again and again may use up what a link records, and is told so.
    let dead = verdicts.iter().filter(|verdict| matches!(verdict, LinkProblem::Dead | LinkProblem::UsedUp)).count();
    assert_eq!((compared, dead), (5, THIEVES - 5), "{verdicts:?}");
    let late = verdict(Patient::new(&world, "the owner"), right).await;
    assert!(matches!(late, LinkProblem::Dead | LinkProblem::UsedUp), "the right PIN comes too late: {late:?}");
    assert!(practice.devices().await.is_empty());
    Figures::of("access.pin_kills")
        .count("wrong PINs at once, over as many connections", THIEVES as u64)
        .count("times the safe was stopped", KILLS)
        .count("compared", compared as u64)
        .count("told that the link is dead", dead as u64)
        .publish();
}
