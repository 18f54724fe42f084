//! A connection to a relay: one method per verb.
//!
//! It decides nothing. Dropping it closes it.
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever else a relay may say here is against the protocol")]

use std::time::Duration;

use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::frame::{Ack, AckIds, Call, Deposit, Destination, Fetch, Incoming, MailboxProof};
use rohrpost_wire::proof::{self, Challenge, Exporter, MailboxVerb};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{
    EXPORTER_LABEL, EnvelopeId, ErrorCode, Frame, InboxId, MailboxId, RelayAddress, RelayKeyHash, TicketId, limits,
};
use tokio::time::timeout;

use crate::dial;
use crate::error::{AskError, ConnectError};
use crate::stream::{ANSWER_TIME, Stream, in_time, varint};

/// How long a fetch waits for its first envelope: an answer that a relay swallowed must not be waited for for ever.
pub const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Whether calls may come in over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks only.
    Visitor,
    /// Logs in and takes calls.
    Safe,
}

/// An open connection to the relay whose key was pinned.
#[derive(Debug)]
pub struct Connection {
    quic: quinn::Connection,
    /// The socket; kept so that it lives as long as the connection.
    endpoint: quinn::Endpoint,
    relay: RelayKeyHash,
}

/// An envelope from a mailbox, with what its sender told the relay.
#[derive(Clone)]
pub struct Delivered {
    /// The relay's word for it.
    pub delivery: rohrpost_wire::frame::Delivery,
    /// Sealed.
    pub envelope: Vec<u8>,
}

/// The reply to a call, and the stream on which an object may follow it.
pub struct CallReply {
    /// Sealed.
    pub reply: Vec<u8>,
    /// The rest of the stream.
    pub rest: quinn::RecvStream,
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivered({} bytes)", self.envelope.len())
    }
}

impl std::fmt::Debug for CallReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallReply({} bytes)", self.reply.len())
    }
}

impl Connection {
    /// Connects to a relay and checks its key.
    pub async fn dial(relay: &RelayAddress, role: Role) -> Result<Self, ConnectError> {
        let (endpoint, quic) = dial::dial(relay, role).await?;
        Ok(Self { quic, endpoint, relay: relay.key_hash })
    }

    /// Makes this connection the safe's whose route key this is. An older connection of the same safe is closed.
    pub async fn login(&self, route: &SigningSecret, counter: u64) -> Result<(), AskError> {
        let mut exporter = Exporter([0; 32]);
        self.quic.export_keying_material(&mut exporter.0, EXPORTER_LABEL, b"").map_err(|_| AskError::Misbehaved)?;
        let login = proof::sign_login(route.signer(), &self.relay, &exporter, counter);
        self.ask(&Frame::Login(login)).await?.read_done().await
    }

    /// Publishes the safe's records. Durable when this returns.
    pub async fn publish(&self, records: &RecordSet) -> Result<(), AskError> {
        let mut stream = self.open().await?;
        stream.write_frame(&Frame::Publish).await?;
        let written = stream.write_blob(&records.encode()).await.and_then(|()| stream.finish());
        stream.read_done().await?;
        written
    }

    /// Fetches a safe's records. Nothing about them has been verified.
    pub async fn records(&self, inbox: InboxId) -> Result<RecordSet, AskError> {
        let mut stream = self.ask(&Frame::Records(inbox)).await?;
        stream.read_done().await?;
        let blob = in_time(ANSWER_TIME, stream.read_blob(limits::RECORDS_BYTES)).await?;
        RecordSet::decode(&blob).map_err(|_| AskError::Misbehaved)
    }

    /// Sends a sealed request to a safe and waits for the sealed reply.
    pub async fn call(&self, to: InboxId, ticket: Option<TicketId>, request: &[u8]) -> Result<CallReply, AskError> {
        let mut stream = self.open().await?;
        stream.write_frame(&Frame::Call(Call { to, ticket })).await?;
        // The relay refuses without reading on; its reason is worth more than the failed write.
        let written = stream.write_blob(request).await.and_then(|()| stream.finish());
        stream.read_done().await?;
        written?;
        let reply = in_time(ANSWER_TIME, stream.read_blob(limits::ENVELOPE_BYTES)).await?;
        Ok(CallReply { reply, rest: stream.recv })
    }

    /// Leaves an envelope at the relay. Durable there when this returns.
    pub async fn deposit(&self, deposit: &Deposit, envelope: &[u8]) -> Result<EnvelopeId, AskError> {
        let mut stream = self.open().await?;
        stream.write_frame(&Frame::Deposit(deposit.clone())).await?;
        let written = stream.write_blob(envelope).await.and_then(|()| stream.finish());
        let answer = stream.read_answer().await?;
        written?;
        match answer {
            Frame::Queued(id) if id == deposit.envelope_id(envelope) => Ok(id),
            _ => Err(AskError::Misbehaved),
        }
    }

    /// Takes what waits in the inbox of the safe that has logged in here; with `wait`, not before there is something or
    /// [`LONGEST_WAIT`] is over.
    pub async fn fetch(&self, inbox: InboxId, wait: bool) -> Result<Vec<Delivered>, AskError> {
        let mut stream = self.ask(&Frame::Fetch(Fetch::Inbox { wait })).await?;
        let first = match timeout(LONGEST_WAIT, stream.read_frame_whenever()).await {
            Err(_nothing_came) => return Ok(Vec::new()),
            Ok(Err(error)) => return Err(error),
            Ok(Ok(Frame::Refused(code))) => return Err(AskError::Refused(code)),
            Ok(Ok(frame)) => frame,
        };
        read_deliveries(&mut stream, first, Destination::Inbox(inbox)).await
    }

    /// Erases envelopes from the safe's inbox that it has taken over. Erased when this returns.
    pub async fn ack(&self, mut ids: Vec<EnvelopeId>) -> Result<(), AskError> {
        while !ids.is_empty() {
            let ids = AckIds::take(&mut ids);
            self.ask(&Frame::Ack(Ack { mailbox: None, ids })).await?.read_done().await?;
        }
        Ok(())
    }

    /// Takes what waits in a reply mailbox.
    pub async fn fetch_mailbox(&self, key: &SigningSecret) -> Result<Vec<Delivered>, AskError> {
        let proof = self.prove_mailbox(key, MailboxVerb::Fetch, &[]).await?;
        let mut stream = self.ask(&Frame::Fetch(Fetch::Mailbox(proof))).await?;
        let first = stream.read_answer().await?;
        let mailbox = MailboxId::of_key(&key.public().0);
        read_deliveries(&mut stream, first, Destination::Mailbox(mailbox)).await
    }

    /// Erases envelopes from a reply mailbox. Erased when this returns.
    pub async fn ack_mailbox(&self, key: &SigningSecret, mut ids: Vec<EnvelopeId>) -> Result<(), AskError> {
        while !ids.is_empty() {
            let ids = AckIds::take(&mut ids);
            let proof = self.prove_mailbox(key, MailboxVerb::Ack, &ids).await?;
            self.ask(&Frame::Ack(Ack { mailbox: Some(proof), ids })).await?.read_done().await?;
        }
        Ok(())
    }

    /// Waits for the next call to this safe. `None` when the connection is over, whose reason
    /// [`Self::close_reason`] tells.
    pub async fn accept(&self) -> Option<IncomingCall> {
        let (send, recv) = self.quic.accept_bi().await.ok()?;
        Some(IncomingCall { stream: Stream { send, recv } })
    }

    /// Why the relay closed the connection, if it did and said so.
    pub fn close_reason(&self) -> Option<ErrorCode> {
        match self.quic.close_reason()? {
            quinn::ConnectionError::ApplicationClosed(close) => {
                u16::try_from(close.error_code.into_inner()).ok().and_then(ErrorCode::from_number)
            }
            _ => None,
        }
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.quic.close_reason().is_some()
    }

    /// Waits until the connection is over.
    pub async fn closed(&self) {
        self.quic.closed().await;
    }

    /// Says goodbye and waits, for a moment, until it is sent.
    pub async fn close(&self) {
        self.quic.close(varint(ErrorCode::Finished), b"");
        let sent = timeout(Duration::from_secs(1), self.endpoint.wait_idle()).await;
        if sent.is_err() {
            tracing::debug!("relay did not confirm the close");
        }
    }

    async fn prove_mailbox(
        &self,
        key: &SigningSecret,
        verb: MailboxVerb,
        ids: &[EnvelopeId],
    ) -> Result<MailboxProof, AskError> {
        let challenge: Challenge = match self.ask(&Frame::Challenge).await?.read_answer().await? {
            Frame::Challenged(challenge) => challenge,
            _ => return Err(AskError::Misbehaved),
        };
        Ok(proof::sign_mailbox(key.signer(), &self.relay, verb, &challenge, ids))
    }

    async fn ask(&self, frame: &Frame) -> Result<Stream, AskError> {
        let mut stream = self.open().await?;
        stream.write_frame(frame).await?;
        stream.finish()?;
        Ok(stream)
    }

    async fn open(&self) -> Result<Stream, AskError> {
        let opening = async { self.quic.open_bi().await.map_err(|_| AskError::Lost) };
        let (send, recv) = in_time(ANSWER_TIME, opening).await?;
        Ok(Stream { send, recv })
    }
}

/// Reads what was delivered, within the limits that the relay keeps to as well, and under the ids that its bytes have.
async fn read_deliveries(stream: &mut Stream, first: Frame, to: Destination) -> Result<Vec<Delivered>, AskError> {
    let mut delivered: Vec<Delivered> = Vec::new();
    let (mut frame, mut bytes) = (first, 0);
    loop {
        let delivery = match frame {
            Frame::Delivery(delivery) => delivery,
            Frame::Drained => return Ok(delivered),
            _ => return Err(AskError::Misbehaved),
        };
        let envelope = in_time(ANSWER_TIME, stream.read_blob(limits::ENVELOPE_BYTES)).await?;
        bytes += envelope.len();
        let (ttl, reply_mailbox) = (delivery.ttl, delivery.reply_mailbox);
        let id = Deposit { to, ticket: None, ttl, reply_mailbox }.envelope_id(&envelope);
        if delivered.len() >= limits::FETCH_ENVELOPES || bytes > limits::FETCH_BYTES || id != delivery.id {
            return Err(AskError::Misbehaved);
        }
        delivered.push(Delivered { delivery, envelope });
        frame = stream.read_answer().await?;
    }
}

/// A call that a relay has brought to this safe.
pub struct IncomingCall {
    stream: Stream,
}

impl std::fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IncomingCall")
    }
}

impl IncomingCall {
    /// Reads the sealed request and the ticket that was spent on it.
    pub async fn request(&mut self) -> Result<(Option<TicketId>, Vec<u8>), AskError> {
        in_time(ANSWER_TIME, async {
            let Frame::Incoming(Incoming { ticket }) = self.stream.read_frame_whenever().await? else {
                return Err(AskError::Misbehaved);
            };
            Ok((ticket, self.stream.read_blob(limits::ENVELOPE_BYTES).await?))
        })
        .await
    }

    /// Sends the sealed reply.
    pub async fn reply(&mut self, reply: &[u8]) -> Result<(), AskError> {
        self.stream.write_blob(reply).await
    }

    /// Sends bytes of an object; returns when flow control has taken them, or has taken nothing for too long.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), AskError> {
        self.stream.write(bytes).await
    }

    /// Ends the answer. If the stream is gone already, the caller has seen that itself.
    pub fn finish(mut self) {
        let _gone = self.stream.send.finish();
    }

    /// Breaks off: the caller sees an interrupted answer, never a short one.
    pub fn abort(mut self) {
        // Fails only if the stream is over already, which is what is wanted.
        let _over = self.stream.send.reset(varint(ErrorCode::Interrupted));
    }
}
