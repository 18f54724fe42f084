//! Requests left at the relay, and their answers.

use rohrpost_client::{Deposited, Visit, random};
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Payload, Reply, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_patient::account::Account;
use rohrpost_patient::{Home, Session};
use rohrpost_safe_agent::clock;
use rohrpost_tests::{PATIENCE, Patient, Practice, World};
use rohrpost_wire::RelayAddress;
use rohrpost_wire::frame::TtlClass;

/// The device's own key and account, for requests that the command line does not make yet.
async fn deposit(patient: &Patient, sequence: u64, operation: Operation) -> Deposited {
    let account = Home::at(&patient.home).account().unwrap().unwrap();
    deposit_at(&account.safe.relay, &account, sequence, operation).await
}

/// The same on another way to the relay than the one the link named.
pub(crate) async fn deposit_at(
    relay: &RelayAddress,
    account: &Account,
    sequence: u64,
    operation: Operation,
) -> Deposited {
    let now = clock::now();
    let visit = Visit::begin(relay, account.safe.inbox, &account.safe.known(), now).await.unwrap();
    let id = RequestId::generate(&mut random::system());
    let draft = RequestDraft { id, created: now, expires: now.plus(86_400), operation };
    let key = account.key();
    let deposited = visit.deposit(&draft, &Author::Device { key: &key, sequence }, TtlClass::Day).await.unwrap();
    visit.end().await;
    deposited
}

pub(crate) async fn collect(world: &World, deposited: &Deposited) -> Reply {
    let collecting = async {
        loop {
            if let Some(reply) = deposited.collect(world.relay()).await.unwrap() {
                return reply;
            }
        }
    };
    tokio::time::timeout(PATIENCE, collecting).await.expect("an answer comes")
}

/// Far enough ahead of what the command line has used.
const SEQUENCE: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_waits_for_an_absent_safe_and_its_answer_for_the_patient() {
    let mut world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    practice.stops().await;

    let deposited = deposit(&patient, SEQUENCE, Operation::Documents { after: None }).await;
    world.relay_dies();
    world.relay_returns().await;
    practice.serve().await;
    let reply = collect(&world, &deposited).await;
    assert_eq!(reply.status, Status::Done);
    assert!(matches!(&reply.payload, Payload::Documents(page) if page.documents.len() == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_not_sent_by_deposit() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    let document = patient.list().await.unwrap()[0].id;
    let operation = Operation::Document { document, offset: 0, version: None };
    let reply = collect(&world, &deposit(&patient, SEQUENCE, operation).await).await;
    assert_eq!(reply.status, Status::LiveOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_gets_nothing_by_deposit_either() {
    let world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    let device = practice.devices().await.remove(0);
    practice.stops().await;
    let deposited = deposit(&patient, SEQUENCE, Operation::Documents { after: None }).await;
    practice.serve().await;
    practice.revoke(&device.device_id).await;
    // Whichever came first, the deposit or the revocation, decides; after the revocation nothing is given.
    let reply = collect(&world, &deposited).await;
    assert!(matches!(reply.status, Status::NotAllowed | Status::Done));
    let later = deposit(&patient, SEQUENCE + 1, Operation::Documents { after: None }).await;
    assert_eq!(collect(&world, &later).await.status, Status::NotAllowed);
    let problem = patient.session().unwrap();
    let mut session: Session = problem;
    assert_eq!(session.ask(Operation::Status).await.unwrap().reply.status, Status::NotAllowed);
}
