//! A relay that delivers envelopes to the wrong practice: nobody there opens them, and the answer opens nowhere.

use rohrpost_e2ee::body::{Operation, Payload, Status};
use rohrpost_e2ee::exchange::{Author, Lane, seal_request};
use rohrpost_figures::Figures;
use rohrpost_patient::account::Account;
use rohrpost_tests::{Patient, Practice, World};

use crate::asking::{SEQUENCE, account, draft, meet};

const PRACTICES: usize = 4;
const PATIENTS: usize = 3;

async fn accounts(world: &World, practice: &Practice, number: usize) -> Vec<Account> {
    let mut accounts = Vec::new();
    for patient in 0..PATIENTS {
        let (patient, id) = Patient::enrolled(world, practice, &format!("patient {number} {patient}")).await;
        practice.shared(&id, "finding.txt", b"content").await;
        accounts.push(account(&patient));
    }
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_the_relay_takes_to_another_practice_is_answered_by_nobody() {
    let world = World::start().await;
    let mut practices = Vec::new();
    for number in 0..PRACTICES {
        let practice = Practice::open(&world, &format!("practice {number}")).await;
        let accounts = accounts(&world, &practice, number).await;
        practices.push((practice, accounts));
    }
    let inboxes: Vec<_> = practices.iter().map(|(_, accounts)| accounts[0].safe.inbox).collect();
    let (mut own, mut elsewhere, mut sizes) = (0u64, 0u64, std::collections::BTreeSet::new());
    for (home, (_, accounts)) in practices.iter().enumerate() {
        for account in accounts {
            let (safe, connection) = meet(account).await;
            for (at, inbox) in inboxes.iter().enumerate() {
                let (key, sequence) = (account.key(), SEQUENCE + at as u64);
                let author = Author::Device { key: &key, sequence };
                let request = draft(Operation::Documents { after: None });
                let rng = &mut rohrpost_client::random::system();
                let (envelope, expect) = seal_request(&safe, Lane::Live, &request, &author, rng).unwrap();
                let called = connection.call(*inbox, None, &envelope).await.unwrap();
                sizes.insert(called.reply.len());
                if let Ok(reply) = expect.open(&called.reply) {
                    assert_eq!((at, reply.status), (home, Status::Done));
                    assert!(matches!(&reply.payload, Payload::Documents(page) if page.documents.len() == 1));
                    own += 1;
                } else {
                    assert_ne!(at, home);
                    elsewhere += 1;
                }
            }
            connection.close().await;
        }
    }
    let patients = PRACTICES * PATIENTS;
    assert_eq!((own, elsewhere), (patients as u64, (patients * (PRACTICES - 1)) as u64));
    assert_eq!(sizes.len(), 1, "and to the relay one answer looks as the other");
    for (practice, _) in &practices {
        // Founded, and of each patient: added, imported, shared, a link, an enrolment, one list.
        assert_eq!(practice.log().await.len(), 1 + 6 * PATIENTS, "what did not open left nothing");
    }
    Figures::of("access.misdelivered")
        .count("practices", PRACTICES as u64)
        .count("patients", patients as u64)
        .count("envelopes taken to another practice", elsewhere)
        .none("of these answered")
        .publish();
}
