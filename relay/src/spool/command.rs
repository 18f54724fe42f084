//! What a spool is asked, and the answer that is held back until it is durable.

use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::row::Stored;
use crate::mailbox::Slot;

/// One question to the spool, with its answer and what it holds of the queue's room until it is answered.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) ask: Ask,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// The questions.
#[derive(Debug)]
pub(crate) enum Ask {
    Deposit(Box<DepositAsk>, Answer<EnvelopeId>),
    List(Destination, Answer<Vec<(Slot, u64)>>),
    Read(Destination, Slot, Answer<Option<Stored>>),
    Ack(Destination, Vec<EnvelopeId>, Answer<()>),
    Publish(PublishAsk, Answer<()>),
    Records(InboxId, Answer<Vec<u8>>),
}

/// An envelope to store.
#[derive(Debug)]
pub(crate) struct DepositAsk {
    pub(crate) header: Deposit,
    pub(crate) id: EnvelopeId,
    pub(crate) envelope: Vec<u8>,
    pub(crate) by: Option<InboxId>,
    /// The memory the envelope was allowed; given back when the spool lets go of it.
    pub(crate) _memory: OwnedSemaphorePermit,
}

/// A record set to store.
#[derive(Debug)]
pub(crate) struct PublishAsk {
    pub(crate) inbox: InboxId,
    pub(crate) records: Vec<u8>,
    /// The memory the records were allowed; given back when the spool lets go of them, whoever asked having gone or not.
    pub(crate) _memory: OwnedSemaphorePermit,
}

/// A result on its way to whoever asked. Undecided, it says `Unavailable`.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    to: oneshot::Sender<Result<T, ErrorCode>>,
    result: Result<T, ErrorCode>,
}

impl<T> Answer<T> {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<T, ErrorCode>>) {
        let (to, receiver) = oneshot::channel();
        (Self { to, result: Err(ErrorCode::Unavailable) }, receiver)
    }

    pub(crate) fn decide(&mut self, result: Result<T, ErrorCode>) {
        self.result = result;
    }

    fn send(self) {
        // Who asked may have gone; what was decided stands all the same.
        drop(self.to.send(self.result));
    }
}

impl Ask {
    /// Whether it makes the database larger, and is turned away first when the disk is full.
    pub(crate) fn grows(&self) -> bool {
        matches!(self, Self::Deposit(..) | Self::Publish(..))
    }

    /// Answers what was decided.
    pub(crate) fn send(self) {
        match self {
            Self::Deposit(_, answer) => answer.send(),
            Self::List(_, answer) => answer.send(),
            Self::Read(_, _, answer) => answer.send(),
            Self::Ack(_, _, answer) | Self::Publish(_, answer) => answer.send(),
            Self::Records(_, answer) => answer.send(),
        }
    }

    /// Answers that nothing was done.
    pub(crate) fn refuse(mut self, code: ErrorCode) {
        match &mut self {
            Self::Deposit(_, answer) => answer.decide(Err(code)),
            Self::List(_, answer) => answer.decide(Err(code)),
            Self::Read(_, _, answer) => answer.decide(Err(code)),
            Self::Ack(_, _, answer) | Self::Publish(_, answer) => answer.decide(Err(code)),
            Self::Records(_, answer) => answer.decide(Err(code)),
        }
        self.send();
    }
}
