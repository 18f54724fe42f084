//! Another, honest relay at which a malicious one tries what it was shown: logins, challenges, proofs.

use rohrpost_relay::Limits;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::proof::Challenge;
use rohrpost_wire::{ErrorCode, Frame, RelayKeyHash};

use crate::message::{self, Reader};
use crate::port::{Conn, FromRelay, Peer, RelayPort as _, Stream, ToRelay};
use crate::random::Rng;
use crate::relay::Relay;
use crate::time::Millis;

/// The other relay, with the connections of whoever pretends there.
#[derive(Debug)]
pub(super) struct Elsewhere {
    relay: Relay,
    conns: u64,
    /// The connection on which a challenge was drawn that a client here is made to sign.
    challenged: Option<Conn>,
}

impl Elsewhere {
    pub(super) fn new(rng: Rng) -> Self {
        let key = RelayKeyHash(Fixed([8; 32]));
        Self { relay: Relay::new(key, Limits::default(), rng), conns: 0, challenged: None }
    }

    fn connect(&mut self, now: Millis) -> Conn {
        self.conns += 1;
        let conn = Conn { peer: Peer::Client(usize::MAX), number: self.conns };
        drop(self.relay.handle(ToRelay::Opened(conn), now));
        conn
    }

    fn say(&mut self, conn: Conn, bytes: &[u8], now: Millis) -> Option<Frame> {
        let out = self.relay.handle(ToRelay::Asked(conn, Stream(1), bytes.to_vec()), now);
        out.iter().find_map(|action| match action {
            FromRelay::Answer { bytes, .. } => Reader::new(bytes).frame(),
            FromRelay::Call(..) | FromRelay::Close(..) | FromRelay::Timer(..) => None,
        })
    }

    /// What is wrong if a login that was meant for the first relay holds here.
    pub(super) fn try_login(&mut self, bytes: &[u8], now: Millis) -> Option<String> {
        let conn = self.connect(now);
        let answered = self.say(conn, bytes, now);
        (answered != Some(Frame::Refused(ErrorCode::BadProof))).then(|| format!("a login elsewhere got {answered:?}"))
    }

    /// A challenge of this relay, to be given out as the first one's.
    pub(super) fn challenge(&mut self, now: Millis) -> Option<Challenge> {
        let conn = self.connect(now);
        self.challenged = Some(conn);
        match self.say(conn, &message::frame(&Frame::Challenge), now) {
            Some(Frame::Challenged(challenge)) => Some(challenge),
            _ => None,
        }
    }

    /// What is wrong if a proof over that challenge holds here.
    pub(super) fn try_proof(&mut self, bytes: &[u8], now: Millis) -> Option<String> {
        let conn = self.challenged.take()?;
        let answered = self.say(conn, bytes, now);
        (answered != Some(Frame::Refused(ErrorCode::BadProof))).then(|| format!("a proof elsewhere got {answered:?}"))
    }
}
