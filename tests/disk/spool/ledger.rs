//! What was deposited, what its sender heard, and what came back of it.
//!
//! The oracle of the spool: an envelope that was answered `queued` comes back with its own bytes until it is acked, and
//! one whose ack was answered never does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rohrpost_client::connection::Delivered;
use rohrpost_tests::content;
use rohrpost_wire::EnvelopeId;
use rohrpost_wire::frame::Deposit;

/// Shared by all who deposit and fetch.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    envelopes: BTreeMap<EnvelopeId, Envelope>,
    next: u64,
    deaf: bool,
    account: Account,
}

struct Envelope {
    seed: u64,
    length: usize,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing was heard: it may be stored or not.
    Sent,
    /// Its sender was told that it is kept.
    Queued,
    /// An ack is under way: it may still be stored or not.
    Leaving,
    /// Its owner was told that it is erased.
    Erased,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Answered `queued`.
    pub(crate) queued: u64,
    /// Of those, gone.
    pub(crate) lost: u64,
    /// Delivered with other bytes, or never sent by anybody.
    pub(crate) wrong: u64,
    /// Delivered although their erasure had been answered.
    pub(crate) came_back: u64,
    /// Delivered again because no ack had been answered.
    pub(crate) repeated: u64,
}

impl Ledger {
    /// Draws an envelope that nobody has sent, and writes it down as sent.
    pub(crate) fn sending(&self, deposit: &Deposit, length: usize) -> Vec<u8> {
        let seed = {
            let mut book = self.book();
            book.next += 1;
            book.next
        };
        let bytes = content(length, seed);
        let envelope = Envelope { seed, length, fate: Fate::Sent };
        self.book().envelopes.insert(deposit.envelope_id(&bytes), envelope);
        bytes
    }

    /// Nothing that is answered from now on counts, until [`Self::listen`].
    pub(crate) fn deafen(&self) {
        self.book().deaf = true;
    }

    /// Answers count.
    pub(crate) fn listen(&self) {
        self.book().deaf = false;
    }

    /// A sender has heard `queued`.
    pub(crate) fn queued(&self, id: EnvelopeId) {
        let mut book = self.book();
        if book.deaf {
            return;
        }
        book.account.queued += 1;
        let envelope = book.envelopes.get_mut(&id).expect("what was sent");
        // The safe may have been faster.
        if envelope.fate == Fate::Sent {
            envelope.fate = Fate::Queued;
        }
    }

    /// How many have been answered `queued`.
    pub(crate) fn answered(&self) -> u64 {
        self.book().account.queued
    }

    /// Looks at what came.
    pub(crate) fn delivered(&self, delivered: &[Delivered]) -> Vec<EnvelopeId> {
        let mut book = self.book();
        for Delivered { delivery, envelope } in delivered {
            let known = book.envelopes.get(&delivery.id).map(|known| (known.fate, content(known.length, known.seed)));
            match known {
                Some((fate, bytes)) if bytes == *envelope => {
                    book.account.came_back += u64::from(fate == Fate::Erased);
                    book.account.repeated += u64::from(fate == Fate::Leaving);
                }
                Some(_) | None => book.account.wrong += 1,
            }
        }
        delivered.iter().map(|delivered| delivered.delivery.id).collect()
    }

    /// An ack is sent.
    pub(crate) fn leaving(&self, ids: &[EnvelopeId]) {
        self.mark(ids, Fate::Leaving);
    }

    /// An ack is answered.
    pub(crate) fn erased(&self, ids: &[EnvelopeId]) {
        self.mark(ids, Fate::Erased);
    }

    /// All that waited has been delivered and acked: what was promised and has not come is lost.
    pub(crate) fn drained(&self) {
        let mut book = self.book();
        let gone = book.envelopes.values().filter(|envelope| envelope.fate == Fate::Queued).count() as u64;
        book.account.lost += gone;
        // What did not come now never may; each counts once.
        for envelope in book.envelopes.values_mut().filter(|envelope| envelope.fate != Fate::Sent) {
            envelope.fate = Fate::Erased;
        }
    }

    /// What the run came to.
    pub(crate) fn account(&self) -> Account {
        self.book().account
    }

    fn mark(&self, ids: &[EnvelopeId], fate: Fate) {
        let mut book = self.book();
        if book.deaf && fate == Fate::Erased {
            return;
        }
        for id in ids {
            if let Some(envelope) = book.envelopes.get_mut(id) {
                envelope.fate = fate;
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::InboxId;
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::frame::{Delivery, Destination, TtlClass};

    use super::*;

    fn deposit() -> Deposit {
        Deposit {
            to: Destination::Inbox(InboxId(Fixed([1; 16]))),
            ticket: None,
            ttl: TtlClass::Day,
            reply_mailbox: None,
        }
    }

    fn came(ledger: &Ledger, id: EnvelopeId, envelope: &[u8]) {
        let delivery = Delivery { id, ttl: TtlClass::Day, reply_mailbox: None };
        ledger.delivered(&[Delivered { delivery, envelope: envelope.to_vec() }]);
    }

    #[test]
    fn a_ledger_finds_what_is_lost_wrong_or_comes_back() {
        let ledger = Ledger::default();
        let bytes: Vec<Vec<u8>> = (0..3).map(|_| ledger.sending(&deposit(), 100)).collect();
        let ids: Vec<EnvelopeId> = bytes.iter().map(|bytes| deposit().envelope_id(bytes)).collect();
        ledger.queued(ids[0]);
        ledger.queued(ids[1]);
        came(&ledger, ids[0], &bytes[0]);
        ledger.leaving(&ids[..1]);
        came(&ledger, ids[0], &bytes[0]);
        ledger.erased(&ids[..1]);
        assert_eq!(ledger.account(), Account { queued: 2, repeated: 1, ..Account::default() });
        came(&ledger, ids[0], &bytes[0]);
        came(&ledger, ids[1], &bytes[0]);
        ledger.drained();
        let found = Account { queued: 2, lost: 1, wrong: 1, came_back: 1, repeated: 1 };
        assert_eq!(ledger.account(), found, "the third was never answered and may be gone");
    }
}
