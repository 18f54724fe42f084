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
use crate::world::relay_address;

/// The other relay, with the connections of whoever pretends there.
#[derive(Debug)]
pub(super) struct Elsewhere {
    /// With another key.
    relay: Relay,
    /// With the key of the first one: as if its owner ran it twice.
    twin: Relay,
    conns: u64,
    /// The connection on which a challenge was drawn that a client here is made to sign.
    challenged: Option<Conn>,
}

impl Elsewhere {
    pub(super) fn new(rng: Rng) -> Self {
        let other = RelayKeyHash(Fixed([8; 32]));
        let relay = Relay::new(other, Limits::default(), rng.clone());
        let twin = Relay::new(relay_address().key_hash, Limits::default(), rng);
        Self { relay, twin, conns: 0, challenged: None }
    }

    fn fresh(&mut self) -> Conn {
        self.conns += 1;
        Conn { peer: Peer::Client(usize::MAX), number: self.conns }
    }

    /// What is wrong if a login holds that was made for the first relay and this connection: at another relay on the very
    /// same connection, or at the same relay on another.
    pub(super) fn try_login(&mut self, conn: Conn, bytes: &[u8], now: Millis) -> Option<String> {
        let fresh = self.fresh();
        let answers = [say(&mut self.relay, conn, bytes, now), say(&mut self.twin, fresh, bytes, now)];
        let held = answers.into_iter().find(|answer| *answer != Some(Frame::Refused(ErrorCode::BadProof)));
        held.map(|answer| format!("a login elsewhere got {answer:?}"))
    }

    /// A challenge of this relay, to be given out as the first one's.
    pub(super) fn challenge(&mut self, now: Millis) -> Option<Challenge> {
        let conn = self.fresh();
        self.challenged = Some(conn);
        match say(&mut self.relay, conn, &message::frame(&Frame::Challenge), now) {
            Some(Frame::Challenged(challenge)) => Some(challenge),
            _ => None,
        }
    }

    /// What is wrong if a proof over that challenge holds here.
    pub(super) fn try_proof(&mut self, bytes: &[u8], now: Millis) -> Option<String> {
        let conn = self.challenged.take()?;
        let answered = say(&mut self.relay, conn, bytes, now);
        (answered != Some(Frame::Refused(ErrorCode::BadProof))).then(|| format!("a proof elsewhere got {answered:?}"))
    }
}

/// Asks on a connection, opened for it if need be, and reads what is answered at once.
fn say(relay: &mut Relay, conn: Conn, bytes: &[u8], now: Millis) -> Option<Frame> {
    drop(relay.handle(ToRelay::Opened(conn), now));
    let out = relay.handle(ToRelay::Asked(conn, Stream(1), bytes.to_vec()), now);
    out.iter().find_map(|action| match action {
        FromRelay::Answer { bytes, .. } => Reader::new(bytes).frame(),
        FromRelay::Call(..) | FromRelay::Close(..) | FromRelay::Timer(..) => None,
    })
}
