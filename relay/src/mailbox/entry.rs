//! What the index of a spool is told, what it keeps, and what it wants done: plain data.

use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, InboxId, MailboxId, Timestamp};

/// The place of an envelope in the order of arrival; never reused while a relay runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// An envelope that waits, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order of arrival.
    pub slot: Slot,
    /// The hash of all that was deposited.
    pub id: EnvelopeId,
    /// Whose it is.
    pub to: Destination,
    /// The reply mailbox in which its answer is awaited, if it is a request.
    pub opens: Option<MailboxId>,
    /// The length of the sealed bytes.
    pub bytes: u64,
    /// When it is erased unread.
    pub expires: Timestamp,
}

/// A reply mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The hash of its key.
    pub id: MailboxId,
    /// The safe that may deposit here.
    pub owner: InboxId,
    /// When it is closed and whatever is left in it erased.
    pub expires: Timestamp,
    /// Envelopes it has taken so far, acked ones included.
    pub taken_envelopes: u64,
    /// Bytes it has taken so far, acked ones included.
    pub taken_bytes: u64,
}

/// What the driver has to do on disk, in this order, before it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Insert the envelope at hand.
    Store(Waiting),
    /// Insert or replace a mailbox.
    KeepMailbox(Mailbox),
    /// Delete an envelope.
    Erase(Slot),
    /// Delete a mailbox.
    CloseMailbox(MailboxId),
}

/// A deposit to decide on.
#[derive(Clone, Copy, Debug)]
pub struct Deposited<'a> {
    /// What the sender said about the envelope.
    pub header: &'a Deposit,
    /// The hash over header and envelope.
    pub id: EnvelopeId,
    /// The length of the envelope.
    pub bytes: u64,
    /// The inbox of the connection it came on, if it is a safe's.
    pub by: Option<InboxId>,
}
