//! Transfers that break off lose nothing and mix nothing.

use std::fs;

use rohrpost_tests::patient::Transfer;
use rohrpost_tests::{Patient, Practice, World, content};

const LENGTH: usize = 24 * 1024 * 1024;
/// So much has arrived when something happens: far from both ends.
const MIDDLE: u64 = 2 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_get_resumes_after_the_relay_died_in_its_middle() {
    let mut world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let document = practice.shared(&id, "scan.bin", &content(LENGTH, 1)).await;

    let transfer = Transfer::begun(&world, &patient, &document, 10, MIDDLE).await;
    world.relay_dies();
    let to = transfer.to.clone();
    assert!(!to.exists(), "no final name before the end");
    world.relay_returns().await;
    transfer.ended().await.unwrap();
    assert!(fs::read(&to).unwrap() == content(LENGTH, 1));
    let reads = practice.log().await.into_iter().filter(|entry| entry.action == "document read").count();
    assert!(reads >= 2, "the transfer was taken up again, not merely finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_given_up_in_its_middle_is_taken_up_by_the_next() {
    let mut world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let document = practice.shared(&id, "scan.bin", &content(LENGTH, 2)).await;

    let transfer = Transfer::begun(&world, &patient, &document, 1, MIDDLE).await;
    world.relay_dies();
    let to = transfer.to.clone();
    let problem = transfer.ended().await.unwrap_err();
    assert!(problem.is_passing(), "{problem:?}");
    assert!(!to.exists());
    world.relay_returns().await;
    practice.connected().await;
    let saved = patient.get(&document, &to, 3).await.unwrap();
    assert!(saved.kept > 0, "what had come was kept");
    assert!(fs::read(&to).unwrap() == content(LENGTH, 2));
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1, "nothing is left but the document");
}
