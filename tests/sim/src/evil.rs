//! A malicious relay: everything its owner has (key, disk, all bytes, the source) and a schedule of what to do with it.
//!
//! It is an honest relay inside, so that the system runs at all, and does harm on the way in and out. What is not on the
//! schedule it does honestly: so a shrunk schedule is an attack and nothing besides.
#![expect(clippy::wildcard_enum_match_arm, reason = "a power is looked for by what it works on; all others pass")]

mod elsewhere;
mod power;
mod records;
mod seen;
mod tampering;

use std::collections::{BTreeMap, VecDeque};

use rand_core::Rng as _;
use rohrpost_relay::Limits;
use rohrpost_wire::frame::Destination;
use rohrpost_wire::{ErrorCode, Frame};

use self::elsewhere::Elsewhere;
pub use self::power::{Move, Power};
use self::records::Forger;
use self::seen::{Asked, Seen};
use crate::message;
use crate::port::{Conn, FromRelay, RelayPort, RelayTimer, Stream, ToRelay};
use crate::random::{self, Rng};
use crate::relay::{Relay, Snapshot};
use crate::time::Millis;
use crate::world::relay_address;

/// Messages after which the disk is remembered, to go back to it later.
const YOUNG: u64 = 60;
/// Streams that the malicious relay opens by itself, above all that the honest one opens.
const OWN_STREAMS: u64 = 1 << 40;

/// A malicious relay.
#[derive(Debug)]
pub struct EvilRelay {
    inner: Relay,
    moves: VecDeque<Move>,
    armed: Vec<Power>,
    steps: u64,
    seen: Seen,
    forger: Forger,
    rng: Rng,
    young: Option<Snapshot>,
    /// Held back, by number.
    held: BTreeMap<u64, FromRelay>,
    holds: u64,
    /// To be sent after the next message.
    behind: Option<FromRelay>,
    /// An answer that waits for another to be exchanged with.
    waiting: Option<(Conn, Stream, Vec<u8>)>,
    own_stream: u64,
    honest: bool,
    /// Powers that met a message.
    used: u64,
    elsewhere: Elsewhere,
    broken: Vec<String>,
}

impl EvilRelay {
    /// A relay that will do this.
    pub fn new(seed: u64, mut moves: Vec<Move>) -> Self {
        moves.sort_by_key(|step| step.step);
        Self {
            inner: Relay::new(relay_address().key_hash, Limits::default(), random::stream(seed, 1)),
            moves: moves.into(),
            armed: Vec::new(),
            steps: 0,
            seen: Seen::default(),
            forger: Forger::new(random::stream(seed, 11)),
            rng: random::stream(seed, 12),
            young: None,
            held: BTreeMap::new(),
            holds: 0,
            behind: None,
            waiting: None,
            own_stream: OWN_STREAMS,
            honest: false,
            used: 0,
            elsewhere: Elsewhere::new(random::stream(seed, 13)),
            broken: Vec::new(),
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps == YOUNG {
            self.young = Some(self.inner.snapshot());
        }
        while let Some(due) = self.moves.pop_front_if(|due| u64::from(due.step) <= self.steps) {
            self.armed.push(due.power);
        }
        if let Some(young) = self.young.clone()
            && self.disarm(|power| matches!(power, Power::RollBack)).is_some()
        {
            self.inner.roll_back(&young);
        }
    }

    /// Takes an armed power that fits.
    fn disarm(&mut self, fits: impl Fn(&Power) -> bool) -> Option<Power> {
        let place = self.armed.iter().position(fits)?;
        self.used += 1;
        Some(self.armed.remove(place))
    }

    /// Something on its way in. Nothing back if the honest relay shall not hear of it.
    fn tamper_in(&mut self, input: ToRelay, now: Millis) -> Result<ToRelay, Vec<FromRelay>> {
        if let ToRelay::Asked(conn, stream, bytes) = &input {
            let asked = self.seen.note_asked(*conn, *stream, bytes);
            if let Some(challenge) = self.use_elsewhere(*conn, &asked, bytes, now) {
                return Err(vec![answer(*conn, *stream, challenge, true)]);
            }
            if let Asked::Deposit(deposit, envelope) = &asked
                && matches!(deposit.to, Destination::Inbox(_))
                && self.disarm(|power| *power == Power::ForgeQueued).is_some()
            {
                let queued = message::frame(&Frame::Queued(deposit.envelope_id(envelope)));
                return Err(vec![FromRelay::Answer { conn: *conn, stream: *stream, bytes: queued, whole: true }]);
            }
        }
        if let ToRelay::Answered { bytes, whole: true, .. } = &input {
            self.seen.note_reply(bytes);
        }
        Ok(input)
    }

    /// Tries at another relay what was said here; perhaps that relay's challenge, to be given out here.
    fn use_elsewhere(&mut self, conn: Conn, asked: &Asked, bytes: &[u8], now: Millis) -> Option<Vec<u8>> {
        match asked {
            Asked::Login => self.broken.extend(self.elsewhere.try_login(conn, bytes, now)),
            Asked::FetchMailbox(_) => self.broken.extend(self.elsewhere.try_proof(bytes, now)),
            Asked::Challenge => {
                self.disarm(|power| *power == Power::ForwardChallenge)?;
                let challenge = self.elsewhere.challenge(now)?;
                return Some(message::frame(&Frame::Challenged(challenge)));
            }
            _ => {}
        }
        None
    }

    /// Something on its way out: what goes out instead.
    fn tamper_out(&mut self, action: FromRelay) -> Vec<FromRelay> {
        let mut out = match action {
            FromRelay::Timer(..) => return vec![action],
            FromRelay::Close(..) => vec![action],
            FromRelay::Call(conn, stream, bytes) => self.tamper_call(conn, stream, bytes),
            FromRelay::Answer { conn, stream, bytes, whole } => {
                let asked = self.seen.take_asked(conn, stream);
                self.seen.note_answer(&asked, &bytes);
                if whole {
                    self.tamper_answer(conn, stream, bytes, &asked)
                } else {
                    vec![answer(conn, stream, bytes, false)]
                }
            }
        };
        if let Some(behind) = self.behind.take() {
            out.push(behind);
        }
        out
    }

    /// Powers that work on any message.
    fn tamper_any(&mut self, action: FromRelay) -> Vec<FromRelay> {
        let general = |power: &Power| {
            matches!(
                power,
                Power::Drop | Power::Delay(_) | Power::Reorder | Power::Truncate(_) | Power::Flip(_) | Power::Close
            )
        };
        let Some(power) = self.disarm(general) else { return vec![action] };
        match power {
            Power::Drop => Vec::new(),
            Power::Delay(seconds) => self.hold(action, Millis::seconds(u64::from(seconds))),
            Power::Reorder => {
                let before = self.behind.replace(action);
                before.into_iter().collect()
            }
            Power::Close => vec![FromRelay::Close(conn_of(&action), ErrorCode::Interrupted)],
            power => vec![tampering::spoil(action, power)],
        }
    }

    fn hold(&mut self, action: FromRelay, pause: Millis) -> Vec<FromRelay> {
        let number = self.holds;
        self.holds += 1;
        self.held.insert(number, action);
        vec![FromRelay::Timer(pause, RelayTimer::Release(number))]
    }

    /// A stream to a safe that no client asked for.
    fn own_call(&mut self, conn: Conn, bytes: Vec<u8>) -> FromRelay {
        self.own_stream += 1;
        FromRelay::Call(conn, Stream(self.own_stream), bytes)
    }

    fn random_bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

impl RelayPort for EvilRelay {
    fn handle(&mut self, input: ToRelay, now: Millis) -> Vec<FromRelay> {
        if let ToRelay::Timer(RelayTimer::Release(number)) = input {
            return self.held.remove(&number).into_iter().collect();
        }
        if self.honest {
            return self.inner.handle(input, now);
        }
        self.step();
        match self.tamper_in(input, now) {
            Err(instead) => instead,
            Ok(input) => {
                let out = self.inner.handle(input, now);
                out.into_iter().flat_map(|action| self.tamper_out(action)).collect()
            }
        }
    }

    fn crash(&mut self, now: Millis) -> Vec<FromRelay> {
        self.inner.crash(now)
    }

    fn waiting(&self) -> usize {
        self.inner.waiting()
    }

    fn set_clock(&mut self, ahead: i64) {
        self.inner.set_clock(ahead);
    }

    fn turn_honest(&mut self) {
        self.honest = true;
        self.armed.clear();
        self.behind = None;
        self.waiting = None;
    }

    fn take_broken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.broken)
    }

    fn harm_done(&self) -> u64 {
        self.used
    }
}

fn answer(conn: Conn, stream: Stream, bytes: Vec<u8>, whole: bool) -> FromRelay {
    FromRelay::Answer { conn, stream, bytes, whole }
}

fn conn_of(action: &FromRelay) -> Conn {
    match action {
        FromRelay::Answer { conn, .. } | FromRelay::Call(conn, ..) | FromRelay::Close(conn, _) => *conn,
        // Timers are never tampered with.
        FromRelay::Timer(..) => Conn { peer: crate::port::Peer::Client(usize::MAX), number: 0 },
    }
}
