//! Everything a malicious relay has seen and can use again.

use std::collections::BTreeMap;

use rohrpost_wire::frame::{Delivery, Deposit, Destination, Fetch};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{Frame, InboxId, MailboxId, limits};

use crate::message::Reader;
use crate::port::{Conn, Peer, Stream};

/// What was asked on a stream.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Records(InboxId),
    Call(InboxId, Vec<u8>),
    Deposit(Deposit, Vec<u8>),
    FetchInbox,
    FetchMailbox(MailboxId),
    Login,
    Challenge,
    Ack,
    Other,
}

impl Asked {
    /// The safe that is asked, or asked about.
    pub(super) fn inbox(&self) -> Option<InboxId> {
        match self {
            Self::Records(inbox) | Self::Call(inbox, _) => Some(*inbox),
            Self::Deposit(deposit, _) => match deposit.to {
                Destination::Inbox(inbox) => Some(inbox),
                Destination::Mailbox(_) => None,
            },
            Self::FetchInbox | Self::FetchMailbox(_) | Self::Login | Self::Challenge | Self::Ack | Self::Other => None,
        }
    }

    /// Whether whoever asked can tell any other answer from the right one, as it comes.
    pub(super) fn binds_its_answer(&self) -> bool {
        match self {
            Self::Records(_) | Self::Call(..) => true,
            Self::Deposit(deposit, _) => matches!(deposit.to, Destination::Inbox(_)),
            Self::FetchInbox | Self::FetchMailbox(_) | Self::Login | Self::Challenge | Self::Ack | Self::Other => false,
        }
    }
}

/// A request that was left here.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) inbox: InboxId,
    pub(super) delivery: Delivery,
    pub(super) envelope: Vec<u8>,
    /// By whom.
    pub(super) from: Conn,
}

/// The memory of a malicious relay.
#[derive(Debug, Default)]
pub(super) struct Seen {
    asked: BTreeMap<(Conn, Stream), Asked>,
    /// Envelopes of calls with their safe.
    pub(super) calls: Vec<(InboxId, Vec<u8>)>,
    /// Deposited requests.
    pub(super) deposits: Vec<Left>,
    /// Answers of safes: the reply, and the object behind it.
    pub(super) replies: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) records: Vec<(InboxId, RecordSet)>,
    /// The connection on which each safe logged in last.
    pub(super) safes: BTreeMap<InboxId, Conn>,
}

impl Seen {
    pub(super) fn note_asked(&mut self, conn: Conn, stream: Stream, bytes: &[u8]) -> Asked {
        let mut reader = Reader::new(bytes);
        let asked = match reader.frame() {
            Ok(Frame::Records(inbox)) => Asked::Records(inbox),
            Ok(Frame::Call(call)) => {
                let envelope = reader.blob(limits::ENVELOPE_BYTES).unwrap_or_default().to_vec();
                self.calls.push((call.to, envelope.clone()));
                Asked::Call(call.to, envelope)
            }
            Ok(Frame::Deposit(deposit)) => {
                let envelope = reader.blob(limits::ENVELOPE_BYTES).unwrap_or_default().to_vec();
                self.note_deposit(conn, &deposit, &envelope);
                Asked::Deposit(deposit, envelope)
            }
            Ok(Frame::Fetch(Fetch::Inbox { .. })) => Asked::FetchInbox,
            Ok(Frame::Fetch(Fetch::Mailbox(proof))) => Asked::FetchMailbox(MailboxId::of_key(&proof.mailbox_key.0)),
            Ok(Frame::Login(login)) => {
                self.safes.insert(InboxId::of_route_key(&login.route_key.0), conn);
                Asked::Login
            }
            Ok(Frame::Challenge) => Asked::Challenge,
            Ok(Frame::Ack(ack)) if ack.mailbox.is_some() => Asked::Ack,
            _ => Asked::Other,
        };
        self.asked.insert((conn, stream), asked.clone());
        asked
    }

    fn note_deposit(&mut self, from: Conn, deposit: &Deposit, envelope: &[u8]) {
        match deposit.to {
            Destination::Inbox(inbox) => {
                let id = deposit.envelope_id(envelope);
                let delivery = Delivery { id, ttl: deposit.ttl, reply_mailbox: deposit.reply_mailbox };
                self.deposits.push(Left { inbox, delivery, envelope: envelope.to_vec(), from });
            }
            Destination::Mailbox(_) => self.replies.push((envelope.to_vec(), Vec::new())),
        }
    }

    pub(super) fn take_asked(&mut self, conn: Conn, stream: Stream) -> Asked {
        self.asked.remove(&(conn, stream)).unwrap_or(Asked::Other)
    }

    /// What was asked there and is not answered yet.
    pub(super) fn asked(&self, conn: Conn, stream: Stream) -> Asked {
        self.asked.get(&(conn, stream)).cloned().unwrap_or(Asked::Other)
    }

    /// A safe's answer to a call.
    pub(super) fn note_reply(&mut self, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        if let Ok(reply) = reader.blob(limits::ENVELOPE_BYTES) {
            self.replies.push((reply.to_vec(), reader.rest().to_vec()));
        }
    }

    /// What the honest relay inside answers.
    pub(super) fn note_answer(&mut self, asked: &Asked, bytes: &[u8]) {
        let Asked::Records(inbox) = asked else { return };
        let mut reader = Reader::new(bytes);
        let Ok(Frame::Done) = reader.frame() else { return };
        let set = reader.blob(limits::RECORDS_BYTES).ok().and_then(|blob| RecordSet::decode(blob).ok());
        self.records.extend(set.map(|set| (*inbox, set)));
    }

    /// All records of a safe that were served, the newest last.
    pub(super) fn records_of(&self, inbox: InboxId) -> impl DoubleEndedIterator<Item = &RecordSet> {
        self.records.iter().filter(move |(of, _)| *of == inbox).map(|(_, set)| set)
    }

    pub(super) fn inbox_of(&self, conn: Conn) -> Option<InboxId> {
        let (Peer::Safe(_), logged_in) = (conn.peer, self.safes.iter().find(|(_, of)| **of == conn)) else {
            return None;
        };
        logged_in.map(|(inbox, _)| *inbox)
    }
}
