//! Whom an alarm may concern, and who owes one: a client complains of a relay exactly when that relay wronged it.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Trouble;
use crate::port::{Conn, Owed, Report, Stream};

/// What a malicious relay reported of itself.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    concerned: BTreeSet<Conn>,
    spoiled: BTreeMap<(Conn, Stream), Owed>,
    rolled_back: bool,
    lied_about_time: bool,
}

impl Alarms {
    /// Takes note of what the relay did; what it found broken is for the oracle.
    pub(super) fn handle_report(&mut self, report: Report) {
        self.rolled_back |= report.rolled_back;
        self.lied_about_time |= report.lied_about_time;
        self.concerned.extend(report.concerned);
        self.spoiled.extend(report.spoiled.into_iter().map(|(conn, stream, owed)| ((conn, stream), owed)));
    }

    /// Whether a client may complain of this on this connection. After an old disk came back, records are old for all.
    pub(super) fn may_complain(&self, conn: Conn, of: Trouble) -> bool {
        let of_records = matches!(of, Trouble::Trust(_));
        self.concerned.contains(&conn) || (self.rolled_back && of_records)
    }

    /// What a client owes for this answer. It is asked once.
    pub(super) fn owed(&mut self, conn: Conn, stream: Stream) -> Option<Owed> {
        self.spoiled.remove(&(conn, stream))
    }

    /// Whether what was left at the relay on this connection may be lost.
    pub(super) fn may_lose(&self, conn: Conn) -> bool {
        self.rolled_back || self.lied_about_time || self.concerned.contains(&conn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Peer;

    fn conn(client: usize) -> Conn {
        Conn { peer: Peer::Client(client), number: 1 }
    }

    #[test]
    fn whoever_was_wronged_may_complain_and_lose_and_nobody_else() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { concerned: vec![conn(1)], ..Report::default() });
        assert!(alarms.may_complain(conn(1), Trouble::Open) && alarms.may_lose(conn(1)));
        assert!(!alarms.may_complain(conn(2), Trouble::Open) && !alarms.may_lose(conn(2)));
        assert!(!alarms.may_complain(Conn { number: 2, ..conn(1) }, Trouble::Open));
    }

    #[test]
    fn for_a_spoiled_answer_something_is_owed_once() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { spoiled: vec![(conn(1), Stream(3), Owed::Alarm)], ..Report::default() });
        assert_eq!(alarms.owed(conn(1), Stream(2)), None);
        assert_eq!(alarms.owed(conn(1), Stream(3)), Some(Owed::Alarm));
        assert_eq!(alarms.owed(conn(1), Stream(3)), None);
    }

    #[test]
    fn an_old_disk_excuses_complaints_of_records_alone() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { rolled_back: true, ..Report::default() });
        assert!(alarms.may_complain(conn(1), Trouble::Trust(rohrpost_e2ee::trust::TrustError::RolledBack)));
        assert!(!alarms.may_complain(conn(1), Trouble::Open));
        assert!(alarms.may_lose(conn(1)));
    }
}
