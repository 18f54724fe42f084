//! The thread that owns the index and the database.
//!
//! It takes what has queued up, decides each question through the index, executes the effects in one transaction,
//! commits once, and only then answers. Invariant: nothing is answered that is not durable; after a failure whose extent
//! is unknown, everything is answered `Unavailable` for good.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rohrpost_wire::{ErrorCode, InboxId, Timestamp};
use tokio::sync::watch;

use super::command::Command;
use super::error::{Failure, OpenError, StoreError};
use super::room::{self, Room};
use super::store::Store;
use super::table::Table;
use super::tally::Tally;
use super::{Clock, Message, census, witness};
use crate::arrivals::Arrivals;
use crate::mailbox::Slot;
use crate::metrics::Metrics;
use crate::pace::{Doubt, Pace};
use crate::quota::Limits;

mod executor;

use executor::Executor;

/// Questions in one transaction: enough to share a sync among, few enough to answer soon.
const BATCH: usize = 64;
/// How often a database is tried again that another process holds; each time it is waited for as long as the store waits.
const BUSY_TRIES: u32 = 2;
/// How often a relay looks for what has expired when nobody asks anything.
const TICK: Duration = Duration::from_mins(1);

/// The owner of a spool.
pub(super) struct Worker {
    executor: Executor,
    written: Timestamp,
    limits: Limits,
    clock: Clock,
    pace: Pace,
    room: Room,
    metrics: Arc<Metrics>,
    arrivals: Arc<Arrivals>,
    failed: watch::Sender<Option<Failure>>,
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
        failed: watch::Sender<Option<Failure>>,
    ) -> Result<Self, OpenError> {
        let mut store = Store::open(path)?;
        witness::tell(path, store.standing(), &metrics);
        let (restored, reckoning) = store.restore(limits)?;
        census::tell(path, reckoning, &metrics);
        Tally { quarantined: restored.damaged, ..Tally::default() }.count(&metrics);
        let (file, rows) = (path.display(), restored.aside);
        if rows > 0 {
            // Where these are named may be damaged too, and then a whole row is among them.
            tracing::warn!(%file, rows, "rows that were set aside are not delivered");
        }
        let written = restored.mailboxes.high_water();
        let (pace, doubt) = Pace::start(written, clock());
        tell(path, doubt);
        let executor = Executor { store, mailboxes: restored.mailboxes, directory: restored.directory };
        let (limits, path, room) = (limits.clone(), path.to_owned(), Room::default());
        Ok(Self { executor, written, limits, clock, pace, room, metrics, arrivals, failed, path })
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

    fn batch(&mut self, mut batch: Vec<Command>) {
        if self.failed.borrow().is_some() {
            return refuse(batch, ErrorCode::Unavailable);
        }
        if self.refuses_growth(&batch) {
            batch = refuse_growing(batch);
        }
        let mut tries = 0;
        loop {
            let (error, rest) = match self.attempt(batch) {
                Ok(()) => return,
                Err(failed) => failed,
            };
            batch = match error {
                StoreError::DamagedRow(table, slot) => match self.set_aside(table, slot) {
                    Ok(()) => rest,
                    Err(error) => return self.fail(&error, rest),
                },
                StoreError::Full => {
                    self.note_full();
                    if !rest.iter().any(|command| command.ask.grows()) {
                        return refuse(rest, ErrorCode::Busy);
                    }
                    refuse_growing(rest)
                }
                StoreError::Busy(_) if tries < BUSY_TRIES => {
                    tries += 1;
                    rest
                }
                StoreError::Busy(_) => {
                    tracing::error!(file = %self.path.display(), "another process holds the spool: nothing is stored");
                    return refuse(rest, ErrorCode::Busy);
                }
                error @ (StoreError::Damaged(_) | StoreError::Unwritten(_) | StoreError::Failed(_)) => {
                    return self.fail(&error, rest);
                }
            };
        }
    }

    /// Whether what grows is refused before it is tried.
    fn refuses_growth(&mut self, batch: &[Command]) -> bool {
        if self.room.refuses((self.clock)().running) {
            return true;
        }
        // A database that cannot say what it has free has other troubles, which the transaction will meet.
        let short = batch.iter().any(|command| command.ask.grows())
            && room::is_short(&self.path, self.executor.store.unused().unwrap_or_default());
        if short {
            self.note_full();
        }
        short
    }

    fn note_full(&mut self) {
        if self.room.handle_full((self.clock)().running) {
            tracing::error!(file = %self.path.display(), "disk full or nearly so: deposits are refused, acks go on");
        }
    }

    /// Sets a row aside that SQLite cannot follow, in a transaction of its own.
    fn set_aside(&mut self, table: Table, slot: Slot) -> Result<(), StoreError> {
        self.executor.store.begin()?;
        if !self.executor.store.quarantine(table, slot)? {
            // It is out of the index, so nothing can have led here again but a table that is damaged itself.
            return Err(StoreError::DamagedRow(table, slot));
        }
        self.executor.store.commit()?;
        Tally { quarantined: 1, ..Tally::default() }.count(&self.metrics);
        self.restore()
    }

    /// One transaction. If it does not succeed, the index is again what is on disk and nothing has been answered.
    fn attempt(&mut self, mut batch: Vec<Command>) -> Result<(), (StoreError, Vec<Command>)> {
        match self.transact(&mut batch) {
            Ok((rung, tally)) => {
                if batch.iter().any(|command| command.ask.grows()) {
                    self.room.handle_grown();
                } else if tally.acked + tally.expired > 0 {
                    self.room.handle_erased();
                }
                tally.count(&self.metrics);
                for command in batch {
                    command.ask.send();
                }
                for inbox in rung {
                    self.arrivals.ring(inbox);
                }
                Ok(())
            }
            Err(StoreError::Unwritten(_)) if room::is_used_up(&self.path) => match self.restore() {
                Ok(()) => Err((StoreError::Full, batch)),
                Err(error) => Err((error, batch)),
            },
            Err(error @ (StoreError::Full | StoreError::DamagedRow(..))) => match self.restore() {
                Ok(()) => Err((error, batch)),
                Err(error) => Err((error, batch)),
            },
            Err(error) => Err((error, batch)),
        }
    }

    fn transact(&mut self, batch: &mut [Command]) -> Result<(Vec<InboxId>, Tally), StoreError> {
        let (now, doubt) = self.pace.handle_reading((self.clock)());
        tell(&self.path, doubt);
        let (mut rung, mut tally) = (Vec::new(), Tally::default());
        self.executor.store.begin()?;
        self.executor.expire(now, &mut tally)?;
        for command in batch {
            rung.extend(self.executor.decide(&mut command.ask, now, &mut tally)?);
        }
        let high_water = self.executor.mailboxes.high_water();
        // Reads alone move time on as well, but are not worth a sync; a minute is all that could be lost.
        if high_water > self.written.plus(TICK.as_secs()) {
            self.executor.store.keep_high_water(high_water)?;
            self.written = high_water;
        }
        self.executor.store.commit()?;
        Ok((rung, tally))
    }

    fn restore(&mut self) -> Result<(), StoreError> {
        self.executor.store.roll_back()?;
        let high_water = self.executor.mailboxes.high_water();
        let (restored, reckoning) = self.executor.store.restore(&self.limits)?;
        census::tell(&self.path, reckoning, &self.metrics);
        Tally { quarantined: restored.damaged, ..Tally::default() }.count(&self.metrics);
        (self.executor.mailboxes, self.executor.directory) = (restored.mailboxes, restored.directory);
        self.written = self.executor.mailboxes.high_water();
        self.executor.mailboxes.handle_expire(high_water, 0);
        Ok(())
    }

    fn fail(&mut self, error: &StoreError, batch: Vec<Command>) {
        let (failure, kind) = match error {
            StoreError::Full => (Failure::Disk, None),
            StoreError::DamagedRow(..) => (Failure::Damaged, None),
            StoreError::Damaged(error) => (Failure::Damaged, error.sqlite_error_code()),
            StoreError::Unwritten(error) | StoreError::Busy(error) | StoreError::Failed(error) => {
                (Failure::Disk, error.sqlite_error_code())
            }
        };
        tracing::error!(file = %self.path.display(), ?kind, "spool failed: nothing is stored or acknowledged any more");
        self.failed.send_replace(Some(failure));
        refuse(batch, ErrorCode::Unavailable);
    }
}

/// Tells the operator of a clock that cannot be right.
fn tell(file: &std::path::Path, doubt: Option<Doubt>) {
    let file = file.display();
    match doubt {
        None => {}
        Some(Doubt::Behind(behind_seconds)) => {
            tracing::warn!(%file, behind_seconds, "clock is behind the spool, which goes on from its own time: set the clock");
        }
        Some(Doubt::Ahead(ahead_seconds)) => {
            tracing::warn!(%file, ahead_seconds, "clock is far ahead: in a day all that has expired by it is erased, set the clock if it is wrong");
        }
    }
}

/// What frees space must still get through when the disk is full.
fn refuse_growing(batch: Vec<Command>) -> Vec<Command> {
    let (growing, rest) = batch.into_iter().partition(|command| command.ask.grows());
    refuse(growing, ErrorCode::Busy);
    rest
}

fn refuse(batch: Vec<Command>, code: ErrorCode) {
    for command in batch {
        command.ask.refuse(code);
    }
}

#[cfg(test)]
mod tests;
