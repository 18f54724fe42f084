//! What passes between a peer, the network and a relay: connections, and one message each way on every stream.
//!
//! A stream of the protocol carries one question and one answer, so each is one message here; an answer may be cut short.
//! [`RelayPort`] is the seam: the honest relay and the malicious one are both behind it, and a safe or client cannot tell.

use rohrpost_wire::proof::Exporter;
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{ErrorCode, InboxId};
use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Who is at the other end of a connection to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// A data-safe.
    Safe(usize),
    /// A patient's device.
    Client(usize),
}

/// A connection: the how-manieth of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conn {
    /// Who dialled.
    pub peer: Peer,
    /// Counts that peer's connections.
    pub number: u64,
}

impl Conn {
    /// What TLS would export on this connection: known to both ends and to no other connection.
    pub fn exporter(self) -> Exporter {
        let (kind, index) = match self.peer {
            Peer::Safe(index) => (1, index),
            Peer::Client(index) => (2, index),
        };
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().zip([kind].into_iter().chain((index as u64).to_be_bytes())) {
            *place = byte;
        }
        for (place, byte) in bytes.iter_mut().rev().zip(self.number.to_le_bytes()) {
            *place = byte;
        }
        Exporter(bytes)
    }
}

/// A stream on a connection; numbered by whoever opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream(pub u64);

/// What a relay is told.
#[derive(Clone, Debug)]
pub enum ToRelay {
    /// A peer has connected.
    Opened(Conn),
    /// A peer has opened a stream and said this.
    Asked(Conn, Stream, Vec<u8>),
    /// A safe has answered on a stream the relay opened; not `whole` if it broke off.
    Answered {
        /// The safe's connection.
        conn: Conn,
        /// The stream.
        stream: Stream,
        /// What it said.
        bytes: Vec<u8>,
        /// Whether that was all.
        whole: bool,
    },
    /// A connection is gone.
    Closed(Conn),
    /// The time has come that the relay asked for.
    Timer(RelayTimer),
}

/// What a relay can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayTimer {
    /// The disk's next flush.
    Flush,
    /// To look for what has expired.
    Expire,
    /// Something held back is to be let go (a malicious relay's).
    Release(u64),
}

/// What a relay does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromRelay {
    /// Answers on a stream the peer opened.
    Answer {
        /// Whose.
        conn: Conn,
        /// Which.
        stream: Stream,
        /// With what.
        bytes: Vec<u8>,
        /// Whether that is all, or it breaks off.
        whole: bool,
    },
    /// Opens a stream to a safe and says this.
    Call(Conn, Stream, Vec<u8>),
    /// Closes a connection.
    Close(Conn, ErrorCode),
    /// Wants to be woken.
    Timer(Millis, RelayTimer),
}

/// A relay, whatever its intentions: told what happened, it says what it does.
pub trait RelayPort {
    /// Something happened at this time.
    fn handle(&mut self, input: ToRelay, now: Millis) -> Vec<FromRelay>;

    /// Loses everything that is not on its disk, and all connections.
    fn crash(&mut self, now: Millis) -> Vec<FromRelay>;

    /// Requests that wait for a safe, for the oracle.
    fn waiting(&self) -> usize;

    /// Its clock is ahead by so many seconds.
    fn set_clock(&mut self, _ahead: i64) {}

    /// It has kept this of a safe, from long before.
    fn remember(&mut self, _inbox: InboxId, _records: RecordSet) {}

    /// From now on it does what it should.
    fn turn_honest(&mut self) {}

    /// What it did since it was asked last, for the oracle.
    fn take_report(&mut self) -> Report {
        Report::default()
    }

    /// How often it did what it should not.
    fn harm_done(&self) -> u64 {
        0
    }

    /// How often it would have and could not.
    fn moves_unused(&self) -> u64 {
        0
    }
}

/// What a malicious relay says of itself to the oracle, and to nobody in the system.
#[derive(Debug, Default)]
pub struct Report {
    /// Promises that it found broken by trying.
    pub broken: Vec<String>,
    /// Connections whose messages are not what they would be at an honest relay.
    pub concerned: Vec<Conn>,
    /// Connections on which something was left that its disk has lost, or its clock lets go.
    pub lost: Vec<Conn>,
    /// Connections on which it served records that an old disk brought back.
    pub outdated: Vec<Conn>,
    /// What it managed to do, to be counted.
    pub done: Vec<&'static str>,
    /// Answers that no client may take for good.
    pub spoiled: Vec<(Conn, Stream, Owed)>,
}

/// What a client owes for a spoiled answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    /// Not to take it for good, if it knows the time: that is over.
    Lateness,
    /// Not to take it for good: it may look like a safe or a network that failed.
    Failure,
    /// A complaint that the patient can read: no honest relay or broken line does this. The program may go on.
    Alarm,
    /// A complaint, and that the program ends with it: whoever lies so is asked no more.
    End,
}

/// What a peer is told.
#[derive(Clone, Debug)]
pub enum ToPeer {
    /// An answer on a stream it opened.
    Answered {
        /// On which connection.
        conn: Conn,
        /// On which stream.
        stream: Stream,
        /// What was said.
        bytes: Vec<u8>,
        /// Whether that was all.
        whole: bool,
    },
    /// The relay opened a stream and said this.
    Called(Conn, Stream, Vec<u8>),
    /// A connection is gone.
    Closed(Conn, Option<ErrorCode>),
    /// A time it asked for has come.
    Timer(Timer),
}

/// A time that a peer asked for, void after its next crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// How often the peer had been started when it asked.
    pub life: u64,
    /// What for; the peer's own number.
    pub tag: u64,
}

/// What a peer does.
#[derive(Clone, Debug)]
pub enum FromPeer {
    /// Dials the relay.
    Dial(Conn),
    /// Opens a stream and says this.
    Ask(Conn, Stream, Vec<u8>),
    /// Answers on a stream the relay opened.
    Answer(Conn, Stream, Vec<u8>),
    /// Breaks off a stream the relay opened.
    Abort(Conn, Stream),
    /// Closes a connection.
    Close(Conn),
    /// Wants to be woken.
    Timer(Millis, Timer),
}
