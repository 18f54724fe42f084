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
pub struct Kept {
    pub(super) waiting: Waiting,
    pub(super) delivery: Delivery,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// One state of everything that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
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
    /// The records here of safes that have others, or none, on another disk.
    pub fn outdated_records(&self, other: &Self) -> impl Iterator<Item = Vec<u8>> {
        let differs = |(inbox, records): &(&InboxId, &Arc<Vec<u8>>)| other.records.get(inbox) != Some(records);
        self.records.iter().filter(differs).map(|(_, records)| records.to_vec())
    }

    /// What is kept of a deposited request: the request, its reply mailbox and the replies in that.
    pub fn of_deposit(&self, deposit: &Delivery) -> (Vec<&Kept>, Option<&Mailbox>) {
        let mailbox = deposit.reply_mailbox.map(|key| MailboxId::of_key(&key.0));
        let answers = |kept: &Kept| mailbox.is_some_and(|mailbox| kept.waiting.to == Destination::Mailbox(mailbox));
        let kept = self.envelopes.values().filter(|kept| kept.waiting.id == deposit.id || answers(kept));
        (kept.collect(), mailbox.and_then(|mailbox| self.mailboxes.get(&mailbox)))
    }

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

    /// Gives back what was seen; what is seen from now on follows with [`Disk::crash`].
    pub(super) fn replace(&mut self, rows: Rows) -> Rows {
        self.durable = rows;
        self.seen.clone()
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

#[cfg(test)]
mod tests {
    use rohrpost_wire::EnvelopeId;
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::frame::TtlClass;

    use super::*;

    const KEY: Fixed<32> = Fixed([5; 32]);

    /// As it was, after this has been done to it: the old disk and the lost one.
    fn disks(young: impl FnOnce(&mut Disk), later: impl FnOnce(&mut Disk)) -> (Rows, Rows) {
        let mut disk = Disk::default();
        young(&mut disk);
        disk.flush();
        let old = disk.snapshot();
        later(&mut disk);
        (old.clone(), disk.replace(old))
    }

    fn deposit(number: u8) -> Delivery {
        Delivery { id: EnvelopeId(Fixed([number; 32])), ttl: TtlClass::Day, reply_mailbox: Some(KEY) }
    }

    fn put(disk: &mut Disk, number: u8, to: Destination) {
        let (delivery, slot) = (deposit(number), Slot(u64::from(number)));
        let waiting = Waiting { slot, id: delivery.id, to, opens: None, bytes: 1, expires: Timestamp(9) };
        disk.execute(vec![Effect::Store(waiting)], Some((&delivery, &[number])));
    }

    #[test]
    fn records_are_outdated_on_an_old_disk_where_others_came_after_them() {
        let [one, other] = [1, 2].map(|number| InboxId(Fixed([number; 16])));
        let publish = |disk: &mut Disk| {
            disk.keep_records(one, b"first");
            disk.keep_records(other, b"only");
        };
        let (old, lost) = disks(publish, |disk| disk.keep_records(one, b"second"));
        assert_eq!(old.outdated_records(&lost).collect::<Vec<_>>(), [b"first"]);
    }

    #[test]
    fn of_a_deposit_an_old_disk_differs_in_the_request_and_in_its_replies() {
        let (inbox, mailbox) = (InboxId(Fixed([1; 16])), MailboxId::of_key(&KEY.0));
        let left = |disk: &mut Disk| put(disk, 1, Destination::Inbox(inbox));
        let (old, lost) = disks(left, |disk| put(disk, 2, Destination::Inbox(inbox)));
        assert_eq!(old.of_deposit(&deposit(1)), lost.of_deposit(&deposit(1)));
        assert_ne!(old.of_deposit(&deposit(2)), lost.of_deposit(&deposit(2)));
        let (old, lost) = disks(left, |disk| put(disk, 3, Destination::Mailbox(mailbox)));
        assert_ne!(old.of_deposit(&deposit(1)), lost.of_deposit(&deposit(1)));
        let (old, lost) = disks(left, |disk| disk.execute(vec![Effect::Erase(Slot(1))], None));
        assert_ne!(old.of_deposit(&deposit(1)), lost.of_deposit(&deposit(1)));
    }
}
