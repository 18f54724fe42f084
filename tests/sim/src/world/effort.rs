//! What a safe may do for what it is told: bounded by the message and what is in it, whoever sends it.

use crate::port::ToPeer;
use crate::safe::tags;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Conn, Peer, Stream, Timer};

    #[test]
    fn steps_are_allowed_by_what_there_is_to_do() {
        let conn = Conn { peer: Peer::Safe(0), number: 1 };
        assert_eq!(most(&ToPeer::Closed(conn, None), 9), STEPS);
        assert_eq!(most(&ToPeer::Called(conn, Stream(1), vec![0; 3 * SMALLEST]), 9), 4 * STEPS);
        assert_eq!(most(&ToPeer::Timer(Timer { life: 1, tag: tags::FLUSH }), 9), 10 * STEPS);
        assert_eq!(most(&ToPeer::Timer(Timer { life: 1, tag: tags::REDIAL }), 9), STEPS);
    }
}
