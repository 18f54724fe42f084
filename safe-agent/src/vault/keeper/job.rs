//! A job on its way through the keeper: a closure, then its outcome, then an answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::vault::draft::{Draft, WriteSet};
use crate::vault::store::{Store, StoreError};

/// What the keeper does with a job, whatever its types.
pub(super) trait Job: Send {
    /// Runs it on a draft and hands out what it wrote: nothing, if it failed or panicked.
    fn run(&mut self, store: &dyn Store) -> WriteSet;

    /// Tells whoever waits, now that the batch is durable or undone.
    fn answer(self: Box<Self>, verdict: Result<(), StoreError>);
}

/// A job with what is known of it.
pub(super) struct Pending<F, T, E> {
    job: Option<F>,
    /// Nothing before the job ran and after it panicked.
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Answer<T, E>>,
}

/// The store's verdict around the job's own.
pub(super) type Answer<T, E> = Result<Result<T, E>, StoreError>;

impl<F, T, E> Pending<F, T, E>
where
    F: FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Packs a job up and hands out where its answer will arrive.
    pub(super) fn pack(job: F) -> (Box<dyn Job>, oneshot::Receiver<Answer<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { job: Some(job), outcome: None, reply }), answer)
    }
}

impl<F, T, E> Job for Pending<F, T, E>
where
    F: FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    fn run(&mut self, store: &dyn Store) -> WriteSet {
        let Some(job) = self.job.take() else { return WriteSet::default() };
        let mut draft = Draft::new(store);
        // A draft is thrown away after a panic, and the store behind it is only read: nothing half-done is seen.
        self.outcome = catch_unwind(AssertUnwindSafe(|| job(&mut draft))).ok();
        match self.outcome {
            Some(Ok(_)) => draft.into_writes(),
            Some(Err(_)) | None => WriteSet::default(),
        }
    }

    fn answer(self: Box<Self>, verdict: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let answer = verdict.and_then(|()| outcome.ok_or(StoreError::JobPanicked));
        // Whoever asked may have gone; what was done stays done.
        let _asker_gone = reply.send(answer);
    }
}
