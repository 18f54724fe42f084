//! The thread that owns the index and the database.
//!
//! It takes what has queued up, decides each question through the index, executes the effects in one transaction,
//! commits once, and only then answers. Invariant: nothing is answered that is not durable; after a failure whose extent
//! is unknown, everything is answered `Unavailable` for good.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rohrpost_wire::frame::Destination;
use rohrpost_wire::{ErrorCode, InboxId, Timestamp};
use tokio::sync::watch;

use super::command::{Answer, Ask, Command, DepositAsk};
use super::directory::Directory;
use super::error::{OpenError, StoreError};
use super::row::{self, Stored};
use super::store::{Found, Store};
use super::{Clock, Message};
use crate::arrivals::Arrivals;
use crate::mailbox::{Deposited, Mailboxes, Slot};
use crate::metrics::Metrics;
use crate::quota::Limits;

/// Questions in one transaction: enough to share a sync among, few enough to answer soon.
const BATCH: usize = 64;
/// What expires in one transaction, so that a great expiry delays nobody for long.
const EXPIRE: usize = 256;
/// How often a relay looks for what has expired when nobody asks anything.
const TICK: Duration = Duration::from_mins(1);
/// How far a clock may be behind the latest time seen before the operator is told.
const CLOCK_BACK_SECONDS: u64 = 3600;

/// The owner of a spool.
pub(super) struct Worker {
    store: Store,
    mailboxes: Mailboxes,
    directory: Directory,
    written: Timestamp,
    limits: Limits,
    clock: Clock,
    metrics: Arc<Metrics>,
    arrivals: Arc<Arrivals>,
    failed: watch::Sender<bool>,
    path: std::path::PathBuf,
}

impl Worker {
    /// Rebuilds the index from the database.
    pub(super) fn open(
        path: &std::path::Path,
        limits: &Limits,
        clock: Clock,
        metrics: Arc<Metrics>,
        arrivals: Arc<Arrivals>,
        failed: watch::Sender<bool>,
    ) -> Result<Self, OpenError> {
        let store = Store::open(path)?;
        let restored = store.restore(limits)?;
        if restored.damaged > 0 {
            tracing::error!(rows = restored.damaged, "damaged rows set aside");
            metrics.quarantined.add_many(restored.damaged);
        }
        let written = restored.mailboxes.high_water();
        if clock().plus(CLOCK_BACK_SECONDS) < written {
            tracing::warn!(behind_seconds = written.0.saturating_sub(clock().0), "clock is behind the spool");
        }
        let (mailboxes, directory) = (restored.mailboxes, restored.directory);
        let (limits, path) = (limits.clone(), path.to_owned());
        Ok(Self { store, mailboxes, directory, written, limits, clock, metrics, arrivals, failed, path })
    }

    /// Works until it is told to stop or nobody can ask any more.
    pub(super) fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let mut batch = Vec::new();
            match inbox.recv_timeout(TICK) {
                Ok(Message::Ask(command)) => batch.push(command),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let mut stopping = false;
            while batch.len() < BATCH && !stopping {
                match inbox.try_recv() {
                    Ok(Message::Ask(command)) => batch.push(command),
                    Ok(Message::Stop) => stopping = true,
                    Err(_) => break,
                }
            }
            self.batch(batch);
            if stopping {
                return;
            }
        }
    }

    fn batch(&mut self, batch: Vec<Command>) {
        if *self.failed.borrow() {
            return refuse(batch, ErrorCode::Unavailable);
        }
        let batch = match self.attempt(batch) {
            Ok(()) => return,
            Err((StoreError::Full, batch)) => batch,
            Err((StoreError::Failed(error), batch)) => return self.fail(&error, batch),
        };
        // What frees space must still get through when the disk is full.
        tracing::error!(file = %self.path.display(), "disk full: deposits are refused");
        let (growing, rest) = batch.into_iter().partition(|command| command.ask.grows());
        refuse(growing, ErrorCode::Full);
        match self.attempt(rest) {
            Ok(()) => {}
            Err((StoreError::Full, rest)) => refuse(rest, ErrorCode::Full),
            Err((StoreError::Failed(error), rest)) => self.fail(&error, rest),
        }
    }

    /// One transaction. If it does not succeed, the index is again what is on disk and nothing has been answered.
    fn attempt(&mut self, mut batch: Vec<Command>) -> Result<(), (StoreError, Vec<Command>)> {
        match self.transact(&mut batch) {
            Ok(rung) => {
                for command in batch {
                    command.ask.send();
                }
                for inbox in rung {
                    self.arrivals.ring(inbox);
                }
                Ok(())
            }
            Err(StoreError::Full) => match self.restore() {
                Ok(()) => Err((StoreError::Full, batch)),
                Err(error) => Err((error, batch)),
            },
            Err(error) => Err((error, batch)),
        }
    }

    fn transact(&mut self, batch: &mut [Command]) -> Result<Vec<InboxId>, StoreError> {
        let now = (self.clock)();
        self.store.begin()?;
        self.expire(now)?;
        let mut rung = Vec::new();
        for command in batch {
            rung.extend(self.decide(&mut command.ask, now)?);
        }
        let high_water = self.mailboxes.high_water();
        // Reads alone move time on as well, but are not worth a sync; a minute is all that could be lost.
        if high_water > self.written.plus(TICK.as_secs()) {
            self.store.keep_high_water(high_water)?;
            self.written = high_water;
        }
        self.store.commit()?;
        Ok(rung)
    }

    fn restore(&mut self) -> Result<(), StoreError> {
        self.store.roll_back()?;
        let high_water = self.mailboxes.high_water();
        let restored = self.store.restore(&self.limits)?;
        (self.mailboxes, self.directory) = (restored.mailboxes, restored.directory);
        self.written = self.mailboxes.high_water();
        self.mailboxes.handle_expire(high_water, 0);
        Ok(())
    }

    fn fail(&mut self, error: &rusqlite::Error, batch: Vec<Command>) {
        let kind = error.sqlite_error_code();
        tracing::error!(file = %self.path.display(), ?kind, "spool failed: nothing is stored or acknowledged any more");
        self.failed.send_replace(true);
        refuse(batch, ErrorCode::Unavailable);
    }

    fn expire(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let effects = self.mailboxes.handle_expire(now, EXPIRE);
        for effect in &effects {
            self.store.execute(effect, None)?;
        }
        for inbox in self.directory.handle_expire(self.mailboxes.high_water(), EXPIRE) {
            self.store.withdraw(inbox)?;
        }
        self.metrics.expired.add_many(effects.len() as u64);
        Ok(())
    }

    /// Decides one question and executes what follows; the inbox whose bell is to ring, if one is.
    fn decide(&mut self, ask: &mut Ask, now: Timestamp) -> Result<Option<InboxId>, StoreError> {
        match ask {
            Ask::Deposit(deposit, answer) => return self.deposit(deposit, answer, now),
            Ask::List(from, answer) => answer.decide(self.mailboxes.handle_fetch(*from, now)),
            Ask::Read(from, slot, answer) => answer.decide(Ok(self.read(*from, *slot)?)),
            Ask::Ack(owner, ids, answer) => {
                let effects = self.mailboxes.handle_ack(*owner, ids);
                for effect in &effects {
                    self.store.execute(effect, None)?;
                }
                self.metrics.acked.add_many(effects.len() as u64);
                answer.decide(Ok(()));
            }
            Ask::Publish(inbox, bytes, answer) => {
                let now = self.mailboxes.high_water().max(now);
                let published = self.directory.handle_publish(*inbox, now);
                if published.is_ok() {
                    self.store.publish(*inbox, now, bytes)?;
                }
                answer.decide(published);
            }
            Ask::Records(inbox, answer) => answer.decide(self.records(*inbox)?),
        }
        Ok(None)
    }

    fn deposit(
        &mut self,
        deposit: &DepositAsk,
        answer: &mut Answer<rohrpost_wire::EnvelopeId>,
        now: Timestamp,
    ) -> Result<Option<InboxId>, StoreError> {
        let DepositAsk { header, id, envelope, by, .. } = deposit;
        let deposited = Deposited { header, id: *id, bytes: envelope.len() as u64, by: *by };
        let effects = match self.mailboxes.handle_deposit(deposited, now) {
            Ok(effects) => effects,
            Err(code) => {
                answer.decide(Err(code));
                return Ok(None);
            }
        };
        let column = row::header(header);
        for effect in &effects {
            self.store.execute(effect, Some((&column, envelope)))?;
        }
        answer.decide(Ok(*id));
        match header.to {
            Destination::Inbox(inbox) if !effects.is_empty() => Ok(Some(inbox)),
            Destination::Inbox(_) | Destination::Mailbox(_) => Ok(None),
        }
    }

    fn read(&mut self, from: Destination, slot: Slot) -> Result<Option<Stored>, StoreError> {
        let Some(waiting) = self.mailboxes.waiting_at(from, slot) else { return Ok(None) };
        if let Found::Whole(stored) = self.store.read(waiting)? {
            return Ok(Some(stored));
        }
        self.mailboxes.handle_damaged(slot);
        self.store.quarantine(slot)?;
        self.metrics.quarantined.add();
        tracing::error!(quarantined = self.metrics.quarantined.read(), "damaged envelope set aside");
        Ok(None)
    }

    fn records(&mut self, inbox: InboxId) -> Result<Result<Vec<u8>, ErrorCode>, StoreError> {
        match self.store.records(inbox)? {
            Found::Whole(bytes) => Ok(Ok(bytes)),
            Found::Nothing => Ok(Err(ErrorCode::Unknown)),
            Found::Damaged => {
                self.directory.forget(inbox);
                self.store.withdraw(inbox)?;
                self.metrics.quarantined.add();
                tracing::error!(quarantined = self.metrics.quarantined.read(), "damaged record set dropped");
                Ok(Err(ErrorCode::Unknown))
            }
        }
    }
}

fn refuse(batch: Vec<Command>, code: ErrorCode) {
    for command in batch {
        command.ask.refuse(code);
    }
}

#[cfg(test)]
mod tests;
