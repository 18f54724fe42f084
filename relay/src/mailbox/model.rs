//! The index against a reference that is a plain list.

use proptest::prelude::*;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::Deposit;
use rohrpost_wire::time::DAY;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Request { to: u8, name: u8, bytes: u64, mailbox: Option<u8> },
    Reply { mailbox: u8, name: u8, bytes: u64, by: u8 },
    Ack { to: u8, name: u8 },
    AckReplies { mailbox: u8, name: u8 },
    Damage { to: u8 },
    Pass { seconds: u64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..3, any::<u8>(), 1u64..60, prop::option::of(0u8..4))
            .prop_map(|(to, name, bytes, mailbox)| Step::Request { to, name, bytes, mailbox }),
        3 => (0u8..4, any::<u8>(), 1u64..60, 0u8..3)
            .prop_map(|(mailbox, name, bytes, by)| Step::Reply { mailbox, name, bytes, by }),
        2 => (0u8..3, any::<u8>()).prop_map(|(to, name)| Step::Ack { to, name }),
        2 => (0u8..4, any::<u8>()).prop_map(|(mailbox, name)| Step::AckReplies { mailbox, name }),
        1 => (0u8..3).prop_map(|to| Step::Damage { to }),
        1 => (0u64..4 * DAY).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Restart),
    ]
}

fn limits() -> Limits {
    Limits {
        inbox_envelopes: 6,
        inbox_bytes: 200,
        mailbox_envelopes: 3,
        mailbox_bytes: 90,
        mailboxes_per_inbox: 2,
        mailboxes: 4,
        envelopes: 10,
        envelope_bytes: 320,
        ..Limits::default()
    }
}

/// The list, and how the rules read without any index over it.
#[derive(Clone, Default)]
struct Reference {
    waiting: Vec<Waiting>,
    mailboxes: Vec<Mailbox>,
    next: u64,
}

impl Reference {
    fn sum(&self, of: impl Fn(&Waiting) -> bool) -> (usize, u64) {
        let matching = self.waiting.iter().filter(|waiting| of(waiting));
        matching.fold((0, 0), |(count, bytes), waiting| (count + 1, bytes + waiting.bytes))
    }

    fn fits(&self, to: Destination, bytes: u64, limits: &Limits) -> Result<(), ErrorCode> {
        let (count, sum) = self.sum(|waiting| waiting.to == to);
        let own = count < limits.inbox_envelopes && sum + bytes <= limits.inbox_bytes;
        if !own && matches!(to, Destination::Inbox(_)) {
            return Err(ErrorCode::Full);
        }
        let (count, sum) = self.sum(|_| true);
        let total = count < limits.envelopes && sum + bytes <= limits.envelope_bytes;
        if total { Ok(()) } else { Err(ErrorCode::Busy) }
    }

    fn push(&mut self, deposited: &Deposited<'_>, expires: Timestamp) {
        let (id, to, bytes) = (deposited.id, deposited.header.to, deposited.bytes);
        let opens = deposited.header.reply_mailbox.map(|key| MailboxId::of_key(&key.0));
        self.waiting.push(Waiting { slot: Slot(self.next), id, to, opens, bytes, expires });
        self.next += 1;
    }

    fn deposit(&mut self, deposited: &Deposited<'_>, now: Timestamp, limits: &Limits) -> Result<(), ErrorCode> {
        let known = self.waiting.iter().any(|waiting| waiting.id == deposited.id);
        let ttl = deposited.header.ttl.seconds();
        match deposited.header.to {
            Destination::Inbox(_) if known => Ok(()),
            Destination::Inbox(inbox) => {
                self.fits(deposited.header.to, deposited.bytes, limits)?;
                if let Some(key) = deposited.header.reply_mailbox {
                    self.open(MailboxId::of_key(&key.0), inbox, now.plus(ttl + 14 * DAY), limits)?;
                }
                self.push(deposited, now.plus(ttl));
                Ok(())
            }
            Destination::Mailbox(id) => {
                let fits = self.fits(deposited.header.to, deposited.bytes, limits);
                let own = |mailbox: &&mut Mailbox| mailbox.id == id && Some(mailbox.owner) == deposited.by;
                let mailbox = self.mailboxes.iter_mut().find(own).ok_or(ErrorCode::Unknown)?;
                if known {
                    return Ok(());
                }
                let envelopes = mailbox.taken_envelopes + 1;
                let bytes = mailbox.taken_bytes + deposited.bytes;
                if envelopes > limits.mailbox_envelopes as u64 || bytes > limits.mailbox_bytes {
                    return Err(ErrorCode::Full);
                }
                fits?;
                (mailbox.taken_envelopes, mailbox.taken_bytes) = (envelopes, bytes);
                let expires = now.plus(ttl).min(mailbox.expires);
                self.push(deposited, expires);
                Ok(())
            }
        }
    }

    fn open(&mut self, id: MailboxId, owner: InboxId, expires: Timestamp, limits: &Limits) -> Result<(), ErrorCode> {
        let of_owner = self.mailboxes.iter().filter(|mailbox| mailbox.owner == owner).count();
        let all = self.mailboxes.len();
        match self.mailboxes.iter_mut().find(|mailbox| mailbox.id == id) {
            Some(known) if known.owner == owner => known.expires = known.expires.max(expires),
            Some(_) => return Err(ErrorCode::Unknown),
            None if of_owner >= limits.mailboxes_per_inbox => return Err(ErrorCode::Full),
            None if all >= limits.mailboxes => return Err(ErrorCode::Busy),
            None => self.mailboxes.push(Mailbox { id, owner, expires, taken_envelopes: 0, taken_bytes: 0 }),
        }
        Ok(())
    }

    /// Takes envelopes away, and then every mailbox this has something to do with, of which nothing is left to come.
    fn ack(&mut self, owner: Destination, ids: &[EnvelopeId]) {
        let acked = |waiting: &Waiting| waiting.to == owner && ids.contains(&waiting.id);
        let mut touched: Vec<_> = self.waiting.iter().filter(|w| acked(w)).filter_map(|w| w.opens).collect();
        if let Destination::Mailbox(mailbox) = owner {
            touched.push(mailbox);
        }
        self.waiting.retain(|waiting| !acked(waiting));
        let waiting = &self.waiting;
        let awaited = |id| waiting.iter().any(|w| w.opens == Some(id) || w.to == Destination::Mailbox(id));
        self.mailboxes
            .retain(|mailbox| mailbox.taken_envelopes == 0 || awaited(mailbox.id) || !touched.contains(&mailbox.id));
    }

    fn expire(&mut self, now: Timestamp) {
        self.waiting.retain(|waiting| waiting.expires > now);
        self.mailboxes.retain(|mailbox| mailbox.expires > now);
    }
}

fn inbox(byte: u8) -> InboxId {
    InboxId(Fixed([byte; 16]))
}

fn key(byte: u8) -> Fixed<32> {
    Fixed([byte; 32])
}

fn header(to: Destination, reply_mailbox: Option<u8>) -> Deposit {
    Deposit { to, ticket: None, ttl: TtlClass::Day, reply_mailbox: reply_mailbox.map(key) }
}

/// What is on disk after the effects, from which a restarted relay rebuilds its index.
#[derive(Default)]
struct Disk {
    waiting: BTreeMap<Slot, Waiting>,
    mailboxes: BTreeMap<MailboxId, Mailbox>,
}

impl Disk {
    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(waiting) => assert_eq!(self.waiting.insert(waiting.slot, waiting), None),
                Effect::KeepMailbox(mailbox) => drop(self.mailboxes.insert(mailbox.id, mailbox)),
                Effect::Erase(slot) => assert!(self.waiting.remove(&slot).is_some()),
                Effect::CloseMailbox(id) => assert!(self.mailboxes.remove(&id).is_some()),
            }
        }
    }

    fn restore(&self, next: u64, high_water: Timestamp) -> Mailboxes {
        let mut index = Mailboxes::new(&limits(), high_water, Slot(next));
        self.mailboxes.values().cloned().for_each(|mailbox| index.restore_mailbox(mailbox));
        self.waiting.values().cloned().for_each(|waiting| index.restore_envelope(waiting));
        index
    }
}

struct Run {
    index: Mailboxes,
    disk: Disk,
    reference: Reference,
    now: Timestamp,
}

impl Run {
    fn deposit(&mut self, header: &Deposit, name: u8, bytes: u64, by: Option<InboxId>) {
        let mut id = [name; 32];
        // Ids of different places and lengths differ, as hashes would.
        id[..8].copy_from_slice(&bytes.to_be_bytes());
        id[8..24].copy_from_slice(match &header.to {
            Destination::Inbox(inbox) => &inbox.0.0,
            Destination::Mailbox(mailbox) => &mailbox.0.0,
        });
        let deposited = Deposited { header, id: EnvelopeId(Fixed(id)), bytes, by };
        let expected = self.reference.deposit(&deposited, self.now, &limits());
        let effects = self.index.handle_deposit(deposited, self.now);
        assert_eq!(effects.as_ref().map(|_| ()).map_err(|code| *code), expected);
        self.disk.apply(effects.unwrap_or_default());
    }

    fn ack(&mut self, owner: Destination, name: u8) {
        let named = |waiting: &&Waiting| waiting.id.0.0[31] >= name;
        let ids: Vec<_> = self.reference.waiting.iter().filter(named).map(|waiting| waiting.id).collect();
        self.reference.ack(owner, &ids);
        let effects = self.index.handle_ack(owner, &ids);
        self.disk.apply(effects);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Request { to, name, bytes, mailbox } => {
                self.deposit(&header(Destination::Inbox(inbox(to)), mailbox), name, bytes, None);
            }
            Step::Reply { mailbox, name, bytes, by } => {
                let to = Destination::Mailbox(MailboxId::of_key(&key(mailbox).0));
                self.deposit(&header(to, None), name, bytes, Some(inbox(by)));
            }
            Step::Ack { to, name } => self.ack(Destination::Inbox(inbox(to)), name),
            Step::AckReplies { mailbox, name } => {
                self.ack(Destination::Mailbox(MailboxId::of_key(&key(mailbox).0)), name);
            }
            Step::Damage { to } => {
                let owner = Destination::Inbox(inbox(to));
                if let Some(place) = self.reference.waiting.iter().position(|waiting| waiting.to == owner) {
                    let damaged = self.reference.waiting.remove(place);
                    self.index.handle_damaged(damaged.slot);
                    assert!(self.disk.waiting.remove(&damaged.slot).is_some());
                }
            }
            Step::Pass { seconds } => {
                self.now = self.now.plus(seconds);
                self.reference.expire(self.now);
                let effects = self.index.handle_expire(self.now, usize::MAX);
                self.disk.apply(effects);
            }
            Step::Restart => self.index = self.disk.restore(self.reference.next, self.index.high_water()),
        }
    }

    fn check(&mut self) {
        let (envelopes, bytes) = self.reference.sum(|_| true);
        assert_eq!((self.index.envelopes(), self.index.bytes()), (envelopes, bytes));
        assert_eq!(self.index.mailboxes(), self.reference.mailboxes.len());
        for byte in 0..3 {
            let owner = Destination::Inbox(inbox(byte));
            let own = self.reference.waiting.iter().filter(|waiting| waiting.to == owner);
            let expected = own.map(|waiting| (waiting.slot, waiting.bytes)).collect();
            assert_eq!(self.index.handle_fetch(owner, self.now), Ok(expected));
        }
    }
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_list_and_with_what_it_wrote(steps in prop::collection::vec(step(), 1..120)) {
        let now = Timestamp(1_000_000);
        let index = Mailboxes::new(&limits(), now, Slot(0));
        let mut run = Run { index, disk: Disk::default(), reference: Reference::default(), now };
        for step in steps {
            run.step(&step);
            run.check();
        }
    }
}
