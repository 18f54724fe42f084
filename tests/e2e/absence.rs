//! A safe or a relay that is not there.

use rohrpost_client::{AskError, VisitError};
use rohrpost_patient::Problem;
use rohrpost_tests::{Patient, Practice, World};
use rohrpost_wire::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_safe_is_away_at_once_and_back_after_its_restart() {
    let world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    practice.closes().await;

    let problem = patient.list().await.unwrap_err();
    let Problem::Visit(VisitError::Ask(AskError::Refused(code))) = problem else { panic!("{problem:?}") };
    assert_eq!(code, ErrorCode::Away);
    practice.serve().await;
    practice.connected().await;
    assert_eq!(patient.list().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_comes_back_by_itself_when_its_relay_does() {
    let mut world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, _) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    world.relay_dies();
    practice.disconnected().await;
    let problem = patient.list().await.unwrap_err();
    assert!(problem.is_passing(), "{problem:?}");
    world.relay_returns().await;
    practice.connected().await;
    assert!(patient.list().await.unwrap().is_empty());
}
