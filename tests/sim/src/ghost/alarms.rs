//! Whom an alarm may concern, and who owes one: a client complains of a relay exactly when that relay wronged it.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_client::VisitError;

use crate::client::{Shown, Trouble};
use crate::port::{Conn, Owed, Report, Stream};

/// Words of which at least some stand in every sentence by which a patient learns that somebody lied or altered what came.
/// No sentence about a broken line, somebody's absence or a wrong clock has any of them.
const ALARMING: [&str; 5] = [
    "altered on its way",
    "not made by the practice's data-safe",
    "cannot be trusted",
    "does not behave as it should",
    "data-safe speaks another version",
];

/// What a patient is shown, by its words alone: a failure, a complaint, or a complaint with which the program ends.
pub fn weigh(shown: &Shown) -> Owed {
    let alarms = ALARMING.iter().any(|words| shown.text.contains(words));
    match (alarms, shown.is_over) {
        (false, _) => Owed::Failure,
        (true, false) => Owed::Alarm,
        (true, true) => Owed::End,
    }
}

/// What a malicious relay reported of itself.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    concerned: BTreeSet<Conn>,
    spoiled: BTreeMap<(Conn, Stream), Owed>,
    /// Something that was left there may be gone.
    lost: BTreeSet<Conn>,
    /// Records that came there were from an old disk.
    outdated: BTreeSet<Conn>,
}

impl Alarms {
    /// Takes note of what the relay did; what it found broken is for the oracle.
    pub(super) fn handle_report(&mut self, report: Report) {
        self.lost.extend(report.lost);
        self.outdated.extend(report.outdated);
        self.concerned.extend(report.concerned);
        self.spoiled.extend(report.spoiled.into_iter().map(|(conn, stream, owed)| ((conn, stream), owed)));
    }

    /// Whether a client may complain of this on this connection. Of records from an old disk nothing else is wrong.
    pub(super) fn may_complain(&self, conn: Conn, of: Trouble) -> bool {
        let of_records = matches!(of, Trouble::Visit(VisitError::Trust(_)));
        self.concerned.contains(&conn) || (of_records && self.outdated.contains(&conn))
    }

    /// What a client owes for this answer. It is asked once.
    pub(super) fn owed(&mut self, conn: Conn, stream: Stream) -> Option<Owed> {
        self.spoiled.remove(&(conn, stream))
    }

    /// Whether what was left at the relay on this connection may be lost.
    pub(super) fn may_lose(&self, conn: Conn) -> bool {
        self.lost.contains(&conn) || self.concerned.contains(&conn)
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_client::AskError;
    use rohrpost_e2ee::trust::TrustError;
    use rohrpost_patient::texts;
    use rohrpost_wire::ErrorCode;

    use super::*;
    use crate::port::Peer;

    fn conn(client: usize) -> Conn {
        Conn { peer: Peer::Client(client), number: 1 }
    }

    /// What is shown of an error, as the program goes on or as it ends.
    fn weighed(error: VisitError) -> [Owed; 2] {
        let problem = error.into();
        let goes_on = Shown { text: texts::retrying(&problem, 1.0, 2, 3), is_over: false };
        [goes_on, Shown { text: texts::problem(&problem), is_over: true }].map(|shown| weigh(&shown))
    }

    #[test]
    fn what_a_patient_is_shown_is_weighed_by_its_words() {
        let line = [AskError::Lost, AskError::TimedOut, AskError::Refused(ErrorCode::Away)].map(VisitError::from);
        let clock = VisitError::Trust(TrustError::Outdated);
        assert!(line.into_iter().chain([clock]).all(|error| weighed(error) == [Owed::Failure; 2]));
        for lie in [VisitError::Open, AskError::Misbehaved.into(), TrustError::NotThisSafe.into()] {
            assert_eq!(weighed(lie), [Owed::Alarm, Owed::End], "{lie:?}");
        }
    }

    #[test]
    fn whoever_was_wronged_may_complain_and_lose_and_nobody_else() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { concerned: vec![conn(1)], ..Report::default() });
        assert!(alarms.may_complain(conn(1), Trouble::OPEN) && alarms.may_lose(conn(1)));
        assert!(!alarms.may_complain(conn(2), Trouble::OPEN) && !alarms.may_lose(conn(2)));
        assert!(!alarms.may_complain(Conn { number: 2, ..conn(1) }, Trouble::OPEN));
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
    fn records_from_an_old_disk_excuse_complaints_of_records_where_they_were_served() {
        let of_records = Trouble::from(TrustError::RolledBack);
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { outdated: vec![conn(1)], ..Report::default() });
        assert!(alarms.may_complain(conn(1), of_records) && !alarms.may_complain(conn(1), Trouble::OPEN));
        assert!(!alarms.may_complain(conn(2), of_records) && !alarms.may_lose(conn(1)));
    }

    #[test]
    fn what_an_old_disk_lacks_is_lost_to_whoever_left_it_and_no_reason_to_complain() {
        let mut alarms = Alarms::default();
        alarms.handle_report(Report { lost: vec![conn(1)], ..Report::default() });
        assert!(alarms.may_lose(conn(1)) && !alarms.may_lose(conn(2)));
        assert!(!alarms.may_complain(conn(1), Trouble::OPEN));
    }
}
