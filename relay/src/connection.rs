//! One connection: who it is, what it may hold, and how each of its streams is answered.
//!
//! Invariant: whatever goes wrong on one stream ends that stream or, if the peer broke the protocol, this connection;
//! nothing here touches another one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use rohrpost_wire::frame::Destination;
use rohrpost_wire::proof::{Challenge, Exporter, MailboxVerb};
use rohrpost_wire::{EXPORTER_LABEL, ErrorCode, Frame, InboxId, RelayKeyHash, frame, limits, proof};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::arrivals::Arrivals;
use crate::line::Line;
use crate::metrics::Metrics;
use crate::quota::Limits;
use crate::router::ConnectionId;
use crate::sources::{Kind, Source};
use crate::splice::End;
use crate::spool::Spool;
use crate::stream::{self, StreamEnd, number};
use crate::switchboard::Switchboard;
use crate::turns::{Turn, Turns};
use crate::verbs;
use crate::windows::STREAM_WINDOW;

/// What all connections of a relay have in common.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) board: Arc<Switchboard>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) spool: Spool,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) key_hash: RelayKeyHash,
    /// Bytes of envelopes that may be on their way in.
    pub(crate) arriving: Arc<Semaphore>,
    /// Bytes of envelopes that may be on their way out.
    pub(crate) leaving: Arc<Semaphore>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) house: Arc<House>,
    pub(crate) id: ConnectionId,
    pub(crate) line: Arc<Line>,
    /// Where it came from; it may have moved since.
    pub(crate) source: Source,
    _turn: Turn,
    /// The fetches that wait for a first envelope.
    pub(crate) waits: Semaphore,
    blobs: Semaphore,
    challenge: Mutex<Option<Challenge>>,
}

impl House {
    /// The rooms of a relay.
    pub(crate) fn new(
        spool: Spool,
        arrivals: Arc<Arrivals>,
        metrics: Arc<Metrics>,
        limits: Limits,
        key_hash: RelayKeyHash,
    ) -> Self {
        let (board, turns) = (Arc::new(Switchboard::new(&limits)), Arc::new(Turns::new(&limits)));
        let memory = || Arc::new(Semaphore::new(limits.blob_memory));
        let (arriving, leaving) = (memory(), memory());
        Self { board, turns, spool, arrivals, metrics, limits, key_hash, arriving, leaving }
    }
}

impl Session {
    /// Takes a connection in, if there is room for it.
    pub(crate) fn open(house: &Arc<House>, connection: Connection) -> Option<Self> {
        let source = Source::of(connection.remote_address().ip());
        let turn = house.turns.take(source, Kind::Connection)?;
        let line = Arc::new(Line::new(connection, house.limits.calls_per_safe));
        let id = house.board.open(&line)?;
        house.metrics.connections.add();
        let waits = Semaphore::new(house.limits.waiting_fetches);
        let blobs = Semaphore::new(house.limits.blobs_per_connection);
        Some(Self {
            house: Arc::clone(house),
            id,
            line,
            source,
            _turn: turn,
            waits,
            blobs,
            challenge: Mutex::new(None),
        })
    }

    /// Answers one stream.
    pub(crate) async fn serve(&self, send: SendStream, recv: RecvStream) {
        let mut end = End { send, recv };
        match verbs::answer(self, &mut end).await {
            Ok(()) => drop(end.send.finish()),
            Err(StreamEnd::Refused(code)) => self.refuse(end, code).await,
            Err(StreamEnd::Misbehaved(code)) => self.misbehaved(code),
            Err(StreamEnd::Stalled) => stream::abandon(&mut end.send, &mut end.recv, ErrorCode::TimedOut),
            Err(StreamEnd::Gone) => stream::abandon(&mut end.send, &mut end.recv, ErrorCode::Interrupted),
        }
    }

    async fn refuse(&self, mut end: End, code: ErrorCode) {
        // A peer that does not read its refusal learns it from how the stream ends.
        match stream::write_frame(&mut end.send, &Frame::Refused(code)).await {
            Ok(()) => drop(end.send.finish()),
            Err(_) => drop(end.send.reset(number(code))),
        }
        drop(end.recv.stop(number(code)));
    }

    fn misbehaved(&self, code: ErrorCode) {
        self.house.metrics.misbehaved.add();
        tracing::debug!(connection = self.id.0, code = code.number(), "connection ended for what it sent");
        self.line.connection.close(number(code), b"");
    }

    /// The inbox this connection owns now.
    pub(crate) fn inbox(&self) -> Option<InboxId> {
        self.house.board.inbox_of(self.id)
    }

    /// The inbox this connection owns now, where the verb needs one.
    pub(crate) fn own_inbox(&self) -> Result<InboxId, StreamEnd> {
        self.inbox().ok_or(StreamEnd::Refused(ErrorCode::NotLoggedIn))
    }

    /// The keying material of this connection, under which logins are signed.
    pub(crate) fn exporter(&self) -> Result<Exporter, StreamEnd> {
        let mut bytes = [0; 32];
        let exported = self.line.connection.export_keying_material(&mut bytes, EXPORTER_LABEL, b"");
        exported.map(|()| Exporter(bytes)).map_err(|_| StreamEnd::Refused(ErrorCode::Unavailable))
    }

    /// Draws a challenge; the one before is worthless from now on.
    pub(crate) fn draw_challenge(&self) -> Result<Challenge, StreamEnd> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| StreamEnd::Refused(ErrorCode::Unavailable))?;
        let challenge = Challenge(rohrpost_wire::fixed::Fixed(bytes));
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        Ok(challenge)
    }

    /// Checks a mailbox proof and burns the challenge it answers, whether it holds or not.
    pub(crate) fn prove_mailbox(
        &self,
        given: &frame::MailboxProof,
        verb: MailboxVerb,
        ids: &[rohrpost_wire::EnvelopeId],
    ) -> Result<Destination, StreamEnd> {
        let bad = StreamEnd::Refused(ErrorCode::BadProof);
        let challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(bad)?;
        let mailbox = proof::verify_mailbox(given, &self.house.key_hash, verb, &challenge, ids).map_err(|_| bad)?;
        Ok(Destination::Mailbox(mailbox))
    }

    /// Waits for one of the connection's turns to send a blob.
    pub(crate) async fn blob_turn(&self) -> Result<SemaphorePermit<'_>, StreamEnd> {
        self.blobs.acquire().await.map_err(|_| StreamEnd::Gone)
    }

    /// Waits for a turn and for memory to take a blob in. What the peer has sent of it in the meantime lies unread, and
    /// must not be in the way of those whose turn it is.
    pub(crate) async fn blob_room(
        &self,
        length: usize,
    ) -> Result<(SemaphorePermit<'_>, OwnedSemaphorePermit), StreamEnd> {
        if let Ok(turn) = self.blobs.try_acquire()
            && let Some(memory) = u32::try_from(length)
                .ok()
                .and_then(|bytes| Arc::clone(&self.house.arriving).try_acquire_many_owned(bytes).ok())
        {
            return Ok((turn, memory));
        }
        let unread = u32::try_from(length).unwrap_or(u32::MAX).min(STREAM_WINDOW);
        let _unread = self.line.leave_unread(unread).ok_or(StreamEnd::Refused(ErrorCode::Busy))?;
        let turn = self.blob_turn().await?;
        Ok((turn, reserve(&self.house.arriving, length).await?))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.house.board.close(self.id);
    }
}

/// Reserves memory for a blob before it is allocated; a relay that has none for too long is busy.
pub(crate) async fn reserve(memory: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, StreamEnd> {
    let busy = StreamEnd::Refused(ErrorCode::Busy);
    let permits = u32::try_from(bytes).map_err(|_| busy)?;
    let wait = Duration::from_secs(limits::FRAME_SECONDS);
    match timeout(wait, Arc::clone(memory).acquire_many_owned(permits)).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(busy),
    }
}
