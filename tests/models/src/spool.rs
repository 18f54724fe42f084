//! A relay's spool between clients and a safe, any of which may be cut off, and any answer lost, anywhere.
//!
//! Steps are the relay's own `Mailboxes`, rebuilt at every step from the rows it had written, as a restart rebuilds it; an
//! answer is given only after the rows are. The safe is what its other models show it to be: an effect once, an answer
//! sealed afresh. A state promises a good end if honest steps alone lead there; [`Spool::calmed`] walks them.

use std::collections::BTreeMap;

use rohrpost_relay::Limits;
use rohrpost_relay::mailbox::{Deposited, Effect, Mailbox, Mailboxes, Slot, Waiting};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId, MailboxId, Timestamp};
use stateright::{Model, Property};

mod state;

pub use state::{Asking, Moment, Serving};

use crate::practice::START;

const INBOX: InboxId = InboxId(Fixed([1; 16]));
/// Answers to one client: enough for a crash after each of the steps, and one more.
const MOST_ANSWERS: u8 = 3;
/// Honest rounds within which everything is over.
const CALM_ROUNDS: usize = 10;

/// A relay, a safe and some clients, each with one request.
#[derive(Debug)]
pub struct Spool {
    /// How many clients.
    pub clients: usize,
    /// What is wrong.
    pub fault: Fault,
    /// What holds in every state, and what happens in one.
    pub promises: fn() -> Vec<Property<Self>>,
}

/// What may be wrong with a spool or a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The relay says `queued` before its rows are written.
    QueuedBeforeWritten,
    /// The relay erases what it has delivered.
    ErasedOnDelivery,
    /// The safe acks before its answer is at the relay.
    AckedBeforeAnswered,
    /// The safe forgets what had its effect.
    NoRecords,
}

/// What may happen next; of an answer of the relay's, whether it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client deposits its request, for the first time or again.
    Deposit(usize, bool),
    /// A client fetches from its mailbox.
    FetchAnswer(usize),
    /// A client makes an answer durable.
    Keep(usize),
    /// A client acks the answer it has kept.
    AckAnswer(usize, bool),
    /// A client dies and forgets what it had not kept.
    ClientDies(usize),
    /// The safe fetches what waits for it.
    Fetch,
    /// The safe makes a request's effect durable.
    Act(usize),
    /// The safe deposits an answer.
    Answer(usize, bool),
    /// The safe acks a request. Whether it hears of it or loses the connection, it is done with it.
    Ack(usize),
    /// The safe dies, or its connection.
    SafeDies,
}

impl Model for Spool {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment::new(self.clients)]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        for client in 0..self.clients {
            match moment.asking[client] {
                Asking::Depositing => steps.extend([true, false].map(|heard| Step::Deposit(client, heard))),
                Asking::Queued => steps.push(Step::FetchAnswer(client)),
                Asking::Answered => steps.extend([Step::Keep(client), Step::ClientDies(client)]),
                Asking::Kept => steps.extend([true, false].map(|heard| Step::AckAnswer(client, heard))),
                Asking::Done => {}
            }
            match moment.serving[client] {
                Serving::Taken => steps.push(Step::Act(client)),
                Serving::Acted => {
                    steps.extend([true, false].map(|heard| Step::Answer(client, heard)));
                    if self.fault == Fault::AckedBeforeAnswered {
                        steps.push(Step::Ack(client));
                    }
                }
                Serving::Answered => steps.push(Step::Ack(client)),
                Serving::Idle => {}
            }
        }
        steps.extend([Step::Fetch, Step::SafeDies]);
    }

    fn next_state(&self, before: &Moment, step: Step) -> Option<Moment> {
        let mut moment = before.clone();
        self.act(&mut moment, step);
        Some(moment)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.promises)()
    }

    fn within_boundary(&self, moment: &Moment) -> bool {
        moment.answers.iter().all(|answers| *answers <= MOST_ANSWERS)
    }
}

impl Spool {
    fn act(&self, moment: &mut Moment, step: Step) {
        match step {
            Step::Deposit(client, heard) => self.deposit(moment, client, heard),
            Step::FetchAnswer(client) => {
                let place = Destination::Mailbox(mailbox(client));
                let waiting = moment.relay(|relay| (relay.handle_fetch(place, START), Vec::new()));
                if waiting.is_ok_and(|waiting| !waiting.is_empty()) {
                    moment.asking[client] = Asking::Answered;
                }
            }
            Step::AckAnswer(client, heard) => {
                moment.ack(Destination::Mailbox(mailbox(client)));
                if heard {
                    moment.asking[client] = Asking::Done;
                }
            }
            Step::Keep(client) => moment.asking[client] = Asking::Kept,
            Step::ClientDies(client) => moment.asking[client] = Asking::Queued,
            Step::Fetch => self.fetch(moment),
            Step::Act(client) => {
                if moment.effects[client] == 0 || self.fault == Fault::NoRecords {
                    moment.effects[client] += 1;
                }
                moment.serving[client] = Serving::Acted;
            }
            Step::Answer(client, heard) => moment.answer(client, heard),
            Step::Ack(client) => {
                moment.ack_request(client);
                moment.serving[client] = Serving::Idle;
            }
            Step::SafeDies => moment.serving.fill(Serving::Idle),
        }
    }

    fn deposit(&self, moment: &mut Moment, client: usize, heard: bool) {
        if self.fault != Fault::QueuedBeforeWritten {
            let taken = moment.deposit(&request(client), request_id(client), None);
            if taken.is_err() {
                return;
            }
        }
        if heard {
            moment.asking[client] = Asking::Queued;
        }
    }

    fn fetch(&self, moment: &mut Moment) {
        let waiting = moment.relay(|relay| (relay.handle_fetch(Destination::Inbox(INBOX), START), Vec::new()));
        for (slot, _) in waiting.unwrap_or_default() {
            let id = moment.waiting[&slot.0].id;
            let client = (0..self.clients).find(|client| request_id(*client) == id);
            if let Some(client) = client.filter(|client| moment.serving[*client] == Serving::Idle) {
                moment.serving[client] = Serving::Taken;
            }
            if self.fault == Fault::ErasedOnDelivery {
                moment.ack_request(client.unwrap_or_default());
            }
        }
    }

    /// What honest steps lead to from here: nobody dies, and every answer arrives.
    #[must_use]
    pub fn calmed(&self, moment: &Moment) -> Moment {
        let mut calm = moment.clone();
        for _ in 0..CALM_ROUNDS {
            for client in 0..self.clients {
                self.advance(&mut calm, client);
            }
            self.act(&mut calm, Step::Fetch);
        }
        calm
    }

    fn advance(&self, moment: &mut Moment, client: usize) {
        match moment.asking[client] {
            Asking::Depositing => self.act(moment, Step::Deposit(client, true)),
            Asking::Queued => self.act(moment, Step::FetchAnswer(client)),
            Asking::Answered => self.act(moment, Step::Keep(client)),
            Asking::Kept => self.act(moment, Step::AckAnswer(client, true)),
            Asking::Done => {}
        }
        match moment.serving[client] {
            Serving::Taken => self.act(moment, Step::Act(client)),
            Serving::Acted => self.act(moment, Step::Answer(client, true)),
            Serving::Answered => self.act(moment, Step::Ack(client)),
            Serving::Idle => {}
        }
    }
}

fn number(client: usize) -> u8 {
    u8::try_from(client).expect("few clients")
}

fn mailbox_key(client: usize) -> Fixed<32> {
    Fixed([number(client); 32])
}

fn mailbox(client: usize) -> MailboxId {
    MailboxId::of_key(&mailbox_key(client).0)
}

fn request_id(client: usize) -> EnvelopeId {
    EnvelopeId(Fixed([number(client); 32]))
}

/// Every answer is sealed afresh, so each has an id of its own.
fn answer_id(client: usize, answer: u8) -> EnvelopeId {
    let mut id = [0xff; 32];
    id[..2].copy_from_slice(&[number(client), answer]);
    EnvelopeId(Fixed(id))
}

fn request(client: usize) -> Deposit {
    let (to, ttl) = (Destination::Inbox(INBOX), TtlClass::Week);
    Deposit { to, ticket: None, ttl, reply_mailbox: Some(mailbox_key(client)) }
}
