//! Harm to requests on their way to a safe.

use rohrpost_e2ee::exchange::decoy_reply;
use rohrpost_wire::frame;
use rohrpost_wire::{Frame, InboxId};

use super::report::About;
use super::{CallPower, EvilRelay, Power, shapes};
use crate::message;
use crate::port::{Conn, FromRelay, RelayPort as _, Stream, ToRelay};
use crate::time::Millis;

impl EvilRelay {
    pub(super) fn tamper_call(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        now: Millis,
    ) -> Vec<FromRelay> {
        let Some(power) = self.arms.take(&about.parties, Power::on_call) else {
            return self.tamper_any(about, FromRelay::Call(conn, stream, bytes));
        };
        let mut out = match power {
            CallPower::FakeSafe => return self.answer_as_safe(conn, stream, now),
            CallPower::Version(place, byte) => {
                return vec![FromRelay::Call(conn, stream, shapes::spoil_sealed(bytes, place, byte))];
            }
            CallPower::Duplicate(times) => (0..=times % 4).map(|_| self.own_call(conn, bytes.clone())).collect(),
            CallPower::Redirect => {
                let other = self.seen.safes.values().copied().find(|other| other.peer != conn.peer);
                other.map(|other| self.own_call(other, bytes.clone())).into_iter().collect()
            }
            CallPower::Replay(which) => self.replay_call(usize::from(which)).into_iter().collect(),
            CallPower::OfDeposit(which) => {
                let old = shapes::pick(&self.seen.deposits, usize::from(which)).cloned();
                old.and_then(|left| self.call_safe(left.inbox, &left.envelope)).into_iter().collect()
            }
            CallPower::Flood(count) => self.flood(1 + usize::from(count % 48)),
            CallPower::Garbage => {
                let garbage = self.random_bytes(600);
                vec![self.own_call(conn, garbage)]
            }
        };
        out.push(FromRelay::Call(conn, stream, bytes));
        out
    }

    /// The last requests there were, all at once.
    fn flood(&mut self, count: usize) -> Vec<FromRelay> {
        let last: Vec<_> = self.seen.calls.iter().rev().take(count).cloned().collect();
        last.into_iter().filter_map(|(inbox, envelope)| self.call_safe(inbox, &envelope)).collect()
    }

    /// The safe never hears of it. What a safe answers that cannot open a request is all that a fake one has.
    fn answer_as_safe(&mut self, conn: Conn, stream: Stream, now: Millis) -> Vec<FromRelay> {
        let mut bytes = Vec::new();
        message::push_blob(&mut bytes, &decoy_reply(&mut self.rng).unwrap_or_default());
        self.inner.handle(ToRelay::Answered { conn, stream, bytes, whole: true }, now)
    }

    fn replay_call(&mut self, which: usize) -> Option<FromRelay> {
        let (inbox, envelope) = shapes::pick(&self.seen.calls, which)?.clone();
        self.call_safe(inbox, &envelope)
    }

    fn call_safe(&mut self, inbox: InboxId, envelope: &[u8]) -> Option<FromRelay> {
        let conn = self.seen.safes.get(&inbox).copied().filter(|conn| self.inner.is_open(*conn))?;
        let incoming = Frame::Incoming(frame::Incoming { ticket: None });
        Some(self.own_call(conn, message::frame_and_blob(&incoming, envelope)))
    }
}
