//! One thread owns the store; everybody else sends it jobs. Group commit from the first day.
//!
//! The thread takes up the jobs that wait, runs each on a draft of its own, flushes once for all of them and only then
//! answers. So no answer, not even one that only read, can speak of a write that a power cut takes back, and a durable
//! write under load costs a share of a disk flush, not one of its own. What a batch deleted is erased from the
//! files before it is answered.

mod job;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use self::job::{Job, Pending};
use super::draft::Draft;
use super::store::{Store, StoreError};

/// The owner of a store. Dropping it ends the thread after the batch at hand; [`Keeper::shutdown`] after all that
/// was sent before.
pub struct Keeper {
    handle: VaultHandle,
    stopping: Arc<AtomicBool>,
    ended: oneshot::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread that owns the store from now on.
    ///
    /// # Panics
    ///
    /// If the system cannot start a thread.
    pub fn start(store: Box<dyn Store + Send>) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE_JOBS);
        let (ending, ended) = oneshot::channel();
        let counters = Arc::<Counters>::default();
        let stopping = Arc::<AtomicBool>::default();
        let (counted, stops) = (Arc::clone(&counters), Arc::clone(&stopping));
        // The process before may have died between a delete and its erasure.
        let worker = Worker { store, queue, counters: counted, stopping: stops, erase: true };
        let work = move || {
            worker.run();
            let _nobody_waits = ending.send(());
        };
        #[expect(clippy::expect_used, reason = "a process that cannot start one thread cannot serve")]
        let thread = thread::Builder::new().name("vault".into()).spawn(work).expect("the vault's thread starts");
        Self { handle: VaultHandle { queue: sender, counters }, stopping, ended, thread: Some(thread) }
    }

    /// A handle by which to send jobs; as many as wanted.
    pub fn handle(&self) -> VaultHandle {
        self.handle.clone()
    }

    /// Serves what was sent before, closes the store and ends the thread. Jobs sent later are answered
    /// [`StoreError::Closed`].
    pub async fn shutdown(mut self) {
        // An error means the thread has ended already.
        let _already_ended = self.handle.queue.send(Message::Stop).await;
        let _already_ended = (&mut self.ended).await;
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; whoever waits for an answer gets `Closed`.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // A full queue keeps the thread awake, and it looks at the flag after each batch.
        let _full_or_ended = self.handle.queue.try_send(Message::Stop);
        self.join();
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("counts", &self.handle.counts()).finish_non_exhaustive()
    }
}

/// Sends jobs to the vault.
#[derive(Clone)]
pub struct VaultHandle {
    queue: mpsc::Sender<Message>,
    counters: Arc<Counters>,
}

impl VaultHandle {
    /// Runs a job on a draft and answers once all it wrote, and all it may have read, is durable. A job that answers an
    /// error of its own leaves no trace. Waits while the queue is full. A job that was sent runs even if the caller
    /// stops waiting.
    pub async fn transact<T, E>(
        &self,
        job: impl FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (pending, answer) = Pending::pack(job);
        self.queue.send(Message::Job(pending)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`VaultHandle::transact`], for a thread that may block.
    ///
    /// # Panics
    ///
    /// On a thread that drives async tasks.
    pub fn transact_blocking<T, E>(
        &self,
        job: impl FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (pending, answer) = Pending::pack(job);
        self.queue.blocking_send(Message::Job(pending)).map_err(|_| StoreError::Closed)?;
        answer.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    /// What the keeper has done so far.
    pub fn counts(&self) -> Counts {
        Counts {
            jobs: self.counters.jobs.load(Ordering::Relaxed),
            flushes: self.counters.flushes.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for VaultHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultHandle").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// What a keeper has done since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Jobs answered.
    pub jobs: u64,
    /// Flushes of the store: with group commit far fewer than jobs that wrote.
    pub flushes: u64,
}

/// The most jobs that share a flush. A batch's first job waits for its last: 256 short jobs take less time than the
/// flush they share.
pub const BATCH_JOBS: usize = 256;

/// The most jobs that wait: one batch behind the one at work. Whoever comes later waits in [`VaultHandle::transact`].
pub const QUEUE_JOBS: usize = 256;

#[derive(Default)]
struct Counters {
    jobs: AtomicU64,
    flushes: AtomicU64,
}

enum Message {
    Job(Box<dyn Job>),
    Stop,
}

/// What lives on the thread.
struct Worker {
    store: Box<dyn Store + Send>,
    queue: mpsc::Receiver<Message>,
    counters: Arc<Counters>,
    stopping: Arc<AtomicBool>,
    /// Whether deleted rows may still stand somewhere in the files.
    erase: bool,
}

impl Worker {
    fn run(mut self) {
        loop {
            let (jobs, last) = self.gather();
            self.serve(jobs);
            if last || self.stopping.load(Ordering::Acquire) {
                return;
            }
        }
    }

    /// Waits for a job and takes those that wait behind it. The flag says that this batch is the last.
    fn gather(&mut self) -> (Vec<Box<dyn Job>>, bool) {
        let mut jobs = Vec::new();
        let mut next = self.queue.blocking_recv();
        loop {
            match next {
                Some(Message::Job(job)) => jobs.push(job),
                Some(Message::Stop) | None => return (jobs, true),
            }
            if jobs.len() >= BATCH_JOBS {
                return (jobs, false);
            }
            match self.queue.try_recv() {
                Ok(message) => next = Some(message),
                Err(_) => return (jobs, false),
            }
        }
    }

    fn serve(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let verdict = self.settle(&mut jobs);
        if verdict.is_ok() && self.erase {
            self.erase();
        }
        self.counters.jobs.fetch_add(jobs.len() as u64, Ordering::Relaxed);
        for job in jobs {
            job.answer(verdict);
        }
    }

    /// Before the answer: whoever is told that a secret is deleted may rely on it. Without, what was done stays done, and
    /// the next batch tries again.
    fn erase(&mut self) {
        match self.store.compact() {
            Ok(()) => self.erase = false,
            Err(error) => tracing::warn!(reason = %error, "deleted rows are not erased from the files yet"),
        }
    }

    /// Runs the jobs and makes their writes durable together. After an error the store has undone the whole batch.
    fn settle(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let mut wrote = false;
        for job in jobs {
            let writes = job.run(self.store.as_ref());
            if !writes.is_empty() {
                wrote = true;
                self.erase |= writes.deletes();
                self.store.apply(writes)?;
            }
        }
        if wrote {
            self.counters.flushes.fetch_add(1, Ordering::Relaxed);
            self.store.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
