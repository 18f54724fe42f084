//! What a safe must have got by now: an hour on one connection is enough for whatever lay at the relay before.
//!
//! The deadline of the end of a run excuses all that was left more than a day before it. So there is a look every hour: a
//! connection that is the same at both ends of an hour was whole for all of it, and so was the relay.

use std::collections::BTreeMap;

use super::World;
use crate::client::Told;
use crate::port::Conn;
use crate::safe::Safe;
use crate::time::Millis;

/// How long a safe is connected before it must have fetched everything.
const HOUR: Millis = Millis::hours(1);

/// Since when each safe has been on the connection that it is on.
#[derive(Debug, Default)]
pub(super) struct Quiet(BTreeMap<usize, (Conn, Millis)>);

impl Quiet {
    /// The connection of a safe now, if it has one. Since when it has been on it without a break, as far as was looked.
    fn look(&mut self, safe: usize, conn: Option<Conn>, now: Millis) -> Option<Millis> {
        let Some(conn) = conn else {
            self.0.remove(&safe);
            return None;
        };
        let before = self.0.get(&safe).filter(|(before, _)| *before == conn);
        let since = before.map_or(now, |(_, since)| *since);
        self.0.insert(safe, (conn, since));
        Some(since)
    }
}

impl World {
    /// A client looked for an answer and found none: not when its safe had an hour to leave it there.
    pub(super) fn look_for_answer(&mut self, client: usize, told: &Told) {
        let Told::Missed(digest) = told else { return };
        if self.relay.harm_done() == 0 && self.ghost.is_answer_due(digest, self.now) {
            self.ghost.accuse(format!("client {client} looked for an answer that must be there, and found none"));
        }
    }

    /// Nothing that was queued before a safe's last whole hour is left lying, at a relay that has done no harm.
    pub(super) fn look_for_loss(&mut self) {
        let is_honest = self.relay.harm_done() == 0;
        for index in 0..self.safes.len() {
            let conn = self.safes.get(index).and_then(Safe::logged_in).filter(|conn| self.network.is_open(*conn));
            let since = self.quiet.look(index, conn, self.now);
            let whole = since.is_some_and(|since| since.plus(HOUR) <= self.now);
            if is_honest && whole {
                self.ghost.accuse_of_loss(index, Millis(self.now.0.saturating_sub(HOUR.0)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Peer;

    #[test]
    fn an_hour_counts_from_the_first_look_at_the_same_connection() {
        let (mut quiet, conn) = (Quiet::default(), Conn { peer: Peer::Safe(0), number: 1 });
        let again = Conn { number: 2, ..conn };
        assert_eq!(quiet.look(0, Some(conn), Millis(1)), Some(Millis(1)));
        assert_eq!(quiet.look(0, Some(conn), Millis(5)), Some(Millis(1)));
        assert_eq!(quiet.look(0, Some(again), Millis(9)), Some(Millis(9)));
        assert_eq!(quiet.look(0, None, Millis(10)), None);
        assert_eq!(quiet.look(0, Some(again), Millis(11)), Some(Millis(11)));
    }
}
