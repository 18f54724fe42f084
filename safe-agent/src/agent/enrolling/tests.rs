//! What an enrolment costs the disk, and when its answer leaves, whatever comes of it.

use std::time::Instant;

use rohrpost_e2ee::body::Status;
use rohrpost_e2ee::link::{LINK_SECONDS, LinkSecret, PIN_TRIES};
use rohrpost_figures::Figures;

use super::*;
use crate::requests::Asker;
use crate::rows::{self, LinkRow};
use crate::testing::{Invitation, Who, World, enrolling};
use crate::vault::{Counts, Keeper};

/// In which state a link is found, and with which PIN.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Right,
    Wrong,
    Used,
    Dead,
    Expired,
    Unknown,
    BadProof,
}

const WAYS: [Way; 7] = [Way::Right, Way::Wrong, Way::Used, Way::Dead, Way::Expired, Way::Unknown, Way::BadProof];

/// A safe with a link in that state, and one enrolment for it.
fn scene(way: Way) -> (World, Incoming, Enrolment) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    match way {
        Way::Used => {
            let key = world.key();
            assert_eq!(world.try_pin(&key, &invitation, &invitation.pin).status(), Status::Done);
        }
        Way::Dead => {
            let mut link = world.link(&invitation);
            link.attempts = PIN_TRIES;
            world.save(&link);
        }
        Way::Expired => world.now = world.now.plus(LINK_SECONDS + 1),
        Way::Right | Way::Wrong | Way::Unknown | Way::BadProof => {}
    }
    let (incoming, enrolment) = request(&mut world, &invitation, way);
    (world, incoming, enrolment)
}

fn request(world: &mut World, invitation: &Invitation, way: Way) -> (Incoming, Enrolment) {
    let pin = if way == Way::Wrong { invitation.wrong_pin(0) } else { invitation.pin.clone() };
    let secret = match way {
        Way::Unknown | Way::BadProof => LinkSecret::generate(&mut world.rng),
        Way::Right | Way::Wrong | Way::Used | Way::Dead | Way::Expired => invitation.secret.clone(),
    };
    let draft = world.draft(enrolling(&pin));
    let who = Who::Enrol(world.key(), secret);
    let sealed = world.seal(&draft, who);
    let (incoming, asker, _) = world.open(&sealed).unwrap();
    let Asker::Enrol(mut enrolment) = asker else { panic!("not an enrolment") };
    if way == Way::BadProof {
        enrolment.link = invitation.secret.id();
    }
    (incoming, enrolment)
}

async fn cost(way: Way) -> (Status, Counts) {
    let (world, incoming, enrolment) = scene(way);
    let keeper = Keeper::start(Box::new(world.store));
    let before = keeper.handle().counts();
    let answer = enrol(&keeper.handle(), incoming, enrolment, world.now).await.unwrap().unwrap();
    let after = keeper.handle().counts();
    (answer.reply.status, Counts { jobs: after.jobs - before.jobs, flushes: after.flushes - before.flushes })
}

/// A used link was one flush and a wrong PIN two, so a relay could tell them apart by the time of the answer.
#[tokio::test]
async fn whoever_holds_a_link_costs_two_flushes_whatever_comes_of_it_and_a_stranger_none() {
    let mut figures = Figures::of("access.enrolment_flushes");
    for way in WAYS {
        let (status, counts) = cost(way).await;
        let (expected, flushes) = match way {
            Way::Right => (Status::Done, 2),
            Way::Wrong => (Status::WrongPin { left: 4 }, 2),
            Way::Used => (Status::LinkUsed, 2),
            Way::Dead => (Status::LinkDead, 2),
            Way::Expired => (Status::LinkExpired, 2),
            // Strangers are without number, so they write nothing, and the grid of time hides them.
            Way::Unknown | Way::BadProof => (Status::NotAllowed, 0),
        };
        assert_eq!((status, counts.flushes), (expected, flushes), "{way:?}");
        assert_eq!(counts.jobs, flushes.max(1), "{way:?}");
        figures = figures.count(format!("flushes, {way:?}").to_lowercase(), counts.flushes);
    }
    figures.publish();
}

#[tokio::test]
async fn a_link_that_has_nothing_left_to_record_costs_no_flush_for_ever() {
    let (mut world, incoming, enrolment) = scene(Way::Used);
    let mut link: LinkRow = world.load(&enrolment.link.0.0).unwrap();
    link.recorded = enrol::REQUESTS_PER_LINK;
    world.save(&link);
    let keeper = Keeper::start(Box::new(world.store));
    let answer = enrol(&keeper.handle(), incoming, enrolment, world.now).await.unwrap().unwrap();
    assert_eq!((answer.reply.status, keeper.handle().counts().flushes), (Status::Busy, 0));
}

#[tokio::test]
async fn settling_changes_nothing_of_a_link() {
    let (world, incoming, enrolment) = scene(Way::Used);
    let (link, mut expected) = (enrolment.link, world.load::<LinkRow>(&enrolment.link.0.0).unwrap());
    expected.recorded += 1;
    let keeper = Keeper::start(Box::new(world.store));
    let answer = enrol(&keeper.handle(), incoming, enrolment, world.now).await.unwrap().unwrap();
    let load = move |draft: &mut Draft<'_>| rows::load::<LinkRow>(draft, &link.0.0);
    let after = keeper.handle().transact(load).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.reply.status, Status::LinkUsed);
    assert!(after == expected);
}

#[expect(clippy::disallowed_methods, reason = "the time of an answer is what is measured")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn what_is_done_at_once_and_what_takes_a_while_leave_at_the_same_line_of_the_grid() {
    let grid = Duration::from_millis(60);
    for yields in [0, 1, 10, 1000] {
        let begun = now();
        let work = async {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
        };
        on_the_grid(grid, work).await;
        assert!(now() - begun >= grid, "{yields}");
    }
}

#[tokio::test]
async fn work_that_misses_a_line_leaves_at_a_later_one_and_not_between() {
    let grid = Duration::from_millis(40);
    let begun = now();
    let mut first = tokio::time::interval(grid);
    first.reset();
    on_the_grid(grid, async {
        first.tick().await;
        tokio::task::yield_now().await;
    })
    .await;
    assert!(now() - begun >= grid * 2, "{:?}", now() - begun);
}

#[tokio::test]
async fn every_enrolment_is_answered_on_the_grid_and_not_before() {
    for way in WAYS {
        let (world, incoming, enrolment) = scene(way);
        let keeper = Keeper::start(Box::new(world.store));
        let begun = now();
        on_the_grid(GRID, enrol(&keeper.handle(), incoming, enrolment, world.now)).await.unwrap().unwrap();
        assert!(now() - begun >= GRID, "{way:?}");
    }
}
