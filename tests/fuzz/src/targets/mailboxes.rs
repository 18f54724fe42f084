//! What waits for whom, moved by arbitrary events, against what the effects have left on disk.

use std::collections::BTreeMap;

use rohrpost_relay::Limits;
use rohrpost_relay::mailbox::{Deposited, Effect, Mailbox, Mailboxes, Slot, Waiting};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId, MailboxId, Timestamp, time};

use super::samples::NOW;
use crate::input::Input;
use crate::target::Verdict;

fn limits() -> Limits {
    Limits {
        inbox_envelopes: 5,
        inbox_bytes: 300,
        mailbox_envelopes: 3,
        mailbox_bytes: 200,
        mailboxes_per_inbox: 2,
        mailboxes: 4,
        envelopes: 9,
        envelope_bytes: 600,
        ..Limits::default()
    }
}

struct Run {
    index: Mailboxes,
    waiting: BTreeMap<Slot, Waiting>,
    mailboxes: BTreeMap<MailboxId, Mailbox>,
    now: Timestamp,
    last: Option<Slot>,
}

/// No limit is passed, every count is a sum, nobody is delivered or erases what is another's, and a restart changes
/// nothing.
pub(super) fn mailboxes(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let index = Mailboxes::new(&limits(), NOW, Slot(0));
    let mut run = Run { index, waiting: BTreeMap::new(), mailboxes: BTreeMap::new(), now: NOW, last: None };
    let mut queued = false;
    while !input.is_over() {
        queued |= run.step(&mut input);
        run.check();
    }
    Verdict::taken(queued)
}

impl Run {
    fn step(&mut self, input: &mut Input<'_>) -> bool {
        match input.choice(9) {
            0..=2 => return self.request(input),
            3 | 4 => return self.reply(input),
            5 => self.ack(input),
            6 => {
                // A clock that goes back is not followed.
                let step = u64::from(input.short()) * 60;
                self.now = if input.choice(4) == 0 { self.now.minus(step) } else { self.now.plus(step) };
                let effects = self.index.handle_expire(self.now, 1 + input.choice(4));
                self.apply(effects, |_| true);
            }
            7 => self.restart(),
            _ => {
                if let Some(slot) = self.waiting.keys().nth(input.choice(self.waiting.len())).copied() {
                    self.index.handle_damaged(slot);
                    self.waiting.remove(&slot);
                }
            }
        }
        false
    }

    fn request(&mut self, input: &mut Input<'_>) -> bool {
        let to = Destination::Inbox(inbox(input.byte()));
        let reply_mailbox = (input.choice(3) > 0).then(|| key(input.byte()));
        self.deposit(&Deposit { to, ticket: None, ttl: ttl(input), reply_mailbox }, None, input)
    }

    fn reply(&mut self, input: &mut Input<'_>) -> bool {
        let mailbox = mailbox(input.byte());
        let by = (input.choice(4) > 0).then(|| inbox(input.byte()));
        let header = Deposit { to: Destination::Mailbox(mailbox), ticket: None, ttl: ttl(input), reply_mailbox: None };
        let allowed = self.mailboxes.get(&mailbox).is_some_and(|open| Some(open.owner) == by);
        let queued = self.deposit(&header, by, input);
        assert!(allowed || !queued, "a stranger's reply is taken");
        queued
    }

    fn deposit(&mut self, header: &Deposit, by: Option<InboxId>, input: &mut Input<'_>) -> bool {
        let (name, bytes) = (input.byte(), u64::from(input.byte()));
        let id = header.envelope_id(&[name]);
        match self.index.handle_deposit(Deposited { header, id, bytes, by }, self.now) {
            Ok(effects) => {
                let known = self.waiting.values().any(|waiting| waiting.id == id);
                assert!(known || !effects.is_empty(), "queued, and kept nowhere");
                // What is erased here is an overdue copy of the same envelope.
                self.apply(effects, |waiting| waiting.id == id);
                true
            }
            Err(code) => {
                assert!(is_a_refusal(code), "refused with {code:?}");
                false
            }
        }
    }

    fn ack(&mut self, input: &mut Input<'_>) {
        let owner = place(input);
        let ids: Vec<EnvelopeId> =
            self.waiting.values().filter(|_| input.choice(2) == 0).map(|waiting| waiting.id).collect();
        let effects = self.index.handle_ack(owner, &ids);
        self.apply(effects, |waiting| waiting.to == owner);
    }

    fn apply(&mut self, effects: Vec<Effect>, may_erase: impl Fn(&Waiting) -> bool) {
        for effect in effects {
            match effect {
                Effect::Store(waiting) => {
                    assert!(self.last < Some(waiting.slot), "a place is used again");
                    self.last = Some(waiting.slot);
                    self.waiting.insert(waiting.slot, waiting);
                }
                Effect::KeepMailbox(mailbox) => {
                    let before = self.mailboxes.insert(mailbox.id, mailbox.clone());
                    assert!(before.is_none_or(|before| before.owner == mailbox.owner), "a mailbox changed hands");
                }
                Effect::Erase(slot) => {
                    let erased = self.waiting.remove(&slot).expect("what is erased was there");
                    assert!(may_erase(&erased), "somebody else's envelope is erased");
                }
                Effect::CloseMailbox(id) => assert!(self.mailboxes.remove(&id).is_some(), "closed twice"),
            }
        }
    }

    fn restart(&mut self) {
        let next = self.last.map_or(Slot(0), |last| Slot(last.0 + 1));
        let mut index = Mailboxes::new(&limits(), self.index.high_water(), next);
        self.mailboxes.values().cloned().for_each(|mailbox| index.restore_mailbox(mailbox));
        self.waiting.values().cloned().for_each(|waiting| index.restore_envelope(waiting));
        self.index = index;
    }

    fn check(&mut self) {
        let limits = limits();
        let bytes: u64 = self.waiting.values().map(|waiting| waiting.bytes).sum();
        assert_eq!((self.index.envelopes(), self.index.bytes()), (self.waiting.len(), bytes), "the counts");
        assert_eq!(self.index.mailboxes(), self.mailboxes.len(), "the mailboxes");
        assert!(
            self.waiting.len() <= limits.envelopes && bytes <= limits.envelope_bytes,
            "the whole is over its limit"
        );
        assert!(self.mailboxes.len() <= limits.mailboxes, "too many mailboxes");
        for number in 0..4 {
            let owned = self.mailboxes.values().filter(|mailbox| mailbox.owner == inbox(number)).count();
            assert!(owned <= limits.mailboxes_per_inbox, "one safe has too many mailboxes");
            self.check_place(Destination::Inbox(inbox(number)), limits.inbox_envelopes, limits.inbox_bytes);
            self.check_place(Destination::Mailbox(mailbox(number)), limits.mailbox_envelopes, limits.mailbox_bytes);
        }
    }

    fn check_place(&mut self, place: Destination, most: usize, most_bytes: u64) {
        let own = self.waiting.values().filter(|waiting| waiting.to == place);
        let (count, bytes) = own.clone().fold((0, 0), |(count, bytes), waiting| (count + 1, bytes + waiting.bytes));
        assert!(count <= most && bytes <= most_bytes, "{place:?} is over its limit");
        let now = self.index.high_water().max(self.now);
        let alive: Vec<_> = own.filter(|waiting| waiting.expires > now).map(|w| (w.slot, w.bytes)).collect();
        match self.index.handle_fetch(place, self.now) {
            Ok(delivered) => assert_eq!(delivered, alive, "{place:?} is delivered something else"),
            Err(code) => assert_eq!((code, alive.len()), (ErrorCode::Unknown, 0), "{place:?}"),
        }
    }
}

fn is_a_refusal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Full | ErrorCode::Busy | ErrorCode::Unknown | ErrorCode::NotLoggedIn)
}

fn place(input: &mut Input<'_>) -> Destination {
    let number = input.byte();
    if input.choice(2) == 0 { Destination::Inbox(inbox(number)) } else { Destination::Mailbox(mailbox(number)) }
}

fn ttl(input: &mut Input<'_>) -> TtlClass {
    [TtlClass::Day, TtlClass::Week, TtlClass::Fortnight][input.choice(3)]
}

fn inbox(number: u8) -> InboxId {
    InboxId(Fixed([number % 4; 16]))
}

fn key(number: u8) -> Fixed<32> {
    Fixed([number % 4; 32])
}

fn mailbox(number: u8) -> MailboxId {
    MailboxId::of_key(&key(number).0)
}

pub(super) fn mailboxes_seeds() -> Vec<Vec<u8>> {
    let days = |days: u64| [&[6][..], &u16::try_from(days * time::DAY / 60).unwrap().to_be_bytes(), &[1, 3]].concat();
    let request = vec![0, 1, 1, 2, 0, 7, 90];
    let reply = vec![3, 2, 1, 1, 0, 8, 50];
    let ack = vec![5, 1, 0, 0, 0, 0, 0];
    let ack_reply = vec![5, 2, 1, 0, 0, 0, 0];
    vec![
        [request.clone(), reply.clone(), vec![7], ack, ack_reply].concat(),
        [request.clone(), days(2), request.clone(), vec![8, 0], request.clone()].concat(),
        [request.repeat(3), reply.repeat(3), days(20), days(20), days(20)].concat(),
    ]
}
