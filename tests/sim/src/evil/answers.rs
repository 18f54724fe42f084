//! Harm to answers: records, replies with their documents, challenges.
#![expect(clippy::wildcard_enum_match_arm, reason = "a power is looked for by what it works on; all others pass")]

use rohrpost_e2ee::exchange::decoy_reply;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{Frame, InboxId, limits};

use super::report::About;
use super::{Asked, EvilRelay, Power, answer, shapes};
use crate::message::{self, Reader};
use crate::port::{Conn, FromRelay, Stream};

impl EvilRelay {
    pub(super) fn tamper_answer(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        stale: &mut bool,
    ) -> Vec<FromRelay> {
        let crossed =
            self.arms.take(&about.parties, |power| matches!(power, Power::CrossProtocol(_) | Power::Refuse(_)));
        if let Some(power) = crossed {
            return vec![answer(conn, stream, shapes::cross(power), true)];
        }
        match &about.asked {
            Asked::Records(inbox) => self.tamper_records(about, conn, stream, bytes, *inbox, stale),
            Asked::Call(..) => self.tamper_reply(about, conn, stream, bytes),
            Asked::FetchInbox => self.tamper_inbox(about, conn, stream, bytes),
            Asked::FetchMailbox(mailbox) => self.tamper_mailbox(about, conn, stream, bytes, *mailbox),
            Asked::Challenge => self.tamper_challenge(about, conn, stream, bytes),
            Asked::Deposit(..) | Asked::Login | Asked::Ack | Asked::Other => {
                self.tamper_any(about, answer(conn, stream, bytes, true))
            }
        }
    }

    fn tamper_records(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        inbox: InboxId,
        stale: &mut bool,
    ) -> Vec<FromRelay> {
        let fits = |power: &Power| {
            matches!(
                power,
                Power::ServeOwnSafe
                    | Power::ServeOwnPrekeys
                    | Power::ServeSwappedKey
                    | Power::ServeOtherSafe
                    | Power::ServeForgedRoot
                    | Power::ServeForgedIdentity
                    | Power::ServeMixture(_)
                    | Power::StaleRecords(_)
                    | Power::Version(..)
            )
        };
        let genuine = self.seen.records_of(inbox).next_back().cloned();
        let (Some(genuine), Some(power)) = (genuine, self.arms.take(&about.parties, fits)) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        };
        *stale = matches!(power, Power::StaleRecords(_) | Power::ServeMixture(_));
        let set = match power {
            Power::ServeOwnSafe => self.forger.own(),
            Power::ServeOwnPrekeys => self.forger.own_prekeys(&genuine),
            Power::ServeSwappedKey => self.forger.swapped(&genuine),
            Power::ServeForgedRoot => self.forger.forged_root(&genuine),
            Power::ServeForgedIdentity => self.forger.forged_identity(&genuine),
            Power::ServeMixture(how) => self.mixture(inbox, genuine, how),
            Power::ServeOtherSafe => self.other_records(inbox).unwrap_or(genuine),
            Power::StaleRecords(which) => self.old_records(inbox, usize::from(which)).unwrap_or(genuine),
            power => shapes::spoil_record(genuine, power),
        };
        vec![answer(conn, stream, message::frame_and_blob(&Frame::Done, &set.encode()), true)]
    }

    /// The oldest with the newest, or the newest without one of its roots.
    fn mixture(&self, inbox: InboxId, newest: RecordSet, how: u8) -> RecordSet {
        let oldest = self.seen.records_of(inbox).next().cloned().unwrap_or_else(|| newest.clone());
        let mut roots = newest.roots.clone();
        match how % 4 {
            0 => RecordSet { identity: oldest.identity, ..newest },
            1 => RecordSet { prekeys: oldest.prekeys, ..newest },
            2 => {
                roots.pop();
                RecordSet { roots, ..newest }
            }
            _ => {
                roots.drain(..1.min(roots.len()));
                RecordSet { roots, ..newest }
            }
        }
    }

    fn other_records(&self, inbox: InboxId) -> Option<RecordSet> {
        self.seen.records.iter().find(|(of, _)| *of != inbox).map(|(_, set)| set.clone())
    }

    fn old_records(&self, inbox: InboxId, which: usize) -> Option<RecordSet> {
        let of_safe: Vec<_> = self.seen.records_of(inbox).collect();
        shapes::pick(&of_safe, which).map(|set| (*set).clone())
    }

    fn tamper_reply(&mut self, about: &About, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        if let Some((other, at, before)) = self.swapped.take() {
            return vec![answer(other, at, bytes, true), answer(conn, stream, before, true)];
        }
        let fits = |power: &Power| {
            matches!(
                power,
                Power::SwapReplies | Power::Splice(_) | Power::ForgeReply | Power::OldReply(_) | Power::Version(..)
            )
        };
        let Some(power) = self.arms.take(&about.parties, fits) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        };
        match power {
            Power::SwapReplies => {
                self.swapped = Some((conn, stream, bytes));
                Vec::new()
            }
            Power::Splice(how) => vec![answer(conn, stream, self.splice(&bytes, how), true)],
            Power::Version(place, byte) => {
                let mut spoiled = bytes;
                // Behind the frame and the blob's length.
                let reply = message::frame(&Frame::Done).len() + 4;
                shapes::set(&mut spoiled, reply + usize::from(place % 3), byte);
                vec![answer(conn, stream, spoiled, true)]
            }
            Power::OldReply(which) => {
                let (reply, object) = shapes::pick(&self.seen.replies, usize::from(which)).cloned().unwrap_or_default();
                let old = [message::frame_and_blob(&Frame::Done, &reply), object].concat();
                vec![answer(conn, stream, old, true)]
            }
            _ => {
                // Sealed in due form, to a key that nobody has.
                let forged = decoy_reply(&mut self.rng).unwrap_or_default();
                vec![answer(conn, stream, message::frame_and_blob(&Frame::Done, &forged), true)]
            }
        }
    }

    fn tamper_challenge(&mut self, about: &About, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        if let Some((other, at, before)) = self.swapped_challenge.take() {
            return vec![answer(other, at, bytes, true), answer(conn, stream, before, true)];
        }
        if self.arms.take(&about.parties, |power| *power == Power::SwapChallenges).is_none() {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        }
        self.swapped_challenge = Some((conn, stream, bytes));
        Vec::new()
    }

    /// This reply, with an object of whole and authentic chunks that are not where they belong.
    fn splice(&self, bytes: &[u8], how: u8) -> Vec<u8> {
        let mut reader = Reader::new(bytes);
        let (_, reply) = (reader.frame(), reader.blob(limits::ENVELOPE_BYTES));
        let (Some(reply), Some((header, chunks))) = (reply, reader.rest().split_at_checked(HEADER_BYTES)) else {
            return bytes.to_vec();
        };
        let mut chunks: Vec<&[u8]> = chunks.chunks(CHUNK_BYTES + TAG_BYTES).collect();
        let last = chunks.len().saturating_sub(1);
        match how % 4 {
            0 => {
                let mut others = self.seen.replies.iter().map(|(_, object)| object.as_slice());
                let other = others.rfind(|other| !other.is_empty() && *other != reader.rest());
                let tail =
                    other.and_then(|other| other.get(HEADER_BYTES..)?.chunks(CHUNK_BYTES + TAG_BYTES).next_back());
                chunks.pop();
                chunks.extend(tail);
            }
            1 => drop(chunks.pop()),
            2 if last > 0 => chunks.swap(0, last),
            _ => chunks.extend(chunks.first().copied()),
        }
        [&message::frame_and_blob(&Frame::Done, reply), header, &chunks.concat()].concat()
    }
}
