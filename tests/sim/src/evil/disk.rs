//! Harm to what the relay keeps: an old disk in the place of its own, a clock that lets go too early.
//!
//! It meets no message. Who lost what by it the relay reads off its disks and tells the oracle, so that nobody else is
//! excused: deposits of which something is not on the old disk as it was, or that waited when the clock was set; and
//! records from the old disk, each time they are served where a safe had published others.

use std::collections::BTreeSet;

use rohrpost_wire::limits;

use super::{EvilRelay, Power, shapes};
use crate::message::Reader;
use crate::port::{FromRelay, RelayPort as _};
use crate::relay::Rows;
use crate::time::Millis;

/// Messages after which the disk is remembered, to go back to it later.
const YOUNG: u64 = 60;
/// By how many seconds it is ahead when it lies about the time: more than the shortest time that anything is kept, or the
/// longest.
const LIES: [u64; 2] = [25 * 3600, 40 * 86_400];

/// The disk as it was when the simulation was young, and what it brought back.
#[derive(Debug, Default)]
pub(super) struct OldDisk {
    young: Option<Rows>,
    /// Records on it where there were others when it came back.
    outdated: BTreeSet<Vec<u8>>,
}

impl EvilRelay {
    /// What needs no message is done first.
    pub(super) fn step(&mut self, now: Millis) {
        if self.arms.step(now) == YOUNG {
            self.old.young = Some(self.inner.snapshot());
        }
        self.roll_back();
        self.lie_about_time();
    }

    fn roll_back(&mut self) {
        let Some(young) = &self.old.young else { return };
        if self.arms.take_at_once(|power| (power == Power::RollBack).then_some(())).is_none() {
            return;
        }
        let old = young.clone();
        let lost = self.inner.roll_back(old.clone());
        self.harm += u64::from(lost != old);
        self.old.outdated.extend(old.outdated_records(&lost));
        let deposits = self.seen.deposits.iter();
        let differs = deposits.filter(|left| old.of_deposit(&left.delivery) != lost.of_deposit(&left.delivery));
        self.report.lost.extend(differs.map(|left| left.from));
    }

    /// With something there to be let go at the next look.
    fn lie_about_time(&mut self) {
        if self.inner.stored() == 0 {
            return;
        }
        if let Some(which) = self.arms.take_at_once(Power::on_clock) {
            self.inner.lie_about_time(shapes::pick(&LIES, usize::from(which)).copied().unwrap_or(0));
            self.harm += 1;
            self.let_go();
        }
    }

    /// Starts anew, from the latest time on its disk. A lie may stand there, on which it lies again, or on an old disk no
    /// time at all, so that it believes any clock: then it is suddenly later.
    pub(super) fn start_anew(&mut self, now: Millis) -> Vec<FromRelay> {
        let before = self.inner.time(now);
        let out = self.inner.crash(now);
        if self.inner.time(now) > before {
            self.let_go();
        }
        out
    }

    /// Time leaps, and whatever was left until now may be over.
    fn let_go(&mut self) {
        self.report.lost.extend(self.seen.deposits.iter().map(|left| left.from));
    }

    /// Whoever is served what the old disk brought back may complain of it, even when the relay has long turned honest.
    pub(super) fn tell_of_outdated(&mut self, out: &[FromRelay]) {
        for action in out {
            if let FromRelay::Answer { conn, bytes, .. } = action {
                let mut reader = Reader::new(bytes);
                let records = reader.frame().and_then(|_| reader.blob(limits::RECORDS_BYTES));
                if records.is_ok_and(|records| self.old.outdated.contains(records)) {
                    self.report.outdated.push(*conn);
                }
            }
        }
    }
}
