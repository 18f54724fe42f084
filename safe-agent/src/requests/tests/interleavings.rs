//! Devices that race for one link: every order in which their transactions can fall, and one winner in each.

use rohrpost_e2ee::body::Status;
use rohrpost_figures::Figures;

use super::snapshot::{Snapshot, Try};
use crate::handlers::enrol::Counted;
use crate::rows::DeviceRow;
use crate::testing::{Invitation, Who, World, enrolling};

/// All ways to merge `each` steps of so many racers, as the order of the racers.
fn orders(racers: usize, each: usize) -> Vec<Vec<usize>> {
    fn extend(left: &mut Vec<usize>, order: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if left.iter().all(|left| *left == 0) {
            found.push(order.clone());
        }
        for racer in 0..left.len() {
            if left[racer] > 0 {
                left[racer] -= 1;
                order.push(racer);
                extend(left, order, found);
                order.pop();
                left[racer] += 1;
            }
        }
    }
    let mut found = Vec::new();
    extend(&mut vec![each; racers], &mut Vec::new(), &mut found);
    found
}

struct Race {
    world: World,
    invitation: Invitation,
    tries: Vec<Try>,
    start: Snapshot,
}

/// So many devices with one link; a flag says who has the right PIN.
fn race(right: &[bool]) -> Race {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let tries = right
        .iter()
        .map(|right| {
            let pin = if *right { invitation.pin.clone() } else { invitation.wrong_pin(0) };
            let draft = world.draft(enrolling(&pin));
            let who = Who::Enrol(world.key(), invitation.secret.clone());
            let sealed = world.seal(&draft, who);
            Try::of(&world, &sealed)
        })
        .collect();
    let start = Snapshot::of(&world.store);
    Race { world, invitation, tries, start }
}

impl Race {
    /// Runs one order and tells what each racer was answered. With a cut the power fails after that many steps, and
    /// every envelope that has no answer yet comes again.
    fn run(&mut self, order: &[usize], cut: Option<usize>) -> Vec<Status> {
        self.world.store = self.start.restored();
        let mut answers: Vec<Option<Status>> = vec![None; self.tries.len()];
        let mut counted = vec![false; self.tries.len()];
        for (step, racer) in order.iter().enumerate() {
            if cut == Some(step) {
                self.world.store.crash();
                counted.fill(false);
            }
            self.step(*racer, &mut counted, &mut answers);
        }
        for racer in 0..self.tries.len() {
            while answers[racer].is_none() {
                self.step(racer, &mut counted, &mut answers);
            }
        }
        answers.into_iter().map(Option::unwrap).collect()
    }

    fn step(&mut self, racer: usize, counted: &mut [bool], answers: &mut [Option<Status>]) {
        let Try { incoming, enrolment } = &self.tries[racer];
        if answers[racer].is_some() {
            return;
        }
        if counted[racer] {
            answers[racer] = Some(self.world.compare(incoming, enrolment).reply.status);
            return;
        }
        match self.world.count(incoming, enrolment) {
            Counted::Compare => counted[racer] = true,
            Counted::Answer { answer, .. } => answers[racer] = Some(answer.reply.status),
        }
    }

    /// Exactly one won, by the answers and by what the safe remembers.
    fn check(&self, answers: &[Status], context: &str) {
        let count = |wanted: Status| answers.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(Status::Done), count(Status::LinkUsed)), (1, answers.len() - 1), "{context}: {answers:?}");
        let winner = answers.iter().position(|status| *status == Status::Done).unwrap();
        let devices = self.world.all::<DeviceRow>();
        assert_eq!(devices.iter().map(|device| device.id).collect::<Vec<_>>(), [self.tries[winner].enrolment.device()]);
        assert_eq!(self.world.link(&self.invitation).used_by, Some(devices[0].id), "{context}");
    }
}

#[test]
fn of_four_devices_with_the_right_pin_exactly_one_wins_in_every_order_of_their_steps() {
    let mut race = race(&[true; 4]);
    let orders = orders(4, 2);
    for order in &orders {
        let answers = race.run(order, None);
        race.check(&answers, &format!("{order:?}"));
    }
    Figures::of("access.link_race")
        .count("devices", 4)
        .count("orders of their steps, all there are", orders.len() as u64)
        .none("links that enrolled two")
        .none("links that enrolled none")
        .publish();
}

#[test]
fn a_power_cut_after_any_step_of_a_race_leaves_one_winner() {
    let mut race = race(&[true; 3]);
    let mut runs = 0u64;
    for order in orders(3, 2) {
        for cut in 0..=order.len() {
            let answers = race.run(&order, Some(cut));
            race.check(&answers, &format!("{order:?} cut at {cut}"));
            runs += 1;
        }
    }
    Figures::of("access.link_race_cuts").count("orders × power cuts", runs).none("double wins").publish();
}

#[test]
fn a_thief_who_guesses_beside_the_owner_takes_none_of_the_owners_chance_that_was_counted() {
    let mut race = race(&[true, false, false, false, false, false]);
    let mut orders_tried = 0u64;
    // The owner's two steps anywhere among ten steps of five wrong guesses.
    for first in 0..11 {
        for second in first..11 {
            let mut order: Vec<usize> = (0..10).map(|step| 1 + step / 2).collect();
            order.insert(second, 0);
            order.insert(first, 0);
            let answers = race.run(&order, None);
            let guesses_before = order[..first].iter().collect::<std::collections::BTreeSet<_>>().len();
            let owner = if guesses_before < 5 { Status::Done } else { Status::LinkDead };
            assert_eq!(answers[0], owner, "{order:?}");
            let compared = answers[1..].iter().filter(|status| matches!(status, Status::WrongPin { .. })).count();
            assert!(compared + usize::from(owner == Status::Done) <= 5, "{answers:?}");
            orders_tried += 1;
        }
    }
    assert_eq!(orders_tried, 66);
}
