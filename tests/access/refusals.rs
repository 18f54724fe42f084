//! How long a refused enrolment takes, as whoever sends it sees it: never less than the grid, whatever the reason.

use std::time::Duration;

use rohrpost_client::random;
use rohrpost_e2ee::Link;
use rohrpost_e2ee::body::{Operation, Pin, Status};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_figures::Figures;
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::{Patient, Practice, World};

use crate::asking::enrol;

/// As `docs/decisions/0006-an-enrolment-takes-its-time.md` says.
const GRID: Duration = Duration::from_millis(500);
const ROUNDS: usize = 4;

fn enrolling(pin: &str) -> Operation {
    Operation::Enrol { pin: Pin::parse(pin).unwrap(), device_name: "phone".into() }
}

fn wrong(invitation: &Invitation) -> &'static str {
    if invitation.pin == "000000" { "000001" } else { "000000" }
}

fn parsed(invitation: &Invitation) -> Link {
    Link::parse(&invitation.link).unwrap()
}

/// Asks a few times and checks the answer; the fastest time.
async fn fastest(world: &World, link: &Link, pin: &str, refused: fn(&Status) -> bool) -> Duration {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let (status, took) = enrol(world, link, enrolling(pin)).await;
        assert!(refused(&status), "{status:?}");
        times.push(took);
    }
    times.into_iter().min().unwrap()
}

/// A relay could read from the time of an answer whether a PIN had been compared.
#[tokio::test(flavor = "multi_thread")]
async fn no_enrolment_is_answered_before_its_line_on_the_grid_of_time() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let guessed = practice.invite(&id).await;
    let used = practice.invite(&id).await;
    Patient::new(&world, "first").accept(&used).await.unwrap();
    let unknown = Link { secret: LinkSecret::generate(&mut random::system()), ..parsed(&guessed) };

    let wrong_pin = fastest(&world, &parsed(&guessed), wrong(&guessed), |s| matches!(s, Status::WrongPin { .. })).await;
    // The fifth wrong PIN, so that the link is dead.
    enrol(&world, &parsed(&guessed), enrolling(wrong(&guessed))).await;
    let dead = fastest(&world, &parsed(&guessed), &guessed.pin, |status| *status == Status::LinkDead).await;
    let late = fastest(&world, &parsed(&used), &used.pin, |status| *status == Status::LinkUsed).await;
    let stranger = fastest(&world, &unknown, &guessed.pin, |status| *status == Status::NotAllowed).await;

    let mut figures = Figures::of("access.enrolment_times").measure("grid", GRID.as_secs_f64() * 1000.0, " ms");
    for (reason, time) in [("wrong PIN", wrong_pin), ("dead", dead), ("used", late), ("unknown link", stranger)] {
        assert!(time >= GRID, "{reason}: {time:?}");
        figures = figures.measure(format!("fastest answer, {reason}"), (time.as_secs_f64() * 1000.0).round(), " ms");
    }
    figures.publish();
}
