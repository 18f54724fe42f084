//! Answers exchanged between two who ask at about the same time: replies of safes, and challenges.
//!
//! One is held back for as long as its client will wait. If another comes meanwhile, each gets the other's; if none does,
//! it goes on its way, and the next one is held back, for some minutes.

use super::report::About;
use super::{EvilRelay, answer};
use crate::port::{Conn, FromRelay, Stream};
use crate::time::Millis;

/// How long an answer is held back: a client gives up five seconds later.
const HELD: Millis = Millis::seconds(25);
/// How long another one is looked for.
const SOUGHT: Millis = Millis::minutes(10);

/// What waits for another of its kind.
#[derive(Debug, Default)]
pub(super) struct Swap {
    /// The number under which it is held back.
    held: Option<u64>,
    until: Option<Millis>,
}

impl Swap {
    /// Another is to be exchanged: with what is held back, or with the next.
    pub(super) fn begin(&mut self, now: Millis) {
        self.until = Some(now.plus(SOUGHT));
    }

    fn is_sought(&self, now: Millis) -> bool {
        self.until.is_some_and(|until| now <= until)
    }
}

/// The two kinds of answers that are exchanged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Reply,
    Challenge,
}

impl EvilRelay {
    /// What goes out for an answer while others of its kind are exchanged; nothing if none are.
    pub(super) fn swap(
        &mut self,
        kind: Kind,
        about: &About,
        (conn, stream, bytes): (Conn, Stream, &[u8]),
        now: Millis,
    ) -> Option<Vec<FromRelay>> {
        if !self.swaps(kind).is_sought(now) {
            return None;
        }
        let held = self.swaps(kind).held.take();
        let waiting = held.and_then(|number| self.held.get(&number).cloned().map(|action| (number, action)));
        let Some((number, FromRelay::Answer { conn: other, stream: at, bytes: before, .. })) = waiting else {
            let out = self.hold(answer(conn, stream, bytes.to_vec(), true), HELD);
            self.swaps(kind).held = Some(self.holds - 1);
            return Some(out);
        };
        if other.peer == about.conn.peer {
            // Whose own answer is held back gets this one as it is.
            self.swaps(kind).held = Some(number);
            return None;
        }
        self.held.remove(&number);
        self.swaps(kind).until = None;
        self.report.done.push(match kind {
            Kind::Reply => "replies exchanged between two clients",
            Kind::Challenge => "challenges exchanged between two clients",
        });
        Some(vec![answer(other, at, bytes.to_vec(), true), answer(conn, stream, before, true)])
    }

    pub(super) fn swaps(&mut self, kind: Kind) -> &mut Swap {
        match kind {
            Kind::Reply => &mut self.swapped,
            Kind::Challenge => &mut self.swapped_challenge,
        }
    }
}
