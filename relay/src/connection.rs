//! One connection: who it is, what it may hold, and how each of its streams is answered.
//!
//! Invariant: whatever goes wrong on one stream ends that stream or, if the peer broke the protocol, this connection;
//! nothing here touches another one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream, VarInt};
use rohrpost_wire::frame::Destination;
use rohrpost_wire::proof::{Challenge, Exporter, MailboxVerb};
use rohrpost_wire::{EXPORTER_LABEL, ErrorCode, Frame, InboxId, RelayKeyHash, frame, limits, proof};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::arrivals::Arrivals;
use crate::metrics::Metrics;
use crate::quota::Limits;
use crate::router::ConnectionId;
use crate::splice::End;
use crate::spool::Spool;
use crate::stream::{self, StreamEnd, number};
use crate::switchboard::Switchboard;
use crate::verbs;

/// What all connections of a relay have in common.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) board: Arc<Switchboard>,
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
    pub(crate) connection: Connection,
    /// The fetches that wait for a first envelope.
    pub(crate) waits: Semaphore,
    blobs: Semaphore,
    challenge: Mutex<Option<Challenge>>,
    /// What needs a large window at the moment.
    bulk: AtomicUsize,
}

/// Keeps the windows of a connection large.
pub(crate) struct Wide<'a>(&'a Session);

/// What a connection that carries a call or a login may have in flight: the bandwidth-delay product of 100 Mbit/s at
/// 160 ms. Everybody else gets [`SMALL_WINDOW`], so that thousands of strangers cannot fill the memory.
const LARGE_WINDOW: u32 = 2 * 1024 * 1024;
/// What any connection may have in flight, either way.
pub(crate) const SMALL_WINDOW: u32 = 128 * 1024;

impl House {
    /// The rooms of a relay.
    pub(crate) fn new(
        spool: Spool,
        arrivals: Arc<Arrivals>,
        metrics: Arc<Metrics>,
        limits: Limits,
        key_hash: RelayKeyHash,
    ) -> Self {
        let board = Arc::new(Switchboard::new(&limits));
        let memory = || Arc::new(Semaphore::new(limits.blob_memory));
        let (arriving, leaving) = (memory(), memory());
        Self { board, spool, arrivals, metrics, limits, key_hash, arriving, leaving }
    }
}

impl Session {
    /// Takes a connection in, if there is room for it.
    pub(crate) fn open(house: &Arc<House>, connection: Connection) -> Option<Self> {
        let id = house.board.open(&connection)?;
        house.metrics.connections.add();
        let waits = Semaphore::new(house.limits.waiting_fetches);
        let blobs = Semaphore::new(house.limits.blobs_per_connection);
        let (challenge, bulk) = (Mutex::new(None), AtomicUsize::new(0));
        Some(Self { house: Arc::clone(house), id, connection, waits, blobs, challenge, bulk })
    }

    /// Answers one stream.
    pub(crate) async fn serve(&self, send: SendStream, recv: RecvStream) {
        let mut end = End { send, recv };
        match verbs::answer(self, &mut end).await {
            Ok(()) => drop(end.send.finish()),
            Err(StreamEnd::Refused(code)) => self.refuse(end, code).await,
            Err(StreamEnd::Misbehaved(code)) => self.misbehaved(code),
            Err(StreamEnd::Gone) => stream::abandon(&mut end.send, &mut end.recv, ErrorCode::Interrupted),
        }
    }

    async fn refuse(&self, mut end: End, code: ErrorCode) {
        if let Err(StreamEnd::Misbehaved(code)) = stream::write_frame(&mut end.send, &Frame::Refused(code)).await {
            self.misbehaved(code);
        }
        drop(end.send.finish());
        drop(end.recv.stop(number(code)));
    }

    fn misbehaved(&self, code: ErrorCode) {
        self.house.metrics.misbehaved.add();
        tracing::debug!(connection = self.id.0, code = code.number(), "connection ended for what it sent");
        self.connection.close(number(code), b"");
    }

    /// The inbox this connection owns now.
    pub(crate) fn inbox(&self) -> Option<InboxId> {
        self.house.board.inbox_of(self.id)
    }

    /// The inbox this connection owns now, where the verb needs one.
    pub(crate) fn own_inbox(&self) -> Result<InboxId, StreamEnd> {
        self.inbox().ok_or(StreamEnd::Refused(ErrorCode::NotLoggedIn))
    }

    /// Gives the connection room for bulk for as long as the guard lives, or it is a safe's.
    pub(crate) fn widen(&self) -> Wide<'_> {
        self.bulk.fetch_add(1, Ordering::Relaxed);
        self.set_windows(LARGE_WINDOW);
        Wide(self)
    }

    fn set_windows(&self, bytes: u32) {
        self.connection.set_receive_window(VarInt::from(bytes));
        self.connection.set_send_window(u64::from(bytes));
    }

    /// The keying material of this connection, under which logins are signed.
    pub(crate) fn exporter(&self) -> Result<Exporter, StreamEnd> {
        let mut bytes = [0; 32];
        let exported = self.connection.export_keying_material(&mut bytes, EXPORTER_LABEL, b"");
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

    /// Waits for one of the connection's turns to move a blob.
    pub(crate) async fn blob_turn(&self) -> Result<SemaphorePermit<'_>, StreamEnd> {
        self.blobs.acquire().await.map_err(|_| StreamEnd::Gone)
    }
}

impl Drop for Wide<'_> {
    fn drop(&mut self) {
        let last = self.0.bulk.fetch_sub(1, Ordering::Relaxed) == 1;
        if last && self.0.inbox().is_none() {
            self.0.set_windows(SMALL_WINDOW);
        }
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
