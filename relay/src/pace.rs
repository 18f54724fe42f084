//! What time it is for what expires: the wall clock, held to the pace of a clock that only counts.
//!
//! A wall clock is set by people and by the network; one wrong setting must not erase everything that waits. Invariant:
//! time never goes back, never stands still while the relay runs, and runs ahead of the counted time by no more than
//! [`SLACK_SECONDS`], unless the wall clock has insisted for [`GRACE`].

use std::time::Duration;

use rohrpost_wire::Timestamp;
use rohrpost_wire::time::DAY;

/// Two clocks, read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the clock on the wall says; anybody may set it.
    pub wall: Timestamp,
    /// What has passed since some moment before the start; nobody can set it.
    pub running: Duration,
}

/// Why a reading was not taken as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock is so many seconds behind the last time acted at; time goes on from there.
    Behind(u64),
    /// The wall clock is so many seconds ahead of what can have passed; it is not followed for [`GRACE`].
    Ahead(u64),
}

/// The time by which a spool acts.
#[derive(Debug)]
pub struct Pace {
    anchor: Timestamp,
    anchored: Duration,
    doubted: Option<Duration>,
}

/// How far the wall clock may run ahead of what was counted: more than a leap second or a machine put to sleep for lunch.
pub const SLACK_SECONDS: u64 = 3600;
/// How long a relay may have been off before the time it finds is doubted: a long weekend. The shortest envelopes have
/// expired by then, the others have not.
pub const OFF_SECONDS: u64 = 3 * DAY;
/// How long a wall clock must insist on a time that is doubted: a working day's time for somebody to set it right.
pub const GRACE: Duration = Duration::from_secs(DAY);

impl Reading {
    /// A reading of a wall clock that nobody ever sets.
    pub fn undisturbed(wall: Timestamp) -> Self {
        Self { wall, running: Duration::from_secs(wall.0) }
    }
}

impl Pace {
    /// The pace of a relay that starts now and acted last at `high_water`, which is zero if it never has.
    pub fn start(high_water: Timestamp, reading: Reading) -> (Self, Option<Doubt>) {
        let Reading { wall, running } = reading;
        let doubt = if high_water == Timestamp(0) {
            None
        } else if wall > high_water.plus(OFF_SECONDS) {
            Some(Doubt::Ahead(wall.0.saturating_sub(high_water.0)))
        } else if wall.plus(SLACK_SECONDS) < high_water {
            Some(Doubt::Behind(high_water.0.saturating_sub(wall.0)))
        } else {
            None
        };
        let ahead = matches!(doubt, Some(Doubt::Ahead(_)));
        let anchor = if ahead { high_water } else { wall.max(high_water) };
        (Self { anchor, anchored: running, doubted: ahead.then_some(running) }, doubt)
    }

    /// The time now, and a doubt if one has just arisen.
    pub fn handle_reading(&mut self, reading: Reading) -> (Timestamp, Option<Doubt>) {
        let Reading { wall, running } = reading;
        let least = self.anchor.plus(running.saturating_sub(self.anchored).as_secs());
        if wall <= least.plus(SLACK_SECONDS) {
            self.doubted = None;
            return (wall.max(least), None);
        }
        match self.doubted {
            None => {
                self.doubted = Some(running);
                (least, Some(Doubt::Ahead(wall.0.saturating_sub(least.0))))
            }
            Some(since) if running.saturating_sub(since) < GRACE => (least, None),
            Some(_) => {
                *self = Self { anchor: wall, anchored: running, doubted: None };
                (wall, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);
    const YEARS: u64 = 5 * 365 * DAY;

    fn reading(wall: Timestamp, hours: u64) -> Reading {
        Reading { wall, running: Duration::from_hours(hours) }
    }

    #[test]
    fn a_wall_clock_that_jumps_ahead_is_followed_only_when_it_insists_for_a_day() {
        let (mut pace, doubt) = Pace::start(Timestamp(0), reading(START, 0));
        assert_eq!(doubt, None);
        let jumped = |hours| reading(START.plus(YEARS + hours * 3600), hours);
        assert_eq!(pace.handle_reading(jumped(1)), (START.plus(3600), Some(Doubt::Ahead(YEARS))));
        assert_eq!(pace.handle_reading(jumped(24)), (START.plus(DAY), None));
        assert_eq!(pace.handle_reading(jumped(25)), (jumped(25).wall, None));
        assert_eq!(pace.handle_reading(jumped(26)), (jumped(26).wall, None));
    }

    #[test]
    fn a_jump_that_is_put_right_leaves_no_trace() {
        let (mut pace, _) = Pace::start(Timestamp(0), reading(START, 0));
        assert_eq!(pace.handle_reading(reading(START.plus(YEARS), 0)).0, START);
        assert_eq!(pace.handle_reading(reading(START.plus(3600), 1)), (START.plus(3600), None));
        assert_eq!(pace.handle_reading(reading(START.plus(30 * 3600), 30)), (START.plus(30 * 3600), None));
    }

    #[test]
    fn a_wall_clock_that_creeps_ahead_does_not_gain_more_than_the_slack() {
        let (mut pace, _) = Pace::start(Timestamp(0), reading(START, 0));
        assert_eq!(pace.handle_reading(reading(START.plus(3600), 0)), (START.plus(3600), None));
        assert_eq!(pace.handle_reading(reading(START.plus(3601), 0)), (START, Some(Doubt::Ahead(3601))));
    }

    #[test]
    fn time_goes_on_behind_a_wall_clock_that_went_back() {
        let (mut pace, doubt) = Pace::start(START.plus(YEARS), reading(START, 7));
        assert_eq!(doubt, Some(Doubt::Behind(YEARS)));
        assert_eq!(pace.handle_reading(reading(START.plus(DAY), 31)), (START.plus(YEARS + DAY), None));
    }

    #[test]
    fn a_relay_that_finds_itself_far_in_the_future_goes_on_where_it_was_for_a_day() {
        let found = START.plus(YEARS);
        let (mut pace, doubt) = Pace::start(START, reading(found, 7));
        assert_eq!(doubt, Some(Doubt::Ahead(YEARS)));
        assert_eq!(pace.handle_reading(reading(found.plus(DAY - 3600), 30)), (START.plus(DAY - 3600), None));
        assert_eq!(pace.handle_reading(reading(found.plus(DAY), 31)), (found.plus(DAY), None));
        let (mut pace, doubt) = Pace::start(START, reading(START.plus(OFF_SECONDS), 7));
        assert_eq!(doubt, None);
        assert_eq!(pace.handle_reading(reading(START.plus(OFF_SECONDS), 7)).0, START.plus(OFF_SECONDS));
    }
}
