//! The schedule of a malicious relay: what is due, against whom, and for how long.

use std::collections::VecDeque;

use super::{Move, Power};
use crate::port::Peer;
use crate::time::Millis;

/// What is still to come, and what is at hand.
#[derive(Debug)]
pub(super) struct Arms {
    moves: VecDeque<Move>,
    ready: Vec<Ready>,
    steps: u64,
}

#[derive(Debug)]
struct Ready {
    power: Power,
    victim: Option<Peer>,
    /// Used up by one message if there is none.
    until: Option<Millis>,
}

impl Arms {
    pub(super) fn new(mut moves: Vec<Move>) -> Self {
        moves.sort_by_key(|step| step.step);
        Self { moves: moves.into(), ready: Vec::new(), steps: 0 }
    }

    /// Another message has come: how many there have been.
    pub(super) fn step(&mut self, now: Millis) -> u64 {
        self.steps += 1;
        self.ready.retain(|ready| ready.until.is_none_or(|until| now <= until));
        while let Some(due) = self.moves.pop_front_if(|due| u64::from(due.step) <= self.steps) {
            let until = (due.minutes > 0).then(|| now.plus(Millis::minutes(u64::from(due.minutes))));
            self.ready.push(Ready { power: due.power, victim: due.victim, until });
        }
        self.steps
    }

    /// The first power that is looked for and may be used against one of these.
    pub(super) fn take<T>(&mut self, peers: &[Peer], wanted: impl Fn(Power) -> Option<T>) -> Option<T> {
        let may = |ready: &Ready| ready.victim.is_none_or(|victim| peers.contains(&victim));
        let mut usable = self.ready.iter().enumerate().filter(|(_, ready)| may(ready));
        let (place, found) = usable.find_map(|(place, ready)| Some((place, wanted(ready.power)?)))?;
        if self.ready.get(place)?.until.is_none() {
            self.ready.remove(place);
        }
        Some(found)
    }

    /// Whether this very power may be used against one of these.
    pub(super) fn take_this(&mut self, peers: &[Peer], power: Power) -> bool {
        self.take(peers, |ready| (ready == power).then_some(())).is_some()
    }

    /// A power that works on no message and so against nobody alone. It is used once, however long it was to last.
    pub(super) fn take_at_once<T>(&mut self, wanted: impl Fn(Power) -> Option<T>) -> Option<T> {
        let mut ready = self.ready.iter().enumerate();
        let (place, found) = ready.find_map(|(place, ready)| Some((place, wanted(ready.power)?)))?;
        self.ready.remove(place);
        Some(found)
    }

    /// Those that were never used, or not yet.
    pub(super) fn left(&self) -> u64 {
        (self.moves.len() + self.ready.iter().filter(|ready| ready.until.is_none()).count()) as u64
    }

    pub(super) fn lay_down(&mut self) {
        self.moves.clear();
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::AnyPower;
    use super::*;

    const DROP: Power = Power::Any(AnyPower::Drop);
    const A: Peer = Peer::Client(1);
    const B: Peer = Peer::Client(2);

    fn dropped(arms: &mut Arms, peer: Peer) -> bool {
        arms.take_this(&[peer], DROP)
    }

    #[test]
    fn a_power_is_used_once() {
        let mut arms = Arms::new(vec![Move::once(2, DROP)]);
        arms.step(Millis(0));
        assert!(!dropped(&mut arms, A));
        arms.step(Millis(0));
        assert!(dropped(&mut arms, A));
        assert!(!dropped(&mut arms, A));
    }

    #[test]
    fn a_lasting_power_meets_its_victim_until_its_time_is_over_and_nobody_else() {
        let lasting = Move { victim: Some(A), minutes: 5, ..Move::once(1, DROP) };
        let mut arms = Arms::new(vec![lasting]);
        arms.step(Millis(0));
        for minute in 0..=5 {
            arms.step(Millis::minutes(minute));
            assert!(!dropped(&mut arms, B));
            assert!(dropped(&mut arms, A));
        }
        arms.step(Millis(5 * 60_000 + 1));
        assert!(!dropped(&mut arms, A));
    }
}
