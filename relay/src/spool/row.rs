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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rohrpost_wire::Timestamp;

    use super::*;
    use crate::mailbox::Slot;

    fn deposit() -> Deposit {
        let to = Destination::Mailbox(MailboxId(Fixed([2; 16])));
        Deposit { to, ticket: None, ttl: TtlClass::Week, reply_mailbox: Some(Fixed([4; 32])) }
    }

    #[test]
    fn a_row_with_any_byte_changed_or_cut_off_is_not_delivered() {
        let (header, bytes) = (header(&deposit()), b"sealed".to_vec());
        let id = deposit().envelope_id(&bytes);
        assert!(check(id, &header, bytes.clone()).is_some());
        for at in 0..header.len() {
            let mut flipped = header.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(check(id, &flipped, bytes.clone()), None, "header, byte {at}");
            assert_eq!(check(id, &header[..at], bytes.clone()), None, "header cut at {at}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(check(id, &header, flipped), None, "byte {at}");
            assert_eq!(check(id, &header, bytes[..at].to_vec()), None, "cut at {at}");
        }
        for at in 0..32 {
            let mut other = id;
            other.0.0[at] ^= 1;
            assert_eq!(check(other, &header, bytes.clone()), None, "id, byte {at}");
        }
    }

    #[test]
    fn the_sum_of_a_row_covers_every_column() {
        let waiting = |slot, id, bytes, expires| Waiting {
            slot: Slot(slot),
            id: EnvelopeId(Fixed([id; 32])),
            to: deposit().to,
            opens: None,
            bytes,
            expires: Timestamp(expires),
        };
        let sums = [
            envelope_sum(&waiting(1, 1, 1, 1), b"header"),
            envelope_sum(&waiting(2, 1, 1, 1), b"header"),
            envelope_sum(&waiting(1, 2, 1, 1), b"header"),
            envelope_sum(&waiting(1, 1, 2, 1), b"header"),
            envelope_sum(&waiting(1, 1, 1, 2), b"header"),
            envelope_sum(&waiting(1, 1, 1, 1), b"hexads"),
        ];
        assert_eq!(sums.iter().collect::<std::collections::BTreeSet<_>>().len(), sums.len());
    }

    proptest! {
        #[test]
        fn a_header_column_of_any_bytes_is_one_place_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            kind in 0u8..3,
        ) {
            // Steered past the kind of place, which random bytes hardly ever are.
            let column = [&[kind], &bytes[..]].concat();
            if let Some((to, _)) = places(&column) {
                let (again, ttl, reply_mailbox) = codec::decode::<Header>(&column).unwrap();
                prop_assert_eq!(again, to);
                prop_assert_eq!(header(&Deposit { to, ticket: None, ttl, reply_mailbox }), column);
            }
        }
    }
}
