//! A moment of a relay's rows, of a safe at it, and of the clients.

use std::hash::{Hash, Hasher};

use super::{
    BTreeMap, Deposit, Deposited, Destination, Effect, EnvelopeId, ErrorCode, INBOX, InboxId, Limits, Mailbox,
    MailboxId, Mailboxes, START, Slot, Timestamp, TtlClass, Waiting, answer_id, mailbox, request_id,
};

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asking {
    /// It has not heard that its request is queued.
    Depositing,
    /// It has.
    Queued,
    /// It has fetched an answer.
    Answered,
    /// It has made it durable.
    Kept,
    /// It has heard that its ack was taken.
    Done,
}

/// How far the safe is with a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serving {
    /// It is not at hand.
    Idle,
    /// It was delivered.
    Taken,
    /// Its effect is durable.
    Acted,
    /// Its answer is at the relay.
    Answered,
}

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The relay's rows of envelopes, by slot.
    pub waiting: BTreeMap<u64, Waiting>,
    /// The relay's rows of reply mailboxes.
    pub mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// The clients.
    pub asking: Vec<Asking>,
    /// What the safe has at hand.
    pub serving: Vec<Serving>,
    /// How often each request had its effect.
    pub effects: Vec<u8>,
    /// How many answers to each client were sealed.
    pub answers: Vec<u8>,
}

impl Hash for Moment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All else of a row follows from its id.
        for (slot, waiting) in &self.waiting {
            (slot, waiting.id.0.0).hash(state);
        }
        for mailbox in self.mailboxes.values() {
            (mailbox.id.0.0, mailbox.taken_envelopes).hash(state);
        }
        (&self.asking, &self.serving, &self.effects, &self.answers).hash(state);
    }
}

impl Moment {
    pub(super) fn new(clients: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            asking: vec![Asking::Depositing; clients],
            serving: vec![Serving::Idle; clients],
            effects: vec![0; clients],
            answers: vec![0; clients],
        }
    }

    /// Whether a client's request waits for the safe.
    pub fn waits(&self, client: usize) -> bool {
        self.waiting.values().any(|waiting| waiting.id == request_id(client))
    }

    /// Whether nothing is left at the relay when everything has outlived its time.
    pub fn ends_empty(&self) -> bool {
        let mut later = self.clone();
        later.relay(|relay| ((), relay.handle_expire(Timestamp(u64::MAX), usize::MAX)));
        later.waiting.is_empty() && later.mailboxes.is_empty()
    }

    /// Asks a relay that has just been started over these rows, and writes what it wants written.
    pub(super) fn relay<T>(&mut self, ask: impl FnOnce(&mut Mailboxes) -> (T, Vec<Effect>)) -> T {
        let mut relay = Mailboxes::new(&Limits::default(), START, Slot(0));
        for waiting in self.waiting.values() {
            relay.restore_envelope(waiting.clone());
        }
        for mailbox in self.mailboxes.values() {
            relay.restore_mailbox(mailbox.clone());
        }
        let (answer, effects) = ask(&mut relay);
        for effect in effects {
            match effect {
                Effect::Store(waiting) => drop(self.waiting.insert(waiting.slot.0, waiting)),
                Effect::KeepMailbox(mailbox) => drop(self.mailboxes.insert(mailbox.id, mailbox)),
                Effect::Erase(slot) => drop(self.waiting.remove(&slot.0)),
                Effect::CloseMailbox(id) => drop(self.mailboxes.remove(&id)),
            }
        }
        answer
    }

    pub(super) fn deposit(&mut self, header: &Deposit, id: EnvelopeId, by: Option<InboxId>) -> Result<(), ErrorCode> {
        self.relay(|relay| match relay.handle_deposit(Deposited { header, id, bytes: 5000, by }, START) {
            Ok(effects) => (Ok(()), effects),
            Err(error) => (Err(error), Vec::new()),
        })
    }

    /// As `safe-agent`'s `mailbox::answer`: a mailbox that is gone or used up has nobody waiting at it.
    pub(super) fn answer(&mut self, client: usize, heard: bool) {
        let to = Destination::Mailbox(mailbox(client));
        let header = Deposit { to, ticket: None, ttl: TtlClass::Week, reply_mailbox: None };
        let answer = self.answers[client];
        self.answers[client] += 1;
        let taken = self.deposit(&header, answer_id(client, answer), Some(INBOX));
        let done = matches!(taken, Ok(()) | Err(ErrorCode::Unknown | ErrorCode::Full));
        self.serving[client] = if done && heard { Serving::Answered } else { Serving::Idle };
    }

    pub(super) fn ack_request(&mut self, client: usize) {
        self.relay(|relay| ((), relay.handle_ack(Destination::Inbox(INBOX), &[request_id(client)])));
    }

    /// Acks all that waits in a place.
    pub(super) fn ack(&mut self, place: Destination) {
        let ids: Vec<EnvelopeId> =
            self.waiting.values().filter(|waiting| waiting.to == place).map(|waiting| waiting.id).collect();
        self.relay(|relay| ((), relay.handle_ack(place, &ids)));
    }
}
