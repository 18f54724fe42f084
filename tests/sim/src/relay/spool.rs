//! The disk of a simulated relay: what is written is on it only after the next flush.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use rohrpost_relay::Limits;
use rohrpost_relay::mailbox::{Effect, Mailbox, Mailboxes, Slot, Waiting};
use rohrpost_wire::frame::{Delivery, Destination};
use rohrpost_wire::{InboxId, MailboxId, Timestamp};

/// An envelope as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) waiting: Waiting,
    pub(super) delivery: Delivery,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// One state of everything that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    envelopes: BTreeMap<Slot, Kept>,
    mailboxes: BTreeMap<MailboxId, Mailbox>,
    records: BTreeMap<InboxId, Arc<Vec<u8>>>,
    high_water: Timestamp,
}

/// The rows as they are seen, as they are on disk, and what lies between.
#[derive(Debug, Default)]
pub(super) struct Disk {
    seen: Rows,
    durable: Rows,
    staged: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Write {
    Put(Kept),
    Erase(Slot),
    Keep(Mailbox),
    Close(MailboxId),
    Records(InboxId, Arc<Vec<u8>>),
    HighWater(Timestamp),
}

impl Rows {
    fn write(&mut self, write: Write) {
        match write {
            Write::Put(kept) => drop(self.envelopes.insert(kept.waiting.slot, kept)),
            Write::Erase(slot) => drop(self.envelopes.remove(&slot)),
            Write::Keep(mailbox) => drop(self.mailboxes.insert(mailbox.id, mailbox)),
            Write::Close(id) => drop(self.mailboxes.remove(&id)),
            Write::Records(inbox, records) => drop(self.records.insert(inbox, records)),
            Write::HighWater(time) => self.high_water = self.high_water.max(time),
        }
    }
}

impl Disk {
    /// Carries out what the index decided; `at_hand` is the envelope of a deposit.
    pub(super) fn execute(&mut self, effects: Vec<Effect>, at_hand: Option<(&Delivery, &[u8])>) {
        for effect in effects {
            match (effect, at_hand) {
                (Effect::Store(waiting), Some((delivery, bytes))) => {
                    let (delivery, bytes) = (delivery.clone(), Arc::new(bytes.to_vec()));
                    self.write(Write::Put(Kept { waiting, delivery, bytes }));
                }
                // Only a deposit stores.
                (Effect::Store(_), None) => {}
                (Effect::KeepMailbox(mailbox), _) => self.write(Write::Keep(mailbox)),
                (Effect::Erase(slot), _) => self.write(Write::Erase(slot)),
                (Effect::CloseMailbox(id), _) => self.write(Write::Close(id)),
            }
        }
    }

    pub(super) fn keep_records(&mut self, inbox: InboxId, records: &[u8]) {
        self.write(Write::Records(inbox, Arc::new(records.to_vec())));
    }

    pub(super) fn keep_high_water(&mut self, time: Timestamp) {
        self.write(Write::HighWater(time));
    }

    pub(super) fn records(&self, inbox: InboxId) -> Option<Arc<Vec<u8>>> {
        self.seen.records.get(&inbox).cloned()
    }

    pub(super) fn envelope(&self, slot: Slot) -> Option<&Kept> {
        self.seen.envelopes.get(&slot)
    }

    pub(super) fn waiting(&self) -> usize {
        let of_safes = |kept: &&Kept| matches!(kept.waiting.to, Destination::Inbox(_));
        self.seen.envelopes.values().filter(of_safes).count()
    }

    pub(super) fn stored(&self) -> usize {
        self.seen.envelopes.len()
    }

    pub(super) fn snapshot(&self) -> Rows {
        self.durable.clone()
    }

    pub(super) fn replace(&mut self, rows: Rows) {
        self.durable = rows;
    }

    pub(super) fn flush(&mut self) {
        for write in mem::take(&mut self.staged) {
            self.durable.write(write);
        }
    }

    /// A power cut: what was not flushed is gone. The index is rebuilt from what is left.
    pub(super) fn crash(&mut self, limits: &Limits) -> Mailboxes {
        self.staged.clear();
        self.seen = self.durable.clone();
        let next = self.seen.envelopes.keys().next_back().map_or(Slot(0), |slot| Slot(slot.0 + 1));
        let mut index = Mailboxes::new(limits, self.seen.high_water, next);
        for kept in self.seen.envelopes.values() {
            index.restore_envelope(kept.waiting.clone());
        }
        for mailbox in self.seen.mailboxes.values() {
            index.restore_mailbox(mailbox.clone());
        }
        index
    }

    fn write(&mut self, write: Write) {
        self.seen.write(write.clone());
        self.staged.push(write);
    }
}
