//! What peers ask a simulated relay, verb by verb, as the product's `verbs` answer it.

use rand_core::Rng as _;
use rohrpost_relay::mailbox::{Deposited, Slot};
use rohrpost_relay::router::{ConnectionId, Route};
use rohrpost_wire::frame::{self, Ack, Call, Delivery, Deposit, Destination, Fetch, Login, MailboxProof};
use rohrpost_wire::proof::{self, Challenge, MailboxVerb};
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame, InboxId, fixed::Fixed, limits};

use super::{Relay, answer, close_superseded, refuse};
use crate::message::{self, Reader};
use crate::port::{Conn, FromRelay, Stream};
use crate::time::Millis;

impl Relay {
    pub(super) fn asked(&mut self, conn: Conn, stream: Stream, bytes: &[u8], now: Millis) -> Vec<FromRelay> {
        let Some(id) = self.live.ids.get(&conn).copied() else { return Vec::new() };
        let mut reader = Reader::new(bytes);
        let done = match reader.frame() {
            Ok(Frame::Login(login)) => self.login(conn, id, stream, &login),
            Ok(Frame::Publish) => self.publish(conn, id, stream, reader),
            Ok(Frame::Records(inbox)) => self.records(conn, stream, inbox),
            Ok(Frame::Call(call)) => self.call(conn, id, stream, &call, reader),
            Ok(Frame::Deposit(deposit)) => self.deposit(conn, id, stream, &deposit, reader, now),
            Ok(Frame::Fetch(fetch)) => self.fetch(conn, id, stream, &fetch, now),
            Ok(Frame::Ack(ack)) => self.ack(conn, id, stream, ack),
            Ok(Frame::Challenge) => Ok(self.challenge(conn, stream)),
            Ok(
                Frame::Refused(_)
                | Frame::Done
                | Frame::Queued(_)
                | Frame::Delivery(_)
                | Frame::Drained
                | Frame::Challenged(_)
                | Frame::Incoming(_),
            )
            | Err(_) => return vec![FromRelay::Close(conn, ErrorCode::UnexpectedFrame)],
        };
        done.unwrap_or_else(|code| refuse(conn, stream, code))
    }

    fn login(
        &mut self,
        conn: Conn,
        id: ConnectionId,
        stream: Stream,
        login: &Login,
    ) -> Result<Vec<FromRelay>, ErrorCode> {
        proof::verify_login(login, &self.key, &conn.exporter()).map_err(|_| ErrorCode::BadProof)?;
        let inbox = InboxId::of_route_key(&login.route_key.0);
        let effect = self.live.router.handle_login(id, inbox)?;
        let mut out: Vec<_> = close_superseded(&self.live, effect).into_iter().collect();
        out.push(answer(conn, stream, message::frame(&Frame::Done)));
        Ok(out)
    }

    fn publish(
        &mut self,
        conn: Conn,
        id: ConnectionId,
        stream: Stream,
        mut reader: Reader<'_>,
    ) -> Result<Vec<FromRelay>, ErrorCode> {
        let inbox = self.own_inbox(id)?;
        let records = reader.blob(limits::RECORDS_BYTES).map_err(|_| ErrorCode::Malformed)?;
        self.disk.keep_records(inbox, records);
        Ok(self.answer_durably(conn, stream, message::frame(&Frame::Done)))
    }

    fn records(&mut self, conn: Conn, stream: Stream, inbox: InboxId) -> Result<Vec<FromRelay>, ErrorCode> {
        let records = self.disk.records(inbox).ok_or(ErrorCode::Unknown)?;
        Ok(self.answer_durably(conn, stream, message::frame_and_blob(&Frame::Done, &records)))
    }

    fn call(
        &mut self,
        conn: Conn,
        id: ConnectionId,
        stream: Stream,
        call: &Call,
        mut reader: Reader<'_>,
    ) -> Result<Vec<FromRelay>, ErrorCode> {
        let envelope = reader.blob(limits::ENVELOPE_BYTES).map_err(|_| ErrorCode::Malformed)?;
        let live = match self.live.router.handle_call(id, call.to) {
            Route::To(live) => live,
            Route::Away => return Err(ErrorCode::Away),
            Route::Busy => return Err(ErrorCode::Busy),
        };
        let safe = *self.live.conns.get(&live.to).ok_or(ErrorCode::Away)?;
        let opened = Stream(self.live.next_stream);
        self.live.next_stream += 1;
        self.live.calls.insert((safe, opened), (conn, stream, live));
        let incoming = Frame::Incoming(frame::Incoming { ticket: call.ticket });
        Ok(vec![FromRelay::Call(safe, opened, message::frame_and_blob(&incoming, envelope))])
    }

    fn deposit(
        &mut self,
        conn: Conn,
        id: ConnectionId,
        stream: Stream,
        deposit: &Deposit,
        mut reader: Reader<'_>,
        now: Millis,
    ) -> Result<Vec<FromRelay>, ErrorCode> {
        let envelope = reader.blob(limits::ENVELOPE_BYTES).map_err(|_| ErrorCode::Malformed)?;
        let time = self.time(now);
        let named = deposit.envelope_id(envelope);
        let by = self.live.router.inbox_of(id);
        let deposited = Deposited { header: deposit, id: named, bytes: envelope.len() as u64, by };
        let effects = self.live.index.handle_deposit(deposited, time)?;
        let delivery = Delivery { id: named, ttl: deposit.ttl, reply_mailbox: deposit.reply_mailbox };
        self.disk.execute(effects, Some((&delivery, envelope)));
        if let Destination::Inbox(inbox) = deposit.to {
            self.live.rung.insert(inbox);
        }
        Ok(self.answer_durably(conn, stream, message::frame(&Frame::Queued(named))))
    }

    fn fetch(
        &mut self,
        conn: Conn,
        id: ConnectionId,
        stream: Stream,
        fetch: &Fetch,
        now: Millis,
    ) -> Result<Vec<FromRelay>, ErrorCode> {
        let (from, wait) = match fetch {
            Fetch::Inbox { wait } => (Destination::Inbox(self.own_inbox(id)?), *wait),
            Fetch::Mailbox(proof) => (self.prove(conn, proof, MailboxVerb::Fetch, &[])?, false),
        };
        let time = self.time(now);
        let waiting = self.live.index.handle_fetch(from, time)?;
        if let (Destination::Inbox(inbox), true, true) = (from, wait, waiting.is_empty()) {
            self.live.waits.insert(inbox, (conn, stream));
            return Ok(Vec::new());
        }
        let bytes = self.deliver(&waiting);
        Ok(self.answer_durably(conn, stream, bytes))
    }

    /// Something has come for a safe that waits.
    pub(super) fn ring(&mut self, inbox: InboxId, now: Millis) -> Vec<FromRelay> {
        let Some((conn, stream)) = self.live.waits.remove(&inbox) else { return Vec::new() };
        let owns = self.live.ids.get(&conn).and_then(|id| self.live.router.inbox_of(*id)) == Some(inbox);
        let time = self.time(now);
        let found = self.live.index.handle_fetch(Destination::Inbox(inbox), time).unwrap_or_default();
        if !owns || found.is_empty() {
            return Vec::new();
        }
        let bytes = self.deliver(&found);
        self.answer_durably(conn, stream, bytes)
    }

    fn ack(&mut self, conn: Conn, id: ConnectionId, stream: Stream, ack: Ack) -> Result<Vec<FromRelay>, ErrorCode> {
        let owner = match &ack.mailbox {
            Some(proof) => self.prove(conn, proof, MailboxVerb::Ack, &ack.ids)?,
            None => Destination::Inbox(self.own_inbox(id)?),
        };
        let ids: Vec<EnvelopeId> = ack.ids.into();
        let effects = self.live.index.handle_ack(owner, &ids);
        self.disk.execute(effects, None);
        Ok(self.answer_durably(conn, stream, message::frame(&Frame::Done)))
    }

    fn challenge(&mut self, conn: Conn, stream: Stream) -> Vec<FromRelay> {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        let challenge = Challenge(Fixed(bytes));
        self.live.challenges.insert(conn, challenge);
        vec![answer(conn, stream, message::frame(&Frame::Challenged(challenge)))]
    }

    /// A challenge serves once.
    fn prove(
        &mut self,
        conn: Conn,
        proof: &MailboxProof,
        verb: MailboxVerb,
        ids: &[EnvelopeId],
    ) -> Result<Destination, ErrorCode> {
        let challenge = self.live.challenges.remove(&conn).ok_or(ErrorCode::BadProof)?;
        let mailbox = proof::verify_mailbox(proof, &self.key, verb, &challenge, ids);
        mailbox.map(Destination::Mailbox).map_err(|_| ErrorCode::BadProof)
    }

    fn own_inbox(&self, id: ConnectionId) -> Result<InboxId, ErrorCode> {
        self.live.router.inbox_of(id).ok_or(ErrorCode::NotLoggedIn)
    }

    fn deliver(&self, slots: &[(Slot, u64)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for kept in slots.iter().filter_map(|(slot, _)| self.disk.envelope(*slot)) {
            bytes.extend(message::frame_and_blob(&Frame::Delivery(kept.delivery.clone()), &kept.bytes));
        }
        bytes.extend(message::frame(&Frame::Drained));
        bytes
    }
}
