//! Harm to answers: records, replies with their documents, challenges.

use rohrpost_e2ee::exchange::decoy_reply;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{Frame, InboxId, limits};

use super::report::{About, Age, Instead};
use super::seen::Asked;
use super::swaps::Kind;
use super::{EvilRelay, Power, RecordsPower, ReplyPower, answer, over, shapes};
use crate::message::{self, Reader};
use crate::port::{Conn, FromRelay, Stream};
use crate::time::Millis;

impl EvilRelay {
    pub(super) fn tamper_answer(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        now: Millis,
    ) -> Instead {
        if let Some(power) = self.arms.take(&about.parties, Power::on_answer) {
            return vec![answer(conn, stream, shapes::cross(power), true)].into();
        }
        let out = match &about.asked {
            Asked::Records(inbox) => return self.tamper_records(about, conn, stream, bytes, (*inbox, now)),
            Asked::Call(..) => self.tamper_reply(about, conn, stream, bytes, now),
            Asked::FetchInbox => self.tamper_inbox(about, conn, stream, bytes),
            Asked::FetchMailbox(mailbox) => self.tamper_mailbox(about, conn, stream, bytes, *mailbox),
            Asked::Challenge => self.tamper_challenge(about, conn, stream, bytes, now),
            Asked::Deposit(..) | Asked::Login | Asked::Ack | Asked::Other => {
                self.tamper_any(about, answer(conn, stream, bytes, true))
            }
        };
        out.into()
    }

    fn tamper_records(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        (inbox, now): (InboxId, Millis),
    ) -> Instead {
        let genuine = self.seen.records_of(inbox).next_back().cloned();
        let (Some(genuine), Some(power)) = (genuine, self.arms.take(&about.parties, Power::on_records)) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true)).into();
        };
        let mut is_genuine = false;
        let set = match power {
            RecordsPower::OwnSafe => self.forger.own(),
            RecordsPower::OwnPrekeys => self.forger.own_prekeys(&genuine),
            RecordsPower::SwappedKey => self.forger.swapped(&genuine),
            RecordsPower::ForgedRoot => self.forger.forged_root(&genuine),
            RecordsPower::ForgedIdentity => self.forger.forged_identity(&genuine),
            RecordsPower::OtherSafe => self.other_records(inbox).unwrap_or(genuine),
            RecordsPower::Version(place, byte) => shapes::spoil_record(genuine, place, byte),
            RecordsPower::Mixture(how) => {
                is_genuine = true;
                self.mixture(inbox, genuine, how)
            }
            RecordsPower::Stale(which) => {
                is_genuine = true;
                self.old_records(inbox, usize::from(which)).unwrap_or(genuine)
            }
        };
        let out = vec![answer(conn, stream, message::frame_and_blob(&Frame::Done, &set.encode()), true)];
        let age = match is_genuine {
            false => Age::New,
            true if over::is_over(&set, now) => Age::Over,
            true => Age::Old,
        };
        Instead { out, age }
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

    fn tamper_reply(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        now: Millis,
    ) -> Vec<FromRelay> {
        if let Some(out) = self.swap(Kind::Reply, about, (conn, stream, &bytes), now) {
            return out;
        }
        let Some(power) = self.arms.take(&about.parties, Power::on_reply) else {
            return self.tamper_any(about, answer(conn, stream, bytes, true));
        };
        let spoilt = match power {
            ReplyPower::Swap => {
                self.swaps(Kind::Reply).begin(now);
                let swapped = self.swap(Kind::Reply, about, (conn, stream, &bytes), now);
                return swapped.unwrap_or_else(|| vec![answer(conn, stream, bytes, true)]);
            }
            ReplyPower::Splice(how) => self.splice(&bytes, how),
            ReplyPower::Version(place, byte) => shapes::spoil_sealed(bytes, place, byte),
            ReplyPower::Old(which) => {
                let (reply, object) = shapes::pick(&self.seen.replies, usize::from(which)).cloned().unwrap_or_default();
                [message::frame_and_blob(&Frame::Done, &reply), object].concat()
            }
            ReplyPower::Forge => {
                // Sealed in due form, to a key that nobody has.
                let forged = decoy_reply(&mut self.rng).unwrap_or_default();
                message::frame_and_blob(&Frame::Done, &forged)
            }
        };
        vec![answer(conn, stream, spoilt, true)]
    }

    fn tamper_challenge(
        &mut self,
        about: &About,
        conn: Conn,
        stream: Stream,
        bytes: Vec<u8>,
        now: Millis,
    ) -> Vec<FromRelay> {
        if self.arms.take_this(&about.parties, Power::SwapChallenges) {
            self.swaps(Kind::Challenge).begin(now);
        }
        let swapped = self.swap(Kind::Challenge, about, (conn, stream, &bytes), now);
        swapped.unwrap_or_else(|| self.tamper_any(about, answer(conn, stream, bytes, true)))
    }

    /// This reply, with an object of whole and authentic chunks that are not where they belong.
    fn splice(&self, bytes: &[u8], how: u8) -> Vec<u8> {
        let mut reader = Reader::new(bytes);
        let (_, reply) = (reader.frame(), reader.blob(limits::ENVELOPE_BYTES));
        let (Ok(reply), Some((header, chunks))) = (reply, reader.rest().split_at_checked(HEADER_BYTES)) else {
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
