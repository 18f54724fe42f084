//! Sequence numbers: a fresh one for every request, and the alarm when a safe has forgotten some.
//!
//! A plain value. Whoever uses it writes it down before the number it gave out is used.

use rohrpost_e2ee::body::{Reply, Status};
use rohrpost_e2ee::window::WINDOW;
use serde::{Deserialize, Serialize};

/// The numbers of one device key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The next number to use; numbers start at 1.
    next: u64,
    /// The highest number the safe is known to have.
    confirmed: u64,
}

/// A number for one envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The number.
    pub number: u64,
    /// What was confirmed before it: a safe that reports less has forgotten something.
    confirmed: u64,
}

/// The safe reports less than it had: it was set back, most likely to a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack;

impl Sequence {
    /// The numbers of a new device.
    pub fn new() -> Self {
        Self { next: 1, confirmed: 0 }
    }

    /// Gives out the next number.
    pub fn reserve(&mut self) -> Reserved {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Reserved { number, confirmed: self.confirmed }
    }

    /// Takes note of the reply to the envelope with this number.
    pub fn handle_reply(&mut self, reserved: Reserved, reply: &Reply) -> Result<(), SetBack> {
        if reply.status == Status::Damaged {
            // A safe that cannot read its own rows does not know what it has seen.
            return Ok(());
        }
        // Only a request that was acted on proves that its own number was taken.
        let own = if reply.status == Status::Done { reserved.number } else { 0 };
        self.confirmed = self.confirmed.max(reply.highest_sequence).max(own);
        if reply.status == Status::OutOfSequence {
            self.move_into_window(reply.highest_sequence);
        }
        if reply.highest_sequence >= reserved.confirmed {
            return Ok(());
        }
        // Said once: from here on counts what the safe has now.
        self.confirmed = reply.highest_sequence.max(own);
        Err(SetBack)
    }

    /// Numbers were used up by envelopes that never arrived, or another copy of this key is in use. A number that is
    /// inside the window stays: one that lies below it may be on its way in another envelope. Where it is outside, the
    /// envelopes between have expired long before so many could be sent, so their numbers may be used again.
    fn move_into_window(&mut self, highest: u64) {
        if self.next <= highest || self.next > highest.saturating_add(WINDOW - 1) {
            self.next = highest.saturating_add(1);
        }
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_e2ee::RequestId;
    use rohrpost_e2ee::body::Payload;
    use rohrpost_wire::Timestamp;
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn reply(status: Status, highest_sequence: u64) -> Reply {
        let request = RequestId(Fixed([1; 16]));
        Reply { request, status, safe_time: Timestamp(0), highest_sequence, tickets: vec![], payload: Payload::None }
    }

    #[test]
    fn no_number_is_given_out_twice() {
        let mut sequence = Sequence::new();
        let numbers: Vec<_> = (0..4).map(|_| sequence.reserve().number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }

    #[test]
    fn a_safe_that_reports_the_number_before_or_after_taking_it_raises_no_alarm() {
        for lag in [0, 1] {
            let mut sequence = Sequence::new();
            for _ in 0..5 {
                let reserved = sequence.reserve();
                let answer = reply(Status::Done, reserved.number - lag);
                assert_eq!(sequence.handle_reply(reserved, &answer), Ok(()));
            }
        }
    }

    #[test]
    fn a_safe_that_reports_less_than_was_confirmed_raises_the_alarm() {
        let mut sequence = Sequence::new();
        for _ in 0..5 {
            let reserved = sequence.reserve();
            sequence.handle_reply(reserved, &reply(Status::Done, reserved.number)).unwrap();
        }
        let reserved = sequence.reserve();
        assert_eq!(sequence.handle_reply(reserved, &reply(Status::NotAllowed, 3)), Err(SetBack));
        let reserved = sequence.reserve();
        assert_eq!(sequence.handle_reply(reserved, &reply(Status::NotAllowed, 3)), Ok(()), "once");
        assert_eq!(sequence.handle_reply(reserved, &reply(Status::NotAllowed, 2)), Err(SetBack), "again, if again");
    }

    #[test]
    fn an_answer_that_was_overtaken_raises_no_alarm() {
        let mut sequence = Sequence::new();
        let (slow, fast) = (sequence.reserve(), sequence.reserve());
        assert_eq!(sequence.handle_reply(fast, &reply(Status::Done, 2)), Ok(()));
        assert_eq!(sequence.handle_reply(slow, &reply(Status::Done, 1)), Ok(()));
    }

    #[test]
    fn numbers_lost_on_the_way_do_not_lock_a_device_out() {
        let mut sequence = Sequence::new();
        for _ in 0..2000 {
            sequence.reserve();
        }
        let reserved = sequence.reserve();
        assert_eq!(sequence.handle_reply(reserved, &reply(Status::OutOfSequence, 7)), Ok(()));
        assert_eq!(sequence.reserve().number, 8);
    }

    #[test]
    fn interleaved_requests_that_are_both_out_of_sequence_never_share_a_number() {
        let mut sequence = Sequence::new();
        for _ in 0..2000 {
            sequence.reserve();
        }
        let (first, second) = (sequence.reserve(), sequence.reserve());
        sequence.handle_reply(first, &reply(Status::OutOfSequence, 7)).unwrap();
        let third = sequence.reserve();
        sequence.handle_reply(second, &reply(Status::OutOfSequence, 7)).unwrap();
        assert_ne!(third.number, sequence.reserve().number);
    }

    #[test]
    fn a_number_moves_only_if_it_is_outside_the_window() {
        for (given, highest, next) in
            [(9, 7, 10), (7, 7, 8), (3, 7, 8), (7 + WINDOW - 2, 7, 7 + WINDOW - 1), (7 + WINDOW - 1, 7, 8)]
        {
            let mut sequence = Sequence { next: given, confirmed: 0 };
            let reserved = sequence.reserve();
            sequence.handle_reply(reserved, &reply(Status::OutOfSequence, highest)).unwrap();
            assert_eq!(sequence.next, next, "{given} of {highest}");
        }
    }

    #[test]
    fn a_damaged_safe_raises_no_alarm() {
        let mut sequence = Sequence { next: 9, confirmed: 8 };
        let reserved = sequence.reserve();
        assert_eq!(sequence.handle_reply(reserved, &reply(Status::Damaged, 0)), Ok(()));
    }
}
