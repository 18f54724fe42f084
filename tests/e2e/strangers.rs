//! A second patient and a stranger get nothing.

use rohrpost_client::{Visit, random};
use rohrpost_e2ee::body::{DocumentId, Operation, Payload, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::trust::Known;
use rohrpost_e2ee::{Link, RequestId};
use rohrpost_patient::Problem;
use rohrpost_safe_agent::clock;
use rohrpost_tests::{Patient, Practice, World, content};
use rohrpost_wire::fixed::Fixed;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_document_before_it_is_shared() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let document = practice.document(&id, "finding.txt", b"not shared yet").await;
    assert!(patient.list().await.unwrap().is_empty());
    let to = world.place("finding");
    assert!(patient.get(&document, &to, 1).await.is_err());
    assert!(!to.exists());
    practice.share(&id, &document).await;
    patient.get(&document, &to, 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_patient_gets_nothing_of_the_first() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (_first, first_id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let (second, second_id) = Patient::enrolled(&world, &practice, "Max Muster").await;
    let foreign = practice.shared(&first_id, "finding.txt", b"for Erika alone").await;
    let own = practice.shared(&second_id, "letter.txt", b"for Max").await;

    let listed: Vec<String> = second.list().await.unwrap().iter().map(|entry| entry.id.0.to_hex()).collect();
    assert_eq!(listed, [own]);
    let unknown = "0123456789abcdef0123456789abcdef";
    let (foreign, unknown) = (ask_for(&second, &foreign).await, ask_for(&second, unknown).await);
    assert_eq!(foreign, (Status::NotAllowed, Payload::None));
    assert_eq!(foreign, unknown, "not yours and not there are one answer");
}

/// Asks for a document by its whole id, without looking at the list first as `get` does.
async fn ask_for(patient: &Patient, document: &str) -> (Status, Payload) {
    let document = DocumentId(Fixed::from_hex(document).unwrap());
    let mut session = patient.session().unwrap();
    let operation = Operation::Document { document, offset: 0, version: None };
    let answer = session.ask(operation).await.unwrap();
    assert!(answer.object.is_none());
    (answer.reply.status, answer.reply.payload)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_a_key_of_his_own_gets_nothing() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let document = practice.shared(&id, "finding.txt", &content(1000, 1)).await;
    let link = Link::parse(&practice.invite(&id).await.link).unwrap();

    let known = Known::of_link(&link);
    let visit = Visit::begin(world.relay(), link.inbox, &known, clock::now()).await.unwrap();
    let key = SigningSecret::generate(&mut random::system());
    let document = DocumentId(Fixed::from_hex(&document).unwrap());
    let operations = [
        Operation::Status,
        Operation::Documents { after: None },
        Operation::Document { document, offset: 0, version: None },
    ];
    for (operation, sequence) in operations.into_iter().zip(1..) {
        for author in [Author::Nobody, Author::Device { key: &key, sequence }] {
            let now = clock::now();
            let id = RequestId::generate(&mut random::system());
            let draft = RequestDraft { id, created: now, expires: now.plus(600), operation: operation.clone() };
            let answer = visit.ask(&draft, &author).await.unwrap();
            assert_eq!((answer.reply.status, answer.reply.payload), (Status::NotAllowed, Payload::None));
            assert!(answer.object.is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_safes_valid_records_are_not_believed() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let other = Practice::open(&world, "another practice").await;
    let invitation = practice.invite(&practice.patient("Erika Beispiel").await).await;
    let elsewhere = other.invite(&other.patient("Max Muster").await).await;
    let (link, other_link) = (Link::parse(&invitation.link).unwrap(), Link::parse(&elsewhere.link).unwrap());

    // The relay answers with records that are valid, but another safe's.
    let known = Known::of_link(&link);
    let visit = Visit::begin(world.relay(), other_link.inbox, &known, clock::now()).await;
    assert!(matches!(visit, Err(rohrpost_client::VisitError::Trust(_))), "{visit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_another_key_is_not_spoken_to() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, _) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let mut wrong = world.relay().clone();
    wrong.key_hash = rohrpost_wire::RelayKeyHash(Fixed([7; 32]));
    let dialled = rohrpost_client::Connection::dial(&wrong, rohrpost_client::Role::Visitor).await;
    assert_eq!(dialled.unwrap_err(), rohrpost_client::ConnectError::WrongKey);
    assert!(patient.list().await.is_ok());
    let not_enrolled: Result<_, Problem> = Patient::new(&world, "nobody").session();
    assert!(matches!(not_enrolled, Err(Problem::NotEnrolled(_))));
}
