//! Whom an alarm may concern, and who owes one: a client complains of a relay exactly when that relay wronged it.

use std::collections::BTreeSet;

use crate::port::{Conn, Peer, Report, Stream};

/// What a malicious relay reported of itself.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    concerned: BTreeSet<Conn>,
    clients: BTreeSet<usize>,
    spoiled: BTreeSet<(Conn, Stream)>,
    rolled_back: bool,
    lied_about_time: bool,
}

impl Alarms {
    /// Takes note of what the relay did; what it found broken is for the oracle.
    pub(super) fn handle_report(&mut self, report: Report) {
        self.rolled_back |= report.rolled_back;
        self.lied_about_time |= report.lied_about_time;
        self.spoiled.extend(report.spoiled);
        for conn in report.concerned {
            self.concerned.insert(conn);
            if let Peer::Client(index) = conn.peer {
                self.clients.insert(index);
            }
        }
    }

    /// Whether a client may complain of what came on this connection.
    pub(super) fn may_complain(&self, conn: Conn) -> bool {
        self.rolled_back || self.concerned.contains(&conn)
    }

    /// Whether a client must complain of this answer. It is asked once.
    pub(super) fn must_complain(&mut self, conn: Conn, stream: Stream) -> bool {
        self.spoiled.remove(&(conn, stream))
    }

    /// Whether what a client left at the relay may be lost.
    pub(super) fn may_lose(&self, client: usize) -> bool {
        self.rolled_back || self.lied_about_time || self.clients.contains(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conn(client: usize) -> Conn {
        Conn { peer: Peer::Client(client), number: 1 }
    }

    #[test]
    fn whoever_was_wronged_may_complain_and_lose_and_nobody_else() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { concerned: vec![conn(1)], ..Report::default() });
        assert!(alarms.may_complain(conn(1)) && alarms.may_lose(1));
        assert!(!alarms.may_complain(conn(2)) && !alarms.may_lose(2));
        assert!(!alarms.may_complain(Conn { number: 2, ..conn(1) }));
    }

    #[test]
    fn a_spoiled_answer_must_be_complained_of_once() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { spoiled: vec![(conn(1), Stream(3))], ..Report::default() });
        assert!(!alarms.must_complain(conn(1), Stream(2)));
        assert!(alarms.must_complain(conn(1), Stream(3)));
        assert!(!alarms.must_complain(conn(1), Stream(3)));
    }

    #[test]
    fn a_disk_that_went_back_concerns_everybody_and_a_lie_about_time_loses_for_everybody() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { lied_about_time: true, ..Report::default() });
        assert!(alarms.may_lose(1) && !alarms.may_complain(conn(1)));
        alarms.handle_report(Report { rolled_back: true, ..Report::default() });
        assert!(alarms.may_complain(conn(1)));
    }
}
