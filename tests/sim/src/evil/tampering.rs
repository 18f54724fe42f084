//! Harm on the way out, by what the message is.
#![expect(clippy::wildcard_enum_match_arm, reason = "a power is looked for by what it works on; all others pass")]

use rohrpost_e2ee::exchange::decoy_reply;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{self, Delivery, Deposit, Destination};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame, InboxId, limits};

use super::{Asked, EvilRelay, Power, answer};
use crate::message::{self, Reader};
use crate::port::{Conn, FromRelay, Stream};

/// Where a request's sealed bytes begin in the message to a safe: behind a frame of seven bytes and the blob's length.
const ENVELOPE: usize = 11;

impl EvilRelay {
    pub(super) fn tamper_call(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        let fits = |power: &Power| {
            matches!(
                power,
                Power::Duplicate(_)
                    | Power::Redirect
                    | Power::ReplayCall(_)
                    | Power::DepositAsCall(_)
                    | Power::Garbage
                    | Power::Version(..)
            )
        };
        let Some(power) = self.disarm(fits) else { return self.tamper_any(FromRelay::Call(conn, stream, bytes)) };
        let mut out = Vec::new();
        match power {
            Power::Duplicate(times) => {
                let copies = (0..=times % 4).map(|_| self.own_call(conn, bytes.clone()));
                out.extend(copies.collect::<Vec<_>>());
            }
            Power::Redirect => {
                let other = self.seen.safes.values().copied().find(|other| other.peer != conn.peer);
                out.extend(other.map(|other| self.own_call(other, bytes.clone())));
            }
            Power::ReplayCall(which) => out.extend(self.replay_call(usize::from(which))),
            Power::DepositAsCall(which) => {
                let old = pick(&self.seen.deposits, usize::from(which)).cloned();
                out.extend(old.and_then(|(inbox, _, envelope)| self.call_safe(inbox, &envelope)));
            }
            Power::Version(place, byte) => {
                let mut spoiled = bytes;
                set(&mut spoiled, ENVELOPE + usize::from(place % 3), byte);
                return vec![FromRelay::Call(conn, stream, spoiled)];
            }
            _ => {
                let garbage = self.random_bytes(600);
                out.push(self.own_call(conn, garbage));
            }
        }
        out.push(FromRelay::Call(conn, stream, bytes));
        out
    }

    fn replay_call(&mut self, which: usize) -> Option<FromRelay> {
        let (inbox, envelope) = pick(&self.seen.calls, which)?.clone();
        self.call_safe(inbox, &envelope)
    }

    fn call_safe(&mut self, inbox: InboxId, envelope: &[u8]) -> Option<FromRelay> {
        let conn = *self.seen.safes.get(&inbox)?;
        let incoming = Frame::Incoming(frame::Incoming { ticket: None });
        Some(self.own_call(conn, message::frame_and_blob(&incoming, envelope)))
    }

    pub(super) fn tamper_answer(
        &mut self,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        asked: &Asked,
    ) -> Vec<FromRelay> {
        let crossed = self.disarm(|power| matches!(power, Power::CrossProtocol(_) | Power::Refuse(_)));
        if let Some(power) = crossed {
            return vec![answer(conn, stream, cross(power), true)];
        }
        match asked {
            Asked::Records(inbox) => self.tamper_records(conn, stream, bytes, *inbox),
            Asked::Call => self.tamper_reply(conn, stream, bytes),
            Asked::FetchInbox => self.tamper_inbox(conn, stream, bytes),
            Asked::FetchMailbox(_) => self.tamper_mailbox(conn, stream, bytes, asked),
            Asked::Deposit(..) | Asked::Login | Asked::Challenge | Asked::Other => {
                self.tamper_any(answer(conn, stream, bytes, true))
            }
        }
    }

    fn tamper_records(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>, inbox: InboxId) -> Vec<FromRelay> {
        let fits = |power: &Power| {
            matches!(
                power,
                Power::ServeOwnSafe
                    | Power::ServeOwnPrekeys
                    | Power::ServeSwappedKey
                    | Power::ServeOtherSafe
                    | Power::StaleRecords(_)
                    | Power::Version(..)
            )
        };
        let genuine = self.seen.records.iter().rev().find(|(of, _)| *of == inbox).map(|(_, set)| set.clone());
        let (Some(genuine), Some(power)) = (genuine, self.disarm(fits)) else {
            return self.tamper_any(answer(conn, stream, bytes, true));
        };
        let set = match power {
            Power::ServeOwnSafe => self.forger.own(),
            Power::ServeOwnPrekeys => self.forger.own_prekeys(&genuine),
            Power::ServeSwappedKey => self.forger.swapped(&genuine),
            Power::ServeOtherSafe => self.other_records(inbox).unwrap_or(genuine),
            Power::StaleRecords(which) => self.old_records(inbox, usize::from(which)).unwrap_or(genuine),
            power => spoil_record(genuine, power),
        };
        vec![answer(conn, stream, message::frame_and_blob(&Frame::Done, &set.encode()), true)]
    }

    fn other_records(&self, inbox: InboxId) -> Option<RecordSet> {
        self.seen.records.iter().find(|(of, _)| *of != inbox).map(|(_, set)| set.clone())
    }

    fn old_records(&self, inbox: InboxId, which: usize) -> Option<RecordSet> {
        let of_safe: Vec<_> = self.seen.records.iter().filter(|(of, _)| *of == inbox).collect();
        pick(&of_safe, which).map(|(_, set)| set.clone())
    }

    fn tamper_reply(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        let fits = |power: &Power| {
            matches!(power, Power::SwapReplies | Power::Splice(_) | Power::ForgeReply | Power::OldReply(_))
        };
        let Some(power) = self.disarm(fits) else { return self.tamper_any(answer(conn, stream, bytes, true)) };
        match power {
            Power::SwapReplies => match self.waiting.take() {
                None => {
                    self.waiting = Some((conn, stream, bytes));
                    self.armed.push(Power::SwapReplies);
                    Vec::new()
                }
                Some((other, at, before)) => {
                    vec![answer(other, at, bytes, true), answer(conn, stream, before, true)]
                }
            },
            Power::Splice(how) => vec![answer(conn, stream, self.splice(&bytes, how), true)],
            Power::ForgeReply => {
                // Sealed in due form, to a key that nobody has.
                let forged = decoy_reply(&mut self.rng).unwrap_or_default();
                vec![answer(conn, stream, message::frame_and_blob(&Frame::Done, &forged), true)]
            }
            power => {
                let Power::OldReply(which) = power else { return Vec::new() };
                let (reply, object) = pick(&self.seen.replies, usize::from(which)).cloned().unwrap_or_default();
                let old = [message::frame_and_blob(&Frame::Done, &reply), object].concat();
                vec![answer(conn, stream, old, true)]
            }
        }
    }

    /// This reply, with an object of whole and authentic chunks that are not where they belong.
    fn splice(&self, bytes: &[u8], how: u8) -> Vec<u8> {
        let mut reader = Reader::new(bytes);
        let (_, reply) = (reader.frame(), reader.blob(limits::ENVELOPE_BYTES));
        let (Some(reply), Some((header, chunks))) = (reply, reader.rest().split_at_checked(HEADER_BYTES)) else {
            return bytes.to_vec();
        };
        let mut chunks: Vec<&[u8]> = chunks.chunks(CHUNK_BYTES + TAG_BYTES).collect();
        let last = chunks.len().saturating_sub(1);
        match how % 4 {
            0 => {
                let mut others = self.seen.replies.iter().map(|(_, object)| object.as_slice());
                let other = others.rfind(|other| !other.is_empty() && *other != reader.rest());
                let tail =
                    other.and_then(|other| other.get(HEADER_BYTES..)?.chunks(CHUNK_BYTES + TAG_BYTES).next_back());
                chunks.pop();
                chunks.extend(tail);
            }
            1 => drop(chunks.pop()),
            2 if last > 0 => chunks.swap(0, last),
            _ => chunks.extend(chunks.first().copied()),
        }
        [&message::frame_and_blob(&Frame::Done, reply), header, &chunks.concat()].concat()
    }

    fn tamper_inbox(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        let fits =
            |power: &Power| matches!(power, Power::ReplayDeposit(_) | Power::CallAsDeposit(_) | Power::StealReply);
        let (Some(inbox), Some(power)) = (self.seen.inbox_of(conn), self.disarm(fits)) else {
            return self.tamper_any(answer(conn, stream, bytes, true));
        };
        let own: Vec<_> = self.seen.deposits.iter().filter(|(of, ..)| *of == inbox).cloned().collect();
        let calls: Vec<_> = self.seen.calls.iter().filter(|(of, _)| *of == inbox).cloned().collect();
        let added = match power {
            Power::ReplayDeposit(which) => {
                pick(&own, usize::from(which)).map(|(_, delivery, envelope)| (delivery.clone(), envelope.clone()))
            }
            Power::CallAsDeposit(which) => pick(&calls, usize::from(which)).map(|(_, envelope)| {
                readdressed(
                    Destination::Inbox(inbox),
                    envelope,
                    &Delivery { id: EnvelopeId(Fixed([0; 32])), ttl: frame::TtlClass::Day, reply_mailbox: None },
                )
            }),
            _ => own.last().map(|(_, delivery, envelope)| {
                let mailbox = Some(Fixed([9; 32]));
                readdressed(
                    Destination::Inbox(inbox),
                    envelope,
                    &Delivery { reply_mailbox: mailbox, ..delivery.clone() },
                )
            }),
        };
        vec![answer(conn, stream, deliver_first(added, bytes), true)]
    }

    fn tamper_mailbox(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>, asked: &Asked) -> Vec<FromRelay> {
        let Some(Power::StuffMailbox(which)) = self.disarm(|power| matches!(power, Power::StuffMailbox(_))) else {
            return self.tamper_any(answer(conn, stream, bytes, true));
        };
        let Asked::FetchMailbox(mailbox) = *asked else { return vec![answer(conn, stream, bytes, true)] };
        let (reply, _) = pick(&self.seen.replies, usize::from(which)).cloned().unwrap_or_default();
        let delivery = Delivery { id: EnvelopeId(Fixed([0; 32])), ttl: frame::TtlClass::Day, reply_mailbox: None };
        let stuffed = readdressed(Destination::Mailbox(mailbox), &reply, &delivery);
        vec![answer(conn, stream, deliver_first(Some(stuffed), bytes), true)]
    }
}

/// The same envelope under another header, with the id that belongs to it.
fn readdressed(to: Destination, envelope: &[u8], delivery: &Delivery) -> (Delivery, Vec<u8>) {
    let (ttl, reply_mailbox) = (delivery.ttl, delivery.reply_mailbox);
    let id = Deposit { to, ticket: None, ttl, reply_mailbox }.envelope_id(envelope);
    (Delivery { id, ..delivery.clone() }, envelope.to_vec())
}

fn deliver_first(added: Option<(Delivery, Vec<u8>)>, bytes: Vec<u8>) -> Vec<u8> {
    match added {
        Some((delivery, envelope)) => [message::frame_and_blob(&Frame::Delivery(delivery), &envelope), bytes].concat(),
        None => bytes,
    }
}

fn cross(power: Power) -> Vec<u8> {
    match power {
        Power::Refuse(number) => {
            let code = ErrorCode::from_number(u16::from(number)).unwrap_or(ErrorCode::Unavailable);
            message::frame(&Frame::Refused(code))
        }
        Power::CrossProtocol(0) => message::frame(&Frame::Drained),
        Power::CrossProtocol(1) => message::frame(&Frame::Done),
        Power::CrossProtocol(2) => message::frame(&Frame::Queued(EnvelopeId(Fixed([1; 32])))),
        Power::CrossProtocol(3) => message::frame(&Frame::Challenge),
        _ => vec![0, 0, 0, 3, 0, 99, 1],
    }
}

/// A version, suite or kind byte of a signed record.
fn spoil_record(mut set: RecordSet, power: Power) -> RecordSet {
    let Power::Version(place, byte) = power else { return set };
    let target = match place % 3 {
        0 => set.roots.first_mut().map(|signed| &mut signed.bytes),
        1 => Some(&mut set.identity.bytes),
        _ => set.prekeys.first_mut().map(|signed| &mut signed.bytes),
    };
    if let Some(bytes) = target {
        self::set(bytes, usize::from(place / 3 % 2), byte);
    }
    set
}

/// Cuts or flips; what remains may be anything.
pub(super) fn spoil(action: FromRelay, power: Power) -> FromRelay {
    let spoiled = |mut bytes: Vec<u8>| {
        match power {
            Power::Truncate(count) => bytes.truncate(bytes.len().saturating_sub(1 + usize::from(count))),
            Power::Flip(place) => {
                let from_end = bytes.len().saturating_sub(1 + usize::from(place) % bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(from_end) {
                    *byte ^= 1 << (place % 8);
                }
            }
            _ => {}
        }
        bytes
    };
    match action {
        FromRelay::Answer { conn, stream, bytes, whole } => answer(conn, stream, spoiled(bytes), whole),
        FromRelay::Call(conn, stream, bytes) => FromRelay::Call(conn, stream, spoiled(bytes)),
        other @ (FromRelay::Close(..) | FromRelay::Timer(..)) => other,
    }
}

fn set(bytes: &mut [u8], place: usize, byte: u8) {
    if let Some(at) = bytes.get_mut(place) {
        *at = byte;
    }
}

fn pick<T>(all: &[T], which: usize) -> Option<&T> {
    all.get(which.checked_rem(all.len())?)
}
