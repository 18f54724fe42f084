//! Envelopes on disk, and the records safes publish: the relay's only durable state.
//!
//! A `Spool` is a cheap handle; behind it one thread owns the index ([`crate::mailbox`]) and the database and answers only
//! what is durable (group commit). Bounded: so many questions wait and no more, and an envelope waits only within the
//! memory its sender was allowed. A failure of the disk ends the spool, and with it the relay. The format on disk is
//! written down in `docs/storage-format-relay.md`.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

pub use error::{Failure, OpenError};

use crate::arrivals::Arrivals;
use crate::mailbox::Slot;
use crate::metrics::Metrics;
use crate::pace::Reading;
use crate::quota::Limits;
use command::{Answer, Ask, Command, DepositAsk, PublishAsk};
pub(crate) use room::is_full;
pub(crate) use row::Stored;
pub(crate) use summary::summary;
use worker::Worker;

mod census;
mod command;
mod directory;
mod error;
mod restore;
mod room;
mod row;
mod schema;
mod store;
mod summary;
mod table;
mod tally;
mod witness;
mod worker;

/// Where a relay reads its clocks.
pub type Clock = Arc<dyn Fn() -> Reading + Send + Sync>;

/// Questions that may wait; further ones wait at their own connections.
const QUEUE: usize = 1024;

/// What the thread is sent.
pub(crate) enum Message {
    Ask(Command),
    Stop,
}

/// A handle by which connections ask the spool.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    questions: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    failed: watch::Receiver<Option<Failure>>,
}

/// The running thread; dropping it stops the thread and waits for its last transaction.
#[derive(Debug)]
pub(crate) struct SpoolThread {
    questions: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Spool {
    /// Opens the database at `path` and starts the thread.
    pub(crate) fn start(
        path: &Path,
        limits: &Limits,
        clock: Clock,
        metrics: Arc<Metrics>,
        arrivals: Arc<Arrivals>,
    ) -> Result<(Self, SpoolThread), OpenError> {
        let (failure, failed) = watch::channel(None);
        let worker = Worker::open(path, limits, clock, metrics, arrivals, failure)?;
        let (questions, inbox) = mpsc::channel();
        let thread = std::thread::spawn(move || worker.run(&inbox));
        let spool = Self { questions: questions.clone(), room: Arc::new(Semaphore::new(QUEUE)), failed };
        Ok((spool, SpoolThread { questions, thread: Some(thread) }))
    }

    /// Stores an envelope; when this answers, it is durable.
    pub(crate) async fn deposit(
        &self,
        header: Deposit,
        envelope: Vec<u8>,
        by: Option<InboxId>,
        memory: OwnedSemaphorePermit,
    ) -> Result<EnvelopeId, ErrorCode> {
        let id = header.envelope_id(&envelope);
        let ask = Box::new(DepositAsk { header, id, envelope, by, _memory: memory });
        self.ask(|answer| Ask::Deposit(ask, answer)).await
    }

    /// What waits at a place and its length, the oldest first, within the limits of one answer to `fetch`.
    pub(crate) async fn list(&self, from: Destination) -> Result<Vec<(Slot, u64)>, ErrorCode> {
        self.ask(|answer| Ask::List(from, answer)).await
    }

    /// An envelope, if it still waits there and is whole.
    pub(crate) async fn read(&self, from: Destination, slot: Slot) -> Result<Option<Stored>, ErrorCode> {
        self.ask(|answer| Ask::Read(from, slot, answer)).await
    }

    /// Erases envelopes their owner has taken over.
    pub(crate) async fn ack(&self, owner: Destination, ids: Vec<EnvelopeId>) -> Result<(), ErrorCode> {
        self.ask(|answer| Ask::Ack(owner, ids, answer)).await
    }

    /// Stores a safe's records in place of those before.
    pub(crate) async fn publish(
        &self,
        inbox: InboxId,
        records: Vec<u8>,
        memory: OwnedSemaphorePermit,
    ) -> Result<(), ErrorCode> {
        let ask = PublishAsk { inbox, records, _memory: memory };
        self.ask(|answer| Ask::Publish(ask, answer)).await
    }

    /// A safe's records.
    pub(crate) async fn records(&self, inbox: InboxId) -> Result<Vec<u8>, ErrorCode> {
        self.ask(|answer| Ask::Records(inbox, answer)).await
    }

    /// Comes back when the spool has stopped for good.
    pub(crate) async fn failed(&self) -> Failure {
        let mut failed = self.failed.clone();
        // An error says that the thread is gone, which is the same to whoever waits here.
        let failure = failed.wait_for(Option::is_some).await.map_or(None, |failure| *failure);
        failure.unwrap_or(Failure::Disk)
    }

    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, ErrorCode> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| ErrorCode::Unavailable)?;
        let (answer, receiver): (_, oneshot::Receiver<_>) = Answer::new();
        let command = Command { ask: ask(answer), _room: room };
        self.questions.send(Message::Ask(command)).map_err(|_| ErrorCode::Unavailable)?;
        receiver.await.unwrap_or(Err(ErrorCode::Unavailable))
    }
}

impl Drop for SpoolThread {
    fn drop(&mut self) {
        // If the thread has gone already there is nobody to stop, and a panic in it has been reported.
        drop(self.questions.send(Message::Stop));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
