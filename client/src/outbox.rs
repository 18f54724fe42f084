//! What has been asked and not been answered: which request to send next, and when.
//!
//! A plain value. A request stays, under its one id, until its own reply came or its time is over; the relay's word
//! that it was delivered discharges nothing.

use std::collections::BTreeMap;

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::exchange::RequestDraft;
use rohrpost_wire::Timestamp;

/// Requests under way at once. A person waits for a handful; a device that owes more has a fault.
pub const OUTBOX_REQUESTS: usize = 64;

/// The pause after the first loss, in seconds; it doubles with every further one.
const FIRST_PAUSE: u64 = 1;
/// The longest pause, in seconds.
const LONGEST_PAUSE: u64 = 300;

/// The requests of one client that wait for their replies.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: BTreeMap<RequestId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    draft: RequestDraft,
    losses: u32,
    due: Option<Timestamp>,
}

/// As many requests as there may be are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests under way")]
pub struct Full;

impl Outbox {
    /// Takes a request, to be sent at once.
    pub fn add(&mut self, draft: RequestDraft, now: Timestamp) -> Result<(), Full> {
        if self.waiting.len() >= OUTBOX_REQUESTS {
            return Err(Full);
        }
        self.waiting.insert(draft.id, Waiting { draft, losses: 0, due: Some(now) });
        Ok(())
    }

    /// The request to send now, if one is due. It counts as under way until it is reported lost or answered.
    pub fn poll_send(&mut self, now: Timestamp) -> Option<RequestDraft> {
        let next = self.waiting.values_mut().filter(|w| w.due.is_some_and(|due| due <= now)).min_by_key(|w| w.due)?;
        next.due = None;
        Some(next.draft.clone())
    }

    /// When [`Self::poll_send`] will next have something.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.values().filter_map(|waiting| waiting.due).min()
    }

    /// No reply came: the request becomes due again, under the same id, after a pause that doubles.
    pub fn handle_lost(&mut self, id: RequestId, now: Timestamp) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            let pause = FIRST_PAUSE.checked_shl(waiting.losses).map_or(LONGEST_PAUSE, |p| p.min(LONGEST_PAUSE));
            waiting.losses = waiting.losses.saturating_add(1).min(32);
            waiting.due = Some(now.plus(pause));
        }
    }

    /// The reply came, sealed by the safe: the request is discharged. False if it was not waiting.
    pub fn handle_reply(&mut self, id: RequestId) -> bool {
        self.waiting.remove(&id).is_some()
    }

    /// Gives up requests whose time is over and returns them: what became of them is not known.
    pub fn handle_expire(&mut self, now: Timestamp) -> Vec<RequestId> {
        let over: Vec<_> = self.waiting.iter().filter(|(_, w)| w.draft.expires <= now).map(|(id, _)| *id).collect();
        for id in &over {
            self.waiting.remove(id);
        }
        over
    }

    /// How many requests wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_e2ee::body::Operation;
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn draft(id: u8) -> RequestDraft {
        let id = RequestId(Fixed([id; 16]));
        RequestDraft { id, created: Timestamp(0), expires: Timestamp(1000), operation: Operation::Status }
    }

    #[test]
    fn a_lost_request_is_sent_again_under_its_id_after_growing_pauses() {
        let mut outbox = Outbox::default();
        outbox.add(draft(1), Timestamp(0)).unwrap();
        let mut now = Timestamp(0);
        let mut pauses = vec![];
        for _ in 0..11 {
            assert_eq!(outbox.poll_send(now).map(|d| d.id), Some(draft(1).id));
            assert!(outbox.poll_send(now.plus(9999)).is_none(), "under way");
            outbox.handle_lost(draft(1).id, now);
            let due = outbox.poll_timeout().unwrap();
            pauses.push(due.0 - now.0);
            now = due;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn only_a_reply_or_its_end_discharges_a_request() {
        let mut outbox = Outbox::default();
        outbox.add(draft(1), Timestamp(0)).unwrap();
        outbox.add(draft(2), Timestamp(0)).unwrap();
        assert!(outbox.handle_reply(draft(1).id));
        assert!(!outbox.handle_reply(draft(1).id), "once");
        assert_eq!(outbox.handle_expire(Timestamp(999)), []);
        assert_eq!(outbox.handle_expire(Timestamp(1000)), [draft(2).id]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_full_outbox_refuses_the_newest_request() {
        let mut outbox = Outbox::default();
        for id in 0..64 {
            outbox.add(draft(id), Timestamp(0)).unwrap();
        }
        assert_eq!(outbox.add(draft(64), Timestamp(0)), Err(Full));
        assert_eq!(outbox.len(), OUTBOX_REQUESTS);
    }
}
