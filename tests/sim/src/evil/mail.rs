//! Harm to what waits: requests left for a safe, answers left for a client.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{self, Delivery, Deposit, Destination};
use rohrpost_wire::{EnvelopeId, Frame, MailboxId};

use super::report::About;
use super::{EvilRelay, InboxPower, Power, answer, shapes};
use crate::message;
use crate::port::{Conn, FromRelay, Stream};

impl EvilRelay {
    pub(super) fn tamper_inbox(&mut self, about: &About, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        let power = self.arms.take(&about.parties, Power::on_inbox);
        let (Some(inbox), Some(power)) = (self.seen.inbox_of(conn), power) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        };
        let own: Vec<_> = self.seen.deposits.iter().filter(|left| left.inbox == inbox).cloned().collect();
        let calls: Vec<_> = self.seen.calls.iter().filter(|(of, _)| *of == inbox).cloned().collect();
        let added = match power {
            InboxPower::Replay(which) => {
                shapes::pick(&own, usize::from(which)).map(|left| (left.delivery.clone(), left.envelope.clone()))
            }
            InboxPower::OfCall(which) => shapes::pick(&calls, usize::from(which)).map(|(_, envelope)| {
                readdressed(
                    Destination::Inbox(inbox),
                    envelope,
                    &Delivery { id: EnvelopeId(Fixed([0; 32])), ttl: frame::TtlClass::Day, reply_mailbox: None },
                )
            }),
            InboxPower::StealReply => own.last().map(|left| {
                let delivery = Delivery { reply_mailbox: Some(Fixed([9; 32])), ..left.delivery.clone() };
                readdressed(Destination::Inbox(inbox), &left.envelope, &delivery)
            }),
        };
        vec![answer(conn, stream, deliver_first(added, bytes), true)]
    }

    pub(super) fn tamper_mailbox(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        mailbox: MailboxId,
    ) -> Vec<FromRelay> {
        let Some(which) = self.arms.take(&about.parties, Power::on_mailbox) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        };
        let (reply, _) = shapes::pick(&self.seen.replies, usize::from(which)).cloned().unwrap_or_default();
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
