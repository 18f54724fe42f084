//! A safe whose line is cut, for moments and for longer than a connection lives: nothing that was left for it is lost, and
//! it is answered soon after the line heals.

use std::time::Duration;

use rohrpost_e2ee::body::{Operation, Payload, Status};
use rohrpost_figures::Figures;
use rohrpost_patient::Home;
use rohrpost_patient::account::Account;
use rohrpost_tests::{Line, Patient, Practice, World, until};
use tokio::time::Instant;

use crate::deposits::{collect, deposit_at};

/// Cuts that end before anybody has noticed them.
const SHORT_CUTS: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_during_a_cut_is_answered_soon_after_the_line_heals() {
    let world = World::start().await;
    let line = Line::to(world.relay()).await;
    let practice = Practice::open_at(&world, &line, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    practice.shared(&id, "finding.txt", b"content").await;
    let account = Home::at(&patient.home).account().unwrap().unwrap();

    let mut times = Vec::new();
    for number in 0..SHORT_CUTS {
        line.cut();
        times.push(heal_to_answer(&world, &line, &account, number).await);
    }
    line.cut();
    practice.disconnected().await;
    let long = heal_to_answer(&world, &line, &account, SHORT_CUTS).await;

    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    Figures::of("e2e.line")
        .count("cuts", SHORT_CUTS + 1)
        .none("left during a cut and lost")
        .measure("heal to answer after a moment, median", median.as_secs_f64(), "s")
        .measure("heal to answer after a moment, worst", worst.as_secs_f64(), "s")
        .measure("heal to answer after the connection had died", long.as_secs_f64(), "s")
        .publish();
}

/// Leaves a request past the line that is cut, heals the line, and waits for the answer, which is due within the minute.
async fn heal_to_answer(world: &World, line: &Line, account: &Account, number: u64) -> Duration {
    let operation = Operation::Documents { after: None };
    let deposited = deposit_at(world.relay(), account, SEQUENCE + number, operation).await;
    // The relay has rung for the safe, and it has not heard.
    until("the cut takes something", || line.lost() > 0).await;
    line.heal();
    let healed = now();
    let reply = collect(world, &deposited).await;
    let took = healed.elapsed();
    assert_eq!(reply.status, Status::Done);
    assert!(matches!(&reply.payload, Payload::Documents(page) if page.documents.len() == 1));
    took
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
fn now() -> Instant {
    Instant::now()
}

/// Far enough ahead of what the command line has used.
const SEQUENCE: u64 = 500;
