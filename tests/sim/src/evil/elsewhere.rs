//! Other, honest relays, and other connections to this one, at which a malicious relay tries what it was shown: logins,
//! challenges, proofs.

use std::collections::BTreeMap;

use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_relay::Limits;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::Login;
use rohrpost_wire::proof::{self, Challenge};
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
    /// By the connection of a client here who is made to sign a challenge: the one there on which it was drawn.
    challenged: BTreeMap<Conn, Conn>,
    /// A key of its own, to sign logins for others.
    key: SigningSecret,
}

impl Elsewhere {
    pub(super) fn new(mut rng: Rng) -> Self {
        let key = SigningSecret::generate(&mut rng);
        let other = RelayKeyHash(Fixed([8; 32]));
        let relay = Relay::new(other, Limits::default(), rng.clone());
        let twin = Relay::new(relay_address().key_hash, Limits::default(), rng);
        Self { relay, twin, conns: 0, challenged: BTreeMap::new(), key }
    }

    fn fresh(&mut self) -> Conn {
        self.conns += 1;
        Conn { peer: Peer::Client(usize::MAX), number: self.conns }
    }

    /// What is wrong if a login holds that was made for the first relay and this connection: at another relay on the very
    /// same connection, at the same relay on another, or signed by somebody else for the same safe.
    pub(super) fn try_login(&mut self, conn: Conn, bytes: &[u8], here: &mut Relay, now: Millis) -> Option<String> {
        let (there, again, forged) = (self.fresh(), self.fresh(), self.fresh());
        let forgery = self.forged(bytes, forged)?;
        let answers = [
            say(&mut self.relay, conn, bytes, now),
            say(&mut self.twin, there, bytes, now),
            say(here, again, bytes, now),
            say(here, forged, &forgery, now),
        ];
        drop([again, forged].map(|conn| here.handle(ToRelay::Closed(conn), now)));
        let held = answers.into_iter().find(|answer| *answer != Some(Frame::Refused(ErrorCode::BadProof)));
        held.map(|answer| format!("a login elsewhere got {answer:?}"))
    }

    /// A login as the same safe, on this connection, signed by a key of its own.
    fn forged(&self, bytes: &[u8], conn: Conn) -> Option<Vec<u8>> {
        let Ok(Frame::Login(genuine)) = Reader::new(bytes).frame() else { return None };
        let key = self.key.signer();
        let own = proof::sign_login(key, &relay_address().key_hash, &conn.exporter(), genuine.counter);
        Some(message::frame(&Frame::Login(Login { route_key: genuine.route_key, ..own })))
    }

    /// A challenge of this relay, to be given out as the first one's.
    pub(super) fn challenge(&mut self, victim: Conn, now: Millis) -> Option<Challenge> {
        let conn = self.fresh();
        self.challenged.insert(victim, conn);
        match say(&mut self.relay, conn, &message::frame(&Frame::Challenge), now) {
            Some(Frame::Challenged(challenge)) => Some(challenge),
            _ => None,
        }
    }

    /// What is wrong if a proof over that challenge holds there, or a proof made on another connection holds here.
    pub(super) fn try_proof(&mut self, victim: Conn, bytes: &[u8], here: &mut Relay, now: Millis) -> Option<String> {
        let (again, challenged) = (self.fresh(), self.challenged.remove(&victim));
        drop(here.handle(ToRelay::Opened(again), now));
        drop(here.handle(ToRelay::Asked(again, Stream(0), message::frame(&Frame::Challenge)), now));
        let mut answers = vec![say(here, again, bytes, now)];
        answers.extend(challenged.map(|conn| say(&mut self.relay, conn, bytes, now)));
        drop(here.handle(ToRelay::Closed(again), now));
        let held = answers.into_iter().find(|answer| *answer != Some(Frame::Refused(ErrorCode::BadProof)));
        held.map(|answer| format!("a proof elsewhere got {answer:?}"))
    }
}

/// Asks on a connection, opened for it if need be, and reads what is answered at once.
fn say(relay: &mut Relay, conn: Conn, bytes: &[u8], now: Millis) -> Option<Frame> {
    if !relay.is_open(conn) {
        drop(relay.handle(ToRelay::Opened(conn), now));
    }
    let out = relay.handle(ToRelay::Asked(conn, Stream(1), bytes.to_vec()), now);
    out.iter().find_map(|action| match action {
        FromRelay::Answer { bytes, .. } => Reader::new(bytes).frame().ok(),
        FromRelay::Call(..) | FromRelay::Close(..) | FromRelay::Timer(..) => None,
    })
}
