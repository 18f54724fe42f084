//! What comes in: noted, tried wherever it must not hold, and now and then answered without the honest relay.

use rohrpost_wire::Frame;
use rohrpost_wire::frame::Destination;

use super::seen::Asked;
use super::{EvilRelay, Power, answer};
use crate::message;
use crate::port::{Conn, FromRelay, ToRelay};
use crate::time::Millis;

impl EvilRelay {
    /// Something on its way in. Nothing back if the honest relay shall not hear of it.
    pub(super) fn tamper_in(&mut self, input: ToRelay, now: Millis) -> Result<ToRelay, Vec<FromRelay>> {
        if let ToRelay::Asked(conn, stream, bytes) = &input {
            let asked = self.seen.note_asked(*conn, *stream, bytes);
            self.try_everything(*conn, &asked, bytes, now);
            if let Some(instead) = self.answer_itself(*conn, &asked, now) {
                self.harm += 1;
                self.report.concerned.push(*conn);
                return Err(vec![answer(*conn, *stream, instead, true)]);
            }
        }
        // An answer to a stream of its own may be to a copy, and then as good as the one to the call.
        if let ToRelay::Answered { conn, stream, bytes, whole: true } = &input
            && self.inner.caller_of(*conn, *stream).is_some()
        {
            self.seen.note_reply(bytes);
        }
        Ok(input)
    }

    /// What must never succeed is tried with every message there is.
    fn try_everything(&mut self, conn: Conn, asked: &Asked, bytes: &[u8], now: Millis) {
        let broken = match asked {
            Asked::Login => self.elsewhere.try_login(conn, bytes, &mut self.inner, now),
            Asked::FetchMailbox(_) | Asked::Ack => self.elsewhere.try_proof(conn, bytes, &mut self.inner, now),
            Asked::Call(inbox, envelope) => {
                self.forger.try_to_open(*inbox, None, envelope, self.seen.records_of(*inbox).next_back())
            }
            Asked::Deposit(deposit, envelope) => match deposit.to {
                Destination::Inbox(inbox) => {
                    let genuine = self.seen.records_of(inbox).next_back();
                    self.forger.try_to_open(inbox, Some(deposit), envelope, genuine)
                }
                Destination::Mailbox(_) => None,
            },
            Asked::Records(_) | Asked::FetchInbox | Asked::Challenge | Asked::Other => None,
        };
        self.report.broken.extend(broken);
    }

    /// An answer of its own to something that the honest relay never hears of.
    fn answer_itself(&mut self, conn: Conn, asked: &Asked, now: Millis) -> Option<Vec<u8>> {
        let parties = &self.parties(conn, asked);
        match asked {
            Asked::Challenge if self.arms.take_this(parties, Power::ForwardChallenge) => {
                let challenge = self.elsewhere.challenge(conn, now)?;
                Some(message::frame(&Frame::Challenged(challenge)))
            }
            Asked::Deposit(deposit, envelope)
                if matches!(deposit.to, Destination::Inbox(_)) && self.arms.take_this(parties, Power::ForgeQueued) =>
            {
                Some(message::frame(&Frame::Queued(deposit.envelope_id(envelope))))
            }
            Asked::Records(_)
            | Asked::Call(..)
            | Asked::Deposit(..)
            | Asked::FetchInbox
            | Asked::FetchMailbox(_)
            | Asked::Login
            | Asked::Challenge
            | Asked::Ack
            | Asked::Other => None,
        }
    }
}
