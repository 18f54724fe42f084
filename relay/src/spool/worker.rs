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
use super::error::{Failure, OpenError, StoreError};
use super::room::{self, Room};
use super::row::{self, Stored};
use super::store::{Erased, Found, Store};
use super::table::Table;
use super::tally::Tally;
use super::{Clock, Message, census, witness};
use crate::arrivals::Arrivals;
use crate::mailbox::{Deposited, Effect, Mailboxes, Slot};
use crate::metrics::Metrics;
use crate::pace::{Doubt, Pace};
use crate::quota::Limits;

/// Questions in one transaction: enough to share a sync among, few enough to answer soon.
const BATCH: usize = 64;
/// What expires in one transaction, so that a great expiry delays nobody for long.
const EXPIRE: usize = 64;
/// How often a database is tried again that another process holds; each time it is waited for as long as the store waits.
const BUSY_TRIES: u32 = 2;
/// How often a relay looks for what has expired when nobody asks anything.
const TICK: Duration = Duration::from_mins(1);

/// The owner of a spool.
pub(super) struct Worker {
    store: Store,
    mailboxes: Mailboxes,
    directory: Directory,
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
        let (mailboxes, directory) = (restored.mailboxes, restored.directory);
        let (limits, path, room) = (limits.clone(), path.to_owned(), Room::default());
        Ok(Self { store, mailboxes, directory, written, limits, clock, pace, room, metrics, arrivals, failed, path })
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
            && room::is_short(&self.path, self.store.unused().unwrap_or_default());
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
        self.store.begin()?;
        if !self.store.quarantine(table, slot)? {
            // It is out of the index, so nothing can have led here again but a table that is damaged itself.
            return Err(StoreError::DamagedRow(table, slot));
        }
        self.store.commit()?;
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
        self.store.begin()?;
        self.expire(now, &mut tally)?;
        for command in batch {
            rung.extend(self.decide(&mut command.ask, now, &mut tally)?);
        }
        let high_water = self.mailboxes.high_water();
        // Reads alone move time on as well, but are not worth a sync; a minute is all that could be lost.
        if high_water > self.written.plus(TICK.as_secs()) {
            self.store.keep_high_water(high_water)?;
            self.written = high_water;
        }
        self.store.commit()?;
        Ok((rung, tally))
    }

    fn restore(&mut self) -> Result<(), StoreError> {
        self.store.roll_back()?;
        let high_water = self.mailboxes.high_water();
        let (restored, reckoning) = self.store.restore(&self.limits)?;
        census::tell(&self.path, reckoning, &self.metrics);
        Tally { quarantined: restored.damaged, ..Tally::default() }.count(&self.metrics);
        (self.mailboxes, self.directory) = (restored.mailboxes, restored.directory);
        self.written = self.mailboxes.high_water();
        self.mailboxes.handle_expire(high_water, 0);
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

    fn expire(&mut self, now: Timestamp, tally: &mut Tally) -> Result<(), StoreError> {
        let effects = self.mailboxes.handle_expire(now, EXPIRE);
        for effect in &effects {
            if let Effect::Erase(slot) = effect {
                let erased = self.store.erase_unread(*slot)?;
                tally.quarantined += u64::from(erased == Erased::SetAside);
            } else {
                self.store.execute(effect, None)?;
            }
        }
        for (inbox, slot) in self.directory.handle_expire(self.mailboxes.high_water(), EXPIRE) {
            let erased = self.store.erase_records(inbox, slot)?;
            tally.quarantined += u64::from(erased == Erased::SetAside);
        }
        tally.expired += effects.len() as u64;
        Ok(())
    }

    /// Decides one question and executes what follows; the inbox whose bell is to ring, if one is.
    fn decide(&mut self, ask: &mut Ask, now: Timestamp, tally: &mut Tally) -> Result<Option<InboxId>, StoreError> {
        match ask {
            Ask::Deposit(deposit, answer) => return self.deposit(deposit, answer, now),
            Ask::List(from, answer) => answer.decide(self.mailboxes.handle_fetch(*from, now)),
            Ask::Read(from, slot, answer) => answer.decide(Ok(self.read(*from, *slot, tally)?)),
            Ask::Ack(owner, ids, answer) => {
                let effects = self.mailboxes.handle_ack(*owner, ids);
                for effect in &effects {
                    self.store.execute(effect, None)?;
                }
                // A mailbox that is closed with the last of them is no envelope.
                let erased = effects.iter().filter(|effect| matches!(effect, Effect::Erase(_)));
                tally.acked += erased.count() as u64;
                answer.decide(Ok(()));
            }
            Ask::Publish(ask, answer) => {
                let published = self.publish(ask.inbox, &ask.records, now, tally)?;
                answer.decide(published);
            }
            Ask::Records(inbox, answer) => answer.decide(self.records(*inbox, tally)?),
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

    fn read(&mut self, from: Destination, slot: Slot, tally: &mut Tally) -> Result<Option<Stored>, StoreError> {
        let Some(waiting) = self.mailboxes.waiting_at(from, slot) else { return Ok(None) };
        if let Found::Whole(stored) = self.store.read(waiting)? {
            return Ok(Some(stored));
        }
        self.mailboxes.handle_damaged(slot);
        self.store.quarantine(Table::Envelope, slot)?;
        tally.quarantined += 1;
        Ok(None)
    }

    fn publish(
        &mut self,
        inbox: InboxId,
        bytes: &[u8],
        now: Timestamp,
        tally: &mut Tally,
    ) -> Result<Result<(), ErrorCode>, StoreError> {
        let now = self.mailboxes.high_water().max(now);
        let published = match self.directory.handle_publish(inbox, now) {
            Ok(published) => published,
            Err(code) => return Ok(Err(code)),
        };
        self.store.publish(published.slot, inbox, now, bytes)?;
        if let Some(before) = published.before {
            let erased = self.store.erase_records(inbox, before)?;
            tally.quarantined += u64::from(erased == Erased::SetAside);
        }
        Ok(Ok(()))
    }

    fn records(&mut self, inbox: InboxId, tally: &mut Tally) -> Result<Result<Vec<u8>, ErrorCode>, StoreError> {
        let Some(slot) = self.directory.slot_of(inbox) else { return Ok(Err(ErrorCode::Unknown)) };
        if let Found::Whole(bytes) = self.store.records(inbox, slot)? {
            return Ok(Ok(bytes));
        }
        self.directory.forget(inbox);
        self.store.quarantine(Table::Records, slot)?;
        tally.quarantined += 1;
        Ok(Err(ErrorCode::Unknown))
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
