//! What a safe does for what it is given: bounded by the number of messages and of what is in them, whoever sends them.

use std::collections::BTreeMap;

use crate::port::{FromPeer, ToPeer};

/// Steps that a message may cost: its answer, a flush, a timer for each, and what follows.
const STEPS: u64 = 8;
/// The smallest envelope there is: a delivery holds no more of them than this many bytes each.
const SMALLEST: u64 = 1024;

/// What each safe was asked and did.
#[derive(Debug, Default)]
pub(super) struct Effort {
    by_safe: BTreeMap<usize, (u64, u64)>,
}

impl Effort {
    /// A safe is told something.
    pub(super) fn ask(&mut self, safe: usize, input: &ToPeer) {
        let bytes = match input {
            ToPeer::Answered { bytes, .. } | ToPeer::Called(_, _, bytes) => bytes.len() as u64,
            ToPeer::Closed(..) | ToPeer::Timer(_) => 0,
        };
        self.by_safe.entry(safe).or_default().0 += 1 + bytes / SMALLEST;
    }

    /// A safe does this. What is wrong, if it is more than it was ever asked for.
    pub(super) fn answer(&mut self, safe: usize, out: &[FromPeer]) -> Option<String> {
        let (asked, done) = self.by_safe.entry(safe).or_default();
        *done += out.len() as u64;
        (*done > STEPS * *asked).then(|| format!("safe {safe} did {done} steps for {asked} things it was told"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Conn, Peer};

    #[test]
    fn a_safe_that_does_more_than_it_was_asked_for_is_found() {
        let mut effort = Effort::default();
        let conn = Conn { peer: Peer::Safe(0), number: 1 };
        effort.ask(0, &ToPeer::Closed(conn, None));
        let steps: Vec<FromPeer> = (0..STEPS).map(|_| FromPeer::Close(conn)).collect();
        assert_eq!(effort.answer(0, &steps), None);
        assert!(effort.answer(0, &steps[..1]).is_some());
    }
}
