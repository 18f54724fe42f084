//! Rows that can be told from damaged ones.
//!
//! SQLite serves a flipped bit without a word, so every row carries a hash: the envelope's own id over its content, and
//! a sum over the columns an index is built from. Both are checked whenever the columns are read.

use rohrpost_wire::address::hash;
use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, InboxId, MailboxId};

use crate::mailbox::{Mailbox, Waiting};

/// A sum over the columns of a row.
pub(crate) type Sum = [u8; 32];

/// What the sender said about an envelope, as it is hashed into its id.
type Header = (Destination, TtlClass, Option<Fixed<32>>);

/// An envelope as it is delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The id it was queued under.
    pub(crate) id: EnvelopeId,
    /// As deposited.
    pub(crate) ttl: TtlClass,
    /// As deposited.
    pub(crate) reply_mailbox: Option<Fixed<32>>,
    /// The sealed bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The header column of a deposit.
pub(crate) fn header(deposit: &Deposit) -> Vec<u8> {
    codec::encode(&(&deposit.to, deposit.ttl, &deposit.reply_mailbox))
}

/// Whose an envelope with this header column is, and the mailbox in which its answer is awaited.
pub(crate) fn places(header: &[u8]) -> Option<(Destination, Option<MailboxId>)> {
    let (to, _, reply_mailbox) = codec::decode::<Header>(header).ok()?;
    Some((to, reply_mailbox.map(|key| MailboxId::of_key(&key.0))))
}

/// The envelope, if header and bytes are those its id was made of.
pub(crate) fn check(id: EnvelopeId, header: &[u8], bytes: Vec<u8>) -> Option<Stored> {
    let (to, ttl, reply_mailbox) = codec::decode::<Header>(header).ok()?;
    let deposit = Deposit { to, ticket: None, ttl, reply_mailbox };
    (deposit.envelope_id(&bytes) == id).then_some(Stored { id, ttl, reply_mailbox, bytes })
}

/// The sum of an envelope's row; the content is covered by the id.
pub(crate) fn envelope_sum(waiting: &Waiting, header: &[u8]) -> Sum {
    let slot = waiting.slot.0.to_be_bytes();
    let numbers = [slot, waiting.expires.0.to_be_bytes(), waiting.bytes.to_be_bytes()].concat();
    hash(b"rohrpost/1 spool envelope", &[&numbers, waiting.id.0.as_ref(), header])
}

/// The sum of a mailbox's row.
pub(crate) fn mailbox_sum(mailbox: &Mailbox) -> Sum {
    let numbers = [mailbox.expires.0, mailbox.taken_envelopes, mailbox.taken_bytes].map(u64::to_be_bytes).concat();
    hash(b"rohrpost/1 spool mailbox", &[&numbers, mailbox.id.0.as_ref(), mailbox.owner.0.as_ref()])
}

/// The sum of a record set's row.
pub(crate) fn records_sum(inbox: InboxId, published: u64, bytes: &[u8]) -> Sum {
    hash(b"rohrpost/1 spool records", &[&published.to_be_bytes(), inbox.0.as_ref(), bytes])
}
