//! What is done within a transaction: one question after the other, decided by the index and executed in the database.

use rohrpost_wire::frame::Destination;
use rohrpost_wire::{ErrorCode, InboxId, Timestamp};

use crate::mailbox::{Deposited, Effect, Mailboxes, Slot};
use crate::spool::command::{Answer, Ask, DepositAsk};
use crate::spool::directory::Directory;
use crate::spool::error::StoreError;
use crate::spool::row::{self, Stored};
use crate::spool::store::{Erased, Found, Store};
use crate::spool::table::Table;
use crate::spool::tally::Tally;

/// What expires in one transaction, so that a great expiry delays nobody for long.
const EXPIRE: usize = 64;

/// The index and the database that it is the index of. They agree after every transaction that succeeded.
pub(super) struct Executor {
    pub(super) store: Store,
    pub(super) mailboxes: Mailboxes,
    pub(super) directory: Directory,
}

impl Executor {
    /// Erases what has expired by now, a bounded number of rows.
    pub(super) fn expire(&mut self, now: Timestamp, tally: &mut Tally) -> Result<(), StoreError> {
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
    pub(super) fn decide(
        &mut self,
        ask: &mut Ask,
        now: Timestamp,
        tally: &mut Tally,
    ) -> Result<Option<InboxId>, StoreError> {
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
