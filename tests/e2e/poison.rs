//! Envelopes made to break whoever opens them: none of them stands before the others, also after a restart.

use std::time::Duration;

use rohrpost_client::{Connection, Role, Visit, random};
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::{Author, Lane, RequestDraft, seal_request};
use rohrpost_figures::Figures;
use rohrpost_patient::Home;
use rohrpost_safe_agent::clock;
use rohrpost_tests::{PATIENCE, Patient, Practice, World, content};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};

/// How long what comes next may wait for its answer behind all of the poison.
const NEXT: Duration = Duration::from_secs(1);
/// A machine that is busy with something else makes everything slow, but not every time.
const ROUNDS: usize = 4;

/// Envelopes that open nowhere: noise of every size, a genuine header with noise behind it, a genuine request with one
/// bit changed, cut or put on the wrong lane.
fn poison(genuine: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [0, 1, 11, 1131, 4096, 200_000].iter().map(|length| content(*length, 1)).collect();
    all.push([&genuine[..11], &content(5000, 2)].concat());
    all.push([&genuine[..1131], &content(5000, 3)].concat());
    for at in (0..genuine.len()).step_by(genuine.len() / 40) {
        let mut flipped = genuine.to_vec();
        flipped[at] ^= 0x10;
        all.push(flipped);
        all.push(genuine[..at].to_vec());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_before_a_request_delays_it_by_less_than_a_second_also_after_a_restart() {
    let world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    let account = Home::at(&patient.home).account().unwrap().unwrap();
    let stranger = Connection::dial(world.relay(), Role::Visitor).await.unwrap();
    let now = clock::now();
    let visit = Visit::begin(world.relay(), account.safe.inbox, &account.safe.known(), now).await.unwrap();
    let draft = RequestDraft {
        id: RequestId::generate(&mut random::system()),
        created: now,
        expires: now.plus(600),
        operation: Operation::Status,
    };
    let mailbox = Fixed([9; 32]);
    let lane = Lane::Deposit { ttl: TtlClass::Week, reply_mailbox: Some(mailbox) };
    let (genuine, _) = seal_request(visit.safe(), lane, &draft, &Author::Nobody, &mut random::system()).unwrap();
    let all = poison(&genuine);
    let mut slowest = Duration::ZERO;
    for away in [false, true] {
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            if away {
                practice.closes().await;
            }
            for envelope in &all {
                let (to, ttl) = (Destination::Inbox(account.safe.inbox), TtlClass::Day);
                let deposit = Deposit { to, ticket: None, ttl, reply_mailbox: Some(mailbox) };
                stranger.deposit(&deposit, envelope).await.unwrap();
            }
            if away {
                practice.serve().await;
                practice.connected().await;
            }
            best = best.min(asked(&patient).await);
            if best < NEXT {
                break;
            }
        }
        assert!(best < NEXT, "{best:?}");
        slowest = slowest.max(best);
    }
    Figures::of("fuzz.poison")
        .count("poisonous envelopes", 2 * all.len() as u64)
        .measure("slowest answer behind them", slowest.as_secs_f64() * 1000.0, " ms")
        .publish();
}

/// How long a patient waits for an answer now.
async fn asked(patient: &Patient) -> Duration {
    let asking = async {
        let mut session = patient.session().unwrap();
        let answer = session.ask(Operation::Documents { after: None }).await.unwrap();
        session.end().await;
        answer
    };
    let (answer, took) = timed(asking).await;
    assert_eq!(answer.reply.status, Status::Done);
    took
}

#[expect(clippy::disallowed_methods, reason = "how long somebody waits is what is measured")]
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = std::time::Instant::now();
    let done = tokio::time::timeout(PATIENCE, work).await.expect("an answer comes");
    (done, begun.elapsed())
}
