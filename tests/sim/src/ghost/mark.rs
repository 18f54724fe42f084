//! What time it can be for a safe: no leaf is earlier than the one before it, nor than its clock.
//!
//! The rule of decision 0005, read off the record: the latest time in it stays, unless it was so far ahead that no clock is
//! believed.

use rohrpost_wire::Timestamp;
use rohrpost_wire::time::DAY;

/// Seconds by which a clock may be ahead and is believed, as decided.
const BELIEVED: u64 = 45 * DAY;

/// The latest time at which a safe has decided something; none before it was founded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark(Option<Timestamp>);

impl Mark {
    /// What is wrong with the time of the next leaf, written when the safe's clock showed this.
    pub(super) fn judge(&mut self, at: Timestamp, clock: Option<Timestamp>) -> Option<&'static str> {
        let mark = *self.0.get_or_insert(at);
        if at < mark {
            return Some("a leaf is earlier than what was decided before it");
        }
        if at <= mark.plus(BELIEVED) {
            self.0 = Some(at);
        }
        (clock.is_some_and(|clock| at < clock)).then_some("a leaf is earlier than the safe's clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::START;

    #[test]
    fn a_time_that_goes_back_is_found_and_one_that_nobody_believes_is_forgotten() {
        let mut mark = Mark::default();
        assert!(mark.judge(START.plus(9), Some(START.plus(9))).is_none());
        assert!(mark.judge(START.plus(8), Some(START.plus(8))).is_some());
        assert!(mark.judge(START.plus(9), Some(START)).is_none());
        assert!(mark.judge(START.plus(3650 * DAY), None).is_none());
        assert!(mark.judge(START.plus(10), None).is_none());
    }

    #[test]
    fn a_time_behind_the_clock_is_found() {
        assert!(Mark::default().judge(START.plus(1), Some(START.plus(2))).is_some());
    }
}
