//! A device's own requests, sealed by hand, so that a test can say in whose name, to whom and when.

use std::time::{Duration, Instant};

use rohrpost_client::{Connection, Role, Visit, random};
use rohrpost_e2ee::Link;
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::trust::{Known, TrustedSafe};
use rohrpost_patient::Home;
use rohrpost_patient::account::Account;
use rohrpost_safe_agent::clock;
use rohrpost_tests::{Patient, World};

/// Far enough ahead of what the command line has used.
pub(crate) const SEQUENCE: u64 = 500;

/// How long an answer took.
#[expect(clippy::disallowed_methods, reason = "the time of an answer is what is measured")]
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}

/// A request, good for ten minutes.
pub(crate) fn draft(operation: Operation) -> RequestDraft {
    let (now, id) = (clock::now(), RequestId::generate(&mut random::system()));
    RequestDraft { id, created: now, expires: now.plus(600), operation }
}

/// The account of a patient's device.
pub(crate) fn account(patient: &Patient) -> Account {
    Home::at(&patient.home).account().unwrap().unwrap()
}

/// The verified safe of an account, and a connection to its relay.
pub(crate) async fn meet(account: &Account) -> (TrustedSafe, Connection) {
    let visit =
        Visit::begin(&account.safe.relay, account.safe.inbox, &account.safe.known(), clock::now()).await.unwrap();
    let safe = visit.safe().clone();
    visit.end().await;
    (safe, Connection::dial(&account.safe.relay, Role::Visitor).await.unwrap())
}

/// One request of a device over a connection of its own: how it went, and how long it took.
pub(crate) async fn ask(account: &Account, sequence: u64, operation: Operation) -> (Status, Duration) {
    let visit =
        Visit::begin(&account.safe.relay, account.safe.inbox, &account.safe.known(), clock::now()).await.unwrap();
    let (key, draft) = (account.key(), draft(operation));
    let (answer, took) = timed(visit.ask(&draft, &Author::Device { key: &key, sequence })).await;
    let status = answer.unwrap().reply.status;
    visit.end().await;
    (status, took)
}

/// One enrolment by a new device over a connection of its own: how it went, and how long it took.
pub(crate) async fn enrol(world: &World, link: &Link, operation: Operation) -> (Status, Duration) {
    let visit = Visit::begin(world.relay(), link.inbox, &Known::of_link(link), clock::now()).await.unwrap();
    let (key, draft) = (SigningSecret::generate(&mut random::system()), draft(operation));
    let (answer, took) = timed(visit.ask(&draft, &Author::Enrol { key: &key, link: &link.secret })).await;
    let status = answer.unwrap().reply.status;
    visit.end().await;
    (status, took)
}
