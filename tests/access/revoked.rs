//! Revoking one device: how soon it is out, that nobody else notices, and that what waited at the relay is refused too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rohrpost_client::{Deposited, Visit};
use rohrpost_e2ee::body::{Operation, Payload, Status};
use rohrpost_e2ee::exchange::Author;
use rohrpost_figures::Figures;
use rohrpost_patient::account::Account;
use rohrpost_safe_agent::clock;
use rohrpost_tests::{PATIENCE, Patient, Practice, World};
use rohrpost_wire::frame::TtlClass;
use tokio::task::JoinSet;

use crate::asking::{SEQUENCE, account, ask, draft, timed};

const OTHERS: usize = 8;

/// Asks again and again until told to stop, one more time after that; how many answers were as they should be, and none
/// was not.
async fn keeps_asking(account: Account, stop: Arc<AtomicBool>, asked: Arc<AtomicU64>) {
    let mut last = false;
    for sequence in SEQUENCE.. {
        let (status, _) = ask(&account, sequence, Operation::Status).await;
        assert_eq!(status, Status::Done, "somebody else was revoked");
        asked.fetch_add(1, Ordering::Relaxed);
        if last {
            return;
        }
        last = stop.load(Ordering::Acquire);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_out_at_its_next_request_and_nobody_else_notices() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (lost, _) = Patient::enrolled(&world, &practice, "somebody who lost a phone").await;
    let lost = account(&lost);
    let device = practice.devices().await.remove(0).device_id;
    let (stop, asked) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let mut others = JoinSet::new();
    for number in 0..OTHERS {
        let (patient, _) = Patient::enrolled(&world, &practice, &format!("patient {number}")).await;
        others.spawn(keeps_asking(account(&patient), Arc::clone(&stop), Arc::clone(&asked)));
    }
    assert_eq!(ask(&lost, SEQUENCE, Operation::Status).await.0, Status::Done);
    let ((refused, _), took) = timed(async {
        practice.revoke(&device).await;
        ask(&lost, SEQUENCE + 1, Operation::Status).await
    })
    .await;
    assert_eq!(refused, Status::NotAllowed, "the very next request");
    stop.store(true, Ordering::Release);
    while let Some(other) = others.join_next().await {
        other.unwrap();
    }
    Figures::of("access.revocation")
        .measure("from the order to the refusal", (took.as_secs_f64() * 1000.0).round(), " ms")
        .count("other patients who went on asking", OTHERS as u64)
        .count("their requests", asked.load(Ordering::Relaxed))
        .none("of these that failed")
        .publish();
}

async fn deposit(account: &Account, sequence: u64) -> Deposited {
    let visit =
        Visit::begin(&account.safe.relay, account.safe.inbox, &account.safe.known(), clock::now()).await.unwrap();
    let (key, request) = (account.key(), draft(Operation::Documents { after: None }));
    let deposited = visit.deposit(&request, &Author::Device { key: &key, sequence }, TtlClass::Day).await.unwrap();
    visit.end().await;
    deposited
}

/// The relay may keep an envelope back for as long as it likes: what counts is when the safe decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_a_relay_kept_back_until_its_device_was_revoked_is_refused() {
    let mut world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    let device = practice.devices().await.remove(0).device_id;
    practice.stops().await;
    let account = account(&patient);
    let mut kept = Vec::new();
    for number in 0..5 {
        kept.push(deposit(&account, SEQUENCE + number).await);
    }
    world.relay_dies();
    practice.serve().await;
    practice.revoke(&device).await;
    world.relay_returns().await;
    for deposited in kept {
        let collecting = async {
            loop {
                if let Some(reply) = deposited.collect(world.relay()).await.unwrap() {
                    return reply;
                }
            }
        };
        let reply = tokio::time::timeout(PATIENCE, collecting).await.expect("an answer comes");
        assert_eq!((reply.status, reply.payload), (Status::NotAllowed, Payload::None));
    }
}
