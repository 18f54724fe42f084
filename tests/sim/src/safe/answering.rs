//! From an envelope to its answer, held back until everything it speaks of is flushed.

use rohrpost_e2ee::exchange::{Lane, Recipient, ReplySealer, RequestHeader, decoy_reply, open_request};
use rohrpost_safe_agent::handlers::enrol::{self, Counted};
use rohrpost_safe_agent::requests::{self, Answer, Asker, Enrolment, Incoming};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Delivery, Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, Frame, MailboxId, limits};

use super::office::sha256;
use super::session::PAUSE;
use super::{Asked, Safe, objects, tags};
use crate::message::{self, Reader};
use crate::port::{Conn, FromPeer, Stream};
use crate::time::Millis;

/// What waits for the flush.
#[derive(Debug)]
pub(super) enum Held {
    /// To log in.
    Login,
    /// To publish the records.
    Publish,
    /// To answer.
    Answer(Way, Box<(ReplySealer, Answer)>),
    /// To compare a PIN, now that the try is counted.
    Compare(Way, Box<(Incoming, Enrolment, ReplySealer, (Fixed<32>, bool))>),
    /// To write once more what the first transaction decided, so that time tells nothing.
    Settle(Way, Box<(Enrolment, ReplySealer, Answer)>),
    /// Nothing; what was written just becomes durable.
    Nothing,
}

/// The way back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Call(Conn, Stream),
    /// The envelope, and the mailbox for its answer.
    Deposit(Conn, EnvelopeId, Option<MailboxId>, TtlClass),
}

impl Safe {
    pub(super) fn called(&mut self, conn: Conn, stream: Stream, bytes: &[u8], now: Millis) -> Vec<FromPeer> {
        let mut reader = Reader::new(bytes);
        let Ok(Frame::Incoming(_)) = reader.frame() else { return vec![FromPeer::Abort(conn, stream)] };
        let Ok(envelope) = reader.blob(limits::ENVELOPE_BYTES) else { return vec![FromPeer::Abort(conn, stream)] };
        self.answer(envelope, Lane::Live, Way::Call(conn, stream), now)
    }

    pub(super) fn fetched(&mut self, first: Frame, mut reader: Reader<'_>, now: Millis) -> Vec<FromPeer> {
        let Ok(delivered) = reader.deliveries(first, Destination::Inbox(self.identity().inbox)) else {
            return vec![self.timer(PAUSE, tags::FETCH)];
        };
        let Some(session) = self.session() else { return Vec::new() };
        session.open = delivered.iter().map(|(delivery, _)| delivery.id).collect();
        session.done.clear();
        if delivered.is_empty() {
            return vec![self.timer(PAUSE, tags::FETCH)];
        }
        let conn = session.conn;
        let answer = |(delivery, envelope): (Delivery, Vec<u8>)| {
            let lane = Lane::Deposit { ttl: delivery.ttl, reply_mailbox: delivery.reply_mailbox };
            let mailbox = delivery.reply_mailbox.map(|key| MailboxId::of_key(&key.0));
            self.answer(&envelope, lane, Way::Deposit(conn, delivery.id, mailbox, delivery.ttl), now)
        };
        delivered.into_iter().flat_map(answer).collect()
    }

    fn answer(&mut self, envelope: &[u8], lane: Lane, way: Way, now: Millis) -> Vec<FromPeer> {
        let Some((incoming, asker, sealer)) = self.open(envelope, lane) else {
            let decoy = decoy_reply(&mut self.rng).unwrap_or_default();
            return self.send(way, &decoy);
        };
        let (digest, live) = (sha256(envelope), lane == Lane::Live);
        let first = self.next_leaf();
        let answer = match asker {
            Asker::Nobody => self.transact(now, |draft, time, _| requests::answer_nobody(draft, &incoming, time)),
            Asker::Device { id, sequence } => {
                self.transact(now, |draft, time, rng| requests::answer(draft, &incoming, id, sequence, time, rng))
            }
            Asker::Enrol(enrolment) => {
                let counted =
                    self.transact(now, |draft, time, rng| enrol::count(draft, &incoming, &enrolment, time, rng));
                self.note_writer(first, (digest, live));
                return match counted {
                    Counted::Answer { answer, recorded: true } => {
                        self.hold(Held::Settle(way, Box::new((enrolment, sealer, answer))))
                    }
                    Counted::Answer { answer, recorded: false } => {
                        self.hold(Held::Answer(way, Box::new((sealer, answer))))
                    }
                    Counted::Compare => {
                        self.counted.push((first, digest));
                        self.hold(Held::Compare(way, Box::new((incoming, enrolment, sealer, (digest, live)))))
                    }
                };
            }
        };
        self.note_writer(first, (digest, live));
        self.hold(Held::Answer(way, Box::new((sealer, answer))))
    }

    fn note_writer(&mut self, first: u64, writer: (Fixed<32>, bool)) {
        let leaves = first..self.next_leaf();
        self.written.extend(leaves.map(|leaf| (leaf, writer)));
    }

    fn open(&self, envelope: &[u8], lane: Lane) -> Option<(Incoming, Asker, ReplySealer)> {
        let header = RequestHeader::parse(envelope).ok()?;
        let (secret, until) = self.live.as_ref()?.keys.get(&header.prekey)?;
        let identity = self.identity();
        let recipient = Recipient { pin: &identity.pin, inbox: &identity.inbox, lane };
        let opened = open_request(envelope, secret, recipient).ok()?;
        Some(Incoming::new(opened, header.prekey, *until, lane == Lane::Live))
    }

    pub(super) fn release(&mut self, held: Held, now: Millis) -> Vec<FromPeer> {
        match held {
            Held::Login => self.login(),
            Held::Publish => self.publish(now),
            Held::Nothing => Vec::new(),
            Held::Answer(way, answer) => {
                let (sealer, answer) = *answer;
                self.seal(way, sealer, answer)
            }
            Held::Compare(way, compare) => {
                let (incoming, enrolment, sealer, writer) = *compare;
                let first = self.next_leaf();
                let answer =
                    self.transact(now, |draft, time, rng| enrol::compare(draft, &incoming, &enrolment, time, rng));
                self.note_writer(first, writer);
                self.hold(Held::Answer(way, Box::new((sealer, answer))))
            }
            Held::Settle(way, settle) => {
                let (enrolment, sealer, answer) = *settle;
                self.transact(now, |draft, _, _| enrol::settle(draft, &enrolment));
                self.hold(Held::Answer(way, Box::new((sealer, answer))))
            }
        }
    }

    fn seal(&mut self, way: Way, sealer: ReplySealer, mut answer: Answer) -> Vec<FromPeer> {
        let transfer = answer.transfer.take();
        let Ok(reply) = sealer.seal(&answer.reply, &mut self.rng) else { return Vec::new() };
        if let (Way::Call(conn, stream), Some(transfer)) = (way, transfer) {
            let content = self.contents.get(&transfer.content).cloned().unwrap_or_default();
            let mut bytes = Vec::new();
            message::push_blob(&mut bytes, &reply);
            objects::push(&mut bytes, &transfer, &content);
            return vec![FromPeer::Answer(conn, stream, bytes)];
        }
        self.send(way, &reply)
    }

    fn send(&mut self, way: Way, reply: &[u8]) -> Vec<FromPeer> {
        match way {
            Way::Call(conn, stream) => {
                let mut bytes = Vec::new();
                message::push_blob(&mut bytes, reply);
                vec![FromPeer::Answer(conn, stream, bytes)]
            }
            // The session in which it came is over: it comes again.
            Way::Deposit(conn, ..) if self.conn() != Some(conn) => Vec::new(),
            Way::Deposit(_, id, None, _) => self.done_with(id, true),
            Way::Deposit(_, id, Some(mailbox), ttl) => {
                let to = Destination::Mailbox(mailbox);
                let deposit = Deposit { to, ticket: None, ttl, reply_mailbox: None };
                self.ask(Asked::Reply(id), message::frame_and_blob(&Frame::Deposit(deposit), reply))
            }
        }
    }
}
