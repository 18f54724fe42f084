//! What waits for whom: the index of a spool.
//!
//! A plain value over the envelopes' metadata; the sealed bytes lie with the driver (`spool`), which executes the
//! [`Effect`]s in one transaction and answers only afterwards. Invariants: the counts equal the sums over what waits;
//! an envelope is known under its id exactly as long as it waits; time never goes back ([`Mailboxes::high_water`]).
//!
//! A reply mailbox is opened by the deposit of a request and takes deposits from the safe which that request addressed,
//! from nobody else, within a count and a volume fixed for its life. `Full` says that a place is used up, `Busy` that the
//! relay is: who is told `Full` by a reply mailbox may let the reply go, so nothing passing is ever called that.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rohrpost_wire::frame::{Destination, TtlClass};
use rohrpost_wire::limits::{FETCH_BYTES, FETCH_ENVELOPES};
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId, MailboxId, Timestamp};

use crate::quota::Limits;
pub use entry::{Deposited, Effect, Mailbox, Slot, Waiting};

mod entry;

/// Everything that waits at a relay.
#[derive(Debug)]
pub struct Mailboxes {
    limits: Limits,
    high_water: Timestamp,
    next: u64,
    bytes: u64,
    waiting: BTreeMap<Slot, Waiting>,
    by_id: BTreeMap<EnvelopeId, Slot>,
    queues: BTreeMap<Destination, Queue>,
    open: BTreeMap<MailboxId, Mailbox>,
    /// How many requests that wait have their answers in a mailbox.
    asked: BTreeMap<MailboxId, usize>,
    per_owner: BTreeMap<InboxId, usize>,
    expiry: BTreeSet<(Timestamp, Expiring)>,
}

#[derive(Debug, Default)]
struct Queue {
    slots: BTreeSet<Slot>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Expiring {
    Envelope(Slot),
    Mailbox(MailboxId),
}

impl Mailboxes {
    /// An empty index whose first envelope gets the slot `next`.
    pub fn new(limits: &Limits, high_water: Timestamp, next: Slot) -> Self {
        Self {
            limits: limits.clone(),
            high_water,
            next: next.0,
            bytes: 0,
            waiting: BTreeMap::new(),
            by_id: BTreeMap::new(),
            queues: BTreeMap::new(),
            open: BTreeMap::new(),
            asked: BTreeMap::new(),
            per_owner: BTreeMap::new(),
            expiry: BTreeSet::new(),
        }
    }

    /// Takes over an envelope that was stored earlier. Limits are not looked at: what is stored is kept.
    pub fn restore_envelope(&mut self, waiting: Waiting) {
        self.pass_over(Some(waiting.slot));
        self.insert(waiting);
    }

    /// Gives out neither this slot nor one before it.
    pub fn pass_over(&mut self, used: Option<Slot>) {
        self.next = self.next.max(used.map_or(0, |used| used.0.saturating_add(1)));
    }

    /// Takes over a mailbox that was stored earlier.
    pub fn restore_mailbox(&mut self, mailbox: Mailbox) {
        self.keep(mailbox);
    }

    /// The latest time this index has acted at; a clock that goes back is not followed.
    pub fn high_water(&self) -> Timestamp {
        self.high_water
    }

    /// How many envelopes wait.
    pub fn envelopes(&self) -> usize {
        self.waiting.len()
    }

    /// How many bytes wait.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many reply mailboxes there are.
    pub fn mailboxes(&self) -> usize {
        self.open.len()
    }

    /// An envelope, if it still waits in this place.
    pub fn waiting_at(&self, to: Destination, slot: Slot) -> Option<&Waiting> {
        self.waiting.get(&slot).filter(|waiting| waiting.to == to)
    }

    /// Somebody deposits an envelope. No effects: it waits already, and the answer is the same.
    pub fn handle_deposit(&mut self, deposit: Deposited<'_>, now: Timestamp) -> Result<Vec<Effect>, ErrorCode> {
        let now = self.advance(now);
        match deposit.header.to {
            Destination::Inbox(inbox) => self.deposit_request(deposit, inbox, now),
            Destination::Mailbox(mailbox) => self.deposit_reply(deposit, mailbox, now),
        }
    }

    /// What a fetch delivers now and the length of each: the oldest first, within the limits of one answer.
    pub fn handle_fetch(&mut self, from: Destination, now: Timestamp) -> Result<Vec<(Slot, u64)>, ErrorCode> {
        let now = self.advance(now);
        let known = match from {
            Destination::Inbox(_) => true,
            Destination::Mailbox(id) => self.open.contains_key(&id) || self.queues.contains_key(&from),
        };
        if !known {
            return Err(ErrorCode::Unknown);
        }
        let slots = self.queues.get(&from).into_iter().flat_map(|queue| &queue.slots);
        let alive = slots.filter_map(|slot| self.waiting.get(slot)).filter(|waiting| waiting.expires > now);
        let mut room = FETCH_BYTES as u64;
        let fitting = alive.take(FETCH_ENVELOPES).take_while(|waiting| {
            let fits = waiting.bytes <= room;
            room = room.saturating_sub(waiting.bytes);
            fits
        });
        Ok(fitting.map(|waiting| (waiting.slot, waiting.bytes)).collect())
    }

    /// The owner of a place has taken these over; what does not wait there is passed over. A reply mailbox is closed when
    /// its replies are with their owner and its safe has acked the request, which it does after the last of them.
    pub fn handle_ack(&mut self, owner: Destination, ids: &[EnvelopeId]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for id in ids {
            let slot = self.by_id.get(id).copied().filter(|slot| self.waiting_at(owner, *slot).is_some());
            if let Some(slot) = slot {
                let opened = self.remove(slot).and_then(|removed| removed.opens);
                effects.push(Effect::Erase(slot));
                effects.extend(opened.and_then(|mailbox| self.close_if_done(mailbox)));
            }
        }
        if let Destination::Mailbox(mailbox) = owner {
            effects.extend(self.close_if_done(mailbox));
        }
        effects
    }

    /// Erases what has outlived its time, at most `most` of it at once.
    pub fn handle_expire(&mut self, now: Timestamp, most: usize) -> Vec<Effect> {
        let now = self.advance(now);
        let due: Vec<Expiring> = self
            .expiry
            .iter()
            .take_while(|(expires, _)| *expires <= now)
            .take(most)
            .map(|(_, expiring)| *expiring)
            .collect();
        due.into_iter().map(|expiring| self.expire(expiring)).collect()
    }

    /// The bytes of an envelope are not what was deposited: it is no longer delivered, and blocks nothing.
    pub fn handle_damaged(&mut self, slot: Slot) {
        self.remove(slot);
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.high_water = self.high_water.max(now);
        self.high_water
    }

    fn deposit_request(
        &mut self,
        deposit: Deposited<'_>,
        inbox: InboxId,
        now: Timestamp,
    ) -> Result<Vec<Effect>, ErrorCode> {
        if self.promised(deposit.id, now) {
            return Ok(Vec::new());
        }
        let queue = self.queues.get(&deposit.header.to);
        let envelopes = queue.map_or(0, |queue| queue.slots.len());
        let bytes = queue.map_or(0, |queue| queue.bytes).saturating_add(deposit.bytes);
        if envelopes >= self.limits.inbox_envelopes || bytes > self.limits.inbox_bytes {
            return Err(ErrorCode::Full);
        }
        self.check_total(deposit.bytes)?;
        let ttl = deposit.header.ttl.seconds();
        let mailbox = match deposit.header.reply_mailbox {
            None => None,
            Some(key) => Some(self.mailbox_for(MailboxId::of_key(&key.0), inbox, now.plus(ttl))?),
        };
        let mut effects = self.erase_overdue(deposit.id);
        effects.push(self.store(deposit, now.plus(ttl)));
        effects.extend(mailbox.map(|mailbox| self.keep(mailbox)));
        Ok(effects)
    }

    /// The mailbox a request opens: new, or the same safe's under the same key. It stays open for a reply of the
    /// longest class to a request taken in its last moment.
    fn mailbox_for(&self, id: MailboxId, owner: InboxId, request: Timestamp) -> Result<Mailbox, ErrorCode> {
        let expires = request.plus(TtlClass::Fortnight.seconds());
        if let Some(known) = self.open.get(&id) {
            if known.owner != owner {
                return Err(ErrorCode::Unknown);
            }
            return Ok(Mailbox { expires: known.expires.max(expires), ..known.clone() });
        }
        let of_owner = self.per_owner.get(&owner).copied().unwrap_or_default();
        if of_owner >= self.limits.mailboxes_per_inbox {
            return Err(ErrorCode::Full);
        }
        if self.open.len() >= self.limits.mailboxes {
            return Err(ErrorCode::Busy);
        }
        Ok(Mailbox { id, owner, expires, taken_envelopes: 0, taken_bytes: 0 })
    }

    fn deposit_reply(
        &mut self,
        deposit: Deposited<'_>,
        mailbox: MailboxId,
        now: Timestamp,
    ) -> Result<Vec<Effect>, ErrorCode> {
        let by = deposit.by.ok_or(ErrorCode::NotLoggedIn)?;
        if deposit.header.reply_mailbox.is_some() {
            return Err(ErrorCode::UnexpectedFrame);
        }
        // A stranger learns nothing about whether the mailbox exists.
        let known = self.open.get(&mailbox).filter(|known| known.owner == by && known.expires > now);
        let mut known = known.ok_or(ErrorCode::Unknown)?.clone();
        if self.promised(deposit.id, now) {
            return Ok(Vec::new());
        }
        known.taken_envelopes = known.taken_envelopes.saturating_add(1);
        known.taken_bytes = known.taken_bytes.saturating_add(deposit.bytes);
        let envelopes = self.limits.mailbox_envelopes as u64;
        if known.taken_envelopes > envelopes || known.taken_bytes > self.limits.mailbox_bytes {
            return Err(ErrorCode::Full);
        }
        self.check_total(deposit.bytes)?;
        let expires = now.plus(deposit.header.ttl.seconds()).min(known.expires);
        let mut effects = self.erase_overdue(deposit.id);
        effects.extend([self.store(deposit, expires), self.keep(known)]);
        Ok(effects)
    }

    /// Whether an envelope waits that will still be delivered; one that is only not erased yet is as good as gone.
    fn promised(&self, id: EnvelopeId, now: Timestamp) -> bool {
        let known = self.by_id.get(&id).and_then(|slot| self.waiting.get(slot));
        known.is_some_and(|waiting| waiting.expires > now)
    }

    /// Makes way for an envelope that comes again after its time.
    fn erase_overdue(&mut self, id: EnvelopeId) -> Vec<Effect> {
        let overdue = self.by_id.get(&id).copied().filter(|slot| self.remove(*slot).is_some());
        overdue.map(Effect::Erase).into_iter().collect()
    }

    fn check_total(&self, bytes: u64) -> Result<(), ErrorCode> {
        let fits = self.waiting.len() < self.limits.envelopes
            && self.bytes.saturating_add(bytes) <= self.limits.envelope_bytes;
        if fits { Ok(()) } else { Err(ErrorCode::Busy) }
    }

    fn store(&mut self, deposit: Deposited<'_>, expires: Timestamp) -> Effect {
        let slot = Slot(self.next);
        self.next = self.next.saturating_add(1);
        let opens = deposit.header.reply_mailbox.map(|key| MailboxId::of_key(&key.0));
        let waiting = Waiting { slot, id: deposit.id, to: deposit.header.to, opens, bytes: deposit.bytes, expires };
        self.insert(waiting.clone());
        Effect::Store(waiting)
    }

    fn insert(&mut self, waiting: Waiting) {
        self.bytes = self.bytes.saturating_add(waiting.bytes);
        let queue = self.queues.entry(waiting.to).or_default();
        queue.slots.insert(waiting.slot);
        queue.bytes = queue.bytes.saturating_add(waiting.bytes);
        if let Some(mailbox) = waiting.opens {
            *self.asked.entry(mailbox).or_default() += 1;
        }
        self.by_id.insert(waiting.id, waiting.slot);
        self.expiry.insert((waiting.expires, Expiring::Envelope(waiting.slot)));
        self.waiting.insert(waiting.slot, waiting);
    }

    fn remove(&mut self, slot: Slot) -> Option<Waiting> {
        let waiting = self.waiting.remove(&slot)?;
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        self.by_id.remove(&waiting.id);
        self.expiry.remove(&(waiting.expires, Expiring::Envelope(slot)));
        if let Some(mailbox) = waiting.opens {
            count_down(&mut self.asked, mailbox);
        }
        if let Some(queue) = self.queues.get_mut(&waiting.to) {
            queue.slots.remove(&slot);
            queue.bytes = queue.bytes.saturating_sub(waiting.bytes);
            if queue.slots.is_empty() {
                self.queues.remove(&waiting.to);
            }
        }
        Some(waiting)
    }

    fn keep(&mut self, mailbox: Mailbox) -> Effect {
        let expiring = Expiring::Mailbox(mailbox.id);
        self.expiry.insert((mailbox.expires, expiring));
        match self.open.insert(mailbox.id, mailbox.clone()) {
            None => *self.per_owner.entry(mailbox.owner).or_default() += 1,
            Some(before) if before.expires != mailbox.expires => {
                self.expiry.remove(&(before.expires, expiring));
            }
            Some(_) => {}
        }
        Effect::KeepMailbox(mailbox)
    }

    fn expire(&mut self, expiring: Expiring) -> Effect {
        match expiring {
            Expiring::Envelope(slot) => {
                self.remove(slot);
                Effect::Erase(slot)
            }
            Expiring::Mailbox(id) => {
                self.close(id);
                Effect::CloseMailbox(id)
            }
        }
    }

    fn close_if_done(&mut self, id: MailboxId) -> Option<Effect> {
        let answered = self.open.get(&id)?.taken_envelopes > 0;
        let awaited = self.asked.contains_key(&id) || self.queues.contains_key(&Destination::Mailbox(id));
        if !answered || awaited {
            return None;
        }
        self.close(id);
        Some(Effect::CloseMailbox(id))
    }

    fn close(&mut self, id: MailboxId) {
        let Some(mailbox) = self.open.remove(&id) else { return };
        self.expiry.remove(&(mailbox.expires, Expiring::Mailbox(id)));
        count_down(&mut self.per_owner, mailbox.owner);
    }
}

/// One less; a count of nothing is not kept.
fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() = count.get().saturating_sub(1);
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
