//! An old copy of the spool in the place of the newer one: a backup that was put back.

use std::fs;

use rohrpost_client::{Deposited, Visit, random};
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_figures::Figures;
use rohrpost_patient::Home;
use rohrpost_relay::status;
use rohrpost_safe_agent::clock;
use rohrpost_tests::{PATIENCE, Patient, Practice, World, until};
use rohrpost_wire::frame::TtlClass;

use crate::damage;

/// Requests that wait in the copy.
const REQUESTS: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_put_back_from_a_copy_brings_requests_twice_and_effects_once() {
    let mut world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, _) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.stops().await;
    let mut deposited = Vec::new();
    for sequence in 500..500 + REQUESTS {
        deposited.push(deposit(&patient, sequence).await);
    }
    world.relay_dies();
    let copy = world.place("copy");
    damage::copy(&world.relay_folder(), &copy);
    world.relay_returns().await;
    practice.serve().await;
    for deposited in &deposited {
        assert_eq!(collect(&world, deposited).await, Status::Done);
    }
    let recorded = practice.log().await.len();
    practice.closes().await;

    world.relay_dies();
    fs::remove_dir_all(world.relay_folder()).unwrap();
    damage::copy(&copy, &world.relay_folder());
    world.relay_returns().await;
    let waiting = || status::read(&world.relay_folder()).map_or(0, |status| status.spool.envelopes);
    assert_eq!(waiting(), REQUESTS, "they have come back");
    practice.serve().await;
    for deposited in &deposited {
        collect(&world, deposited).await;
    }
    until("the safe has taken them all again", || waiting() == 0).await;
    let effects = practice.log().await.len() - recorded;
    assert_eq!(effects, 0, "something was done twice");
    practice.closes().await;
    Figures::of("disk.spool_restored")
        .count("requests delivered twice", REQUESTS)
        .count("effects twice", effects as u64)
        .publish();
}

async fn deposit(patient: &Patient, sequence: u64) -> Deposited {
    let account = Home::at(&patient.home).account().unwrap().unwrap();
    let (safe, now) = (&account.safe, clock::now());
    let visit = Visit::begin(&safe.relay, safe.inbox, &safe.known(), now).await.unwrap();
    let operation = Operation::Documents { after: None };
    let id = RequestId::generate(&mut random::system());
    let draft = RequestDraft { id, created: now, expires: now.plus(86_400), operation };
    let key = account.key();
    let deposited = visit.deposit(&draft, &Author::Device { key: &key, sequence }, TtlClass::Day).await.unwrap();
    visit.end().await;
    deposited
}

/// Waits for the answer to a request.
async fn collect(world: &World, deposited: &Deposited) -> Status {
    let collecting = async {
        loop {
            if let Some(reply) = deposited.collect(world.relay()).await.unwrap() {
                return reply;
            }
        }
    };
    tokio::time::timeout(PATIENCE, collecting).await.expect("an answer comes").status
}
