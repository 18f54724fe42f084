//! What anybody may do: a safe for what it is told, bounded by the message and what is in it, whoever sends it; and
//! everybody in an hour, whatever a relay does.

use std::collections::BTreeMap;

use crate::port::{Peer, ToPeer};
use crate::safe::tags;
use crate::time::Millis;

/// Steps for anything: an answer or a question, its time limit, a flush, a pause.
const STEPS: usize = 4;
/// The smallest envelope there is: a delivery holds no more of them than this many bytes each.
const SMALLEST: usize = 1024;

/// The most steps for this, while so much waits for a flush.
pub(super) fn most(input: &ToPeer, held: usize) -> usize {
    match input {
        ToPeer::Answered { bytes, .. } | ToPeer::Called(_, _, bytes) => STEPS * (1 + bytes.len() / SMALLEST),
        ToPeer::Timer(timer) if timer.tag == tags::FLUSH => STEPS * (1 + held),
        ToPeer::Timer(_) | ToPeer::Closed(..) => STEPS,
    }
}

/// Connections of one peer in an hour: many times what the busiest needs, and far below what no pause at all would make.
const DIALS: u64 = 1000;

/// How often everybody has dialled in the hour at hand.
#[derive(Debug, Default)]
pub(super) struct Dials(BTreeMap<Peer, (u64, u64)>);

impl Dials {
    /// Whether somebody who dials now dials without end.
    pub(super) fn are_too_many(&mut self, peer: Peer, now: Millis) -> bool {
        let hour = now.0 / Millis::hours(1).0;
        let (since, dials) = self.0.entry(peer).or_default();
        if *since != hour {
            (*since, *dials) = (hour, 0);
        }
        *dials += 1;
        *dials > DIALS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Conn, Stream, Timer};

    #[test]
    fn who_dials_without_end_is_found_within_the_hour() {
        let (mut dials, peer) = (Dials::default(), Peer::Client(1));
        assert!((0..DIALS).all(|_| !dials.are_too_many(peer, Millis(5))));
        assert!(!dials.are_too_many(Peer::Client(2), Millis(5)) && !dials.are_too_many(peer, Millis::hours(1)));
        assert!((0..DIALS).any(|_| dials.are_too_many(peer, Millis::hours(1))));
    }

    #[test]
    fn steps_are_allowed_by_what_there_is_to_do() {
        let conn = Conn { peer: Peer::Safe(0), number: 1 };
        assert_eq!(most(&ToPeer::Closed(conn, None), 9), STEPS);
        assert_eq!(most(&ToPeer::Called(conn, Stream(1), vec![0; 3 * SMALLEST]), 9), 4 * STEPS);
        assert_eq!(most(&ToPeer::Timer(Timer { life: 1, tag: tags::FLUSH }), 9), 10 * STEPS);
        assert_eq!(most(&ToPeer::Timer(Timer { life: 1, tag: tags::REDIAL }), 9), STEPS);
    }
}
