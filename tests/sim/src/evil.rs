//! A malicious relay: everything its owner has (key, disk, all bytes, the source) and a schedule of what to do with it.
//!
//! It is an honest relay inside, so that the system runs at all, and does harm on the way in and out. What is not on the
//! schedule it does honestly: so a shrunk schedule is an attack and nothing besides. What differs from what the honest
//! relay would have sent it reports to the oracle, which so knows whom an alarm may concern and who owes one.

mod answers;
mod arms;
mod calls;
mod disk;
mod elsewhere;
mod forger;
mod inward;
mod mail;
mod over;
mod power;
mod report;
mod seen;
mod shapes;
mod swaps;

use std::collections::BTreeMap;

use rand_core::Rng as _;
use rohrpost_relay::Limits;
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{ErrorCode, InboxId};

use self::arms::Arms;
use self::disk::OldDisk;
use self::elsewhere::Elsewhere;
use self::forger::Forger;
pub use self::power::{AnswerPower, AnyPower, CallPower, InboxPower, Move, Power, RecordsPower, ReplyPower};
use self::report::About;
use self::seen::Seen;
use self::swaps::Swap;
use crate::port::{Conn, FromRelay, RelayPort, RelayTimer, Report, Stream, ToRelay};
use crate::random::{self, Rng};
use crate::relay::Relay;
use crate::time::Millis;
use crate::world::relay_address;

/// Streams that the malicious relay opens by itself, above all that the honest one opens.
const OWN_STREAMS: u64 = 1 << 40;

/// A malicious relay.
#[derive(Debug)]
pub struct EvilRelay {
    inner: Relay,
    arms: Arms,
    seen: Seen,
    forger: Forger,
    rng: Rng,
    old: OldDisk,
    /// Held back, by number.
    held: BTreeMap<u64, FromRelay>,
    holds: u64,
    /// To be sent after the next message.
    behind: Option<FromRelay>,
    /// Answers to calls that are exchanged.
    swapped: Swap,
    /// Challenges that are.
    swapped_challenge: Swap,
    own_stream: u64,
    honest: bool,
    /// Messages that were not, or not as, the honest relay would have sent them.
    harm: u64,
    /// Moves that met nothing.
    unused: u64,
    elsewhere: Elsewhere,
    report: Report,
}

impl EvilRelay {
    /// A relay that will do this.
    pub fn new(seed: u64, moves: Vec<Move>) -> Self {
        Self {
            inner: Relay::new(relay_address().key_hash, Limits::default(), random::stream(seed, 1)),
            arms: Arms::new(moves),
            seen: Seen::default(),
            forger: Forger::new(random::stream(seed, 11)),
            rng: random::stream(seed, 12),
            old: OldDisk::default(),
            held: BTreeMap::new(),
            holds: 0,
            behind: None,
            swapped: Swap::default(),
            swapped_challenge: Swap::default(),
            own_stream: OWN_STREAMS,
            honest: false,
            harm: 0,
            unused: 0,
            elsewhere: Elsewhere::new(random::stream(seed, 13)),
            report: Report::default(),
        }
    }

    fn act(&mut self, input: ToRelay, now: Millis) -> Vec<FromRelay> {
        if let ToRelay::Timer(RelayTimer::Release(number)) = input {
            return self.held.remove(&number).into_iter().collect();
        }
        if self.honest {
            return self.inner.handle(input, now);
        }
        self.step(now);
        match self.tamper_in(input, now) {
            Err(instead) => instead,
            Ok(input) => {
                let out = self.inner.handle(input, now);
                out.into_iter().flat_map(|action| self.tamper_out(action, now)).collect()
            }
        }
    }

    /// Something on its way out: what goes out instead.
    fn tamper_out(&mut self, action: FromRelay, now: Millis) -> Vec<FromRelay> {
        let Some(about) = self.about(&action) else { return vec![action] };
        let (honest, behind) = (action.clone(), self.behind.take());
        let mut instead = match action {
            FromRelay::Call(conn, stream, bytes) => self.tamper_call(&about, conn, stream, bytes, now).into(),
            FromRelay::Answer { conn, stream, bytes, whole: true } => {
                self.seen.note_answer(&about.asked, &bytes);
                self.tamper_answer(&about, conn, stream, bytes, now)
            }
            action @ (FromRelay::Answer { .. } | FromRelay::Close(..) | FromRelay::Timer(..)) => vec![action].into(),
        };
        self.confess(&honest, &instead, &about);
        instead.out.extend(behind);
        instead.out
    }

    /// Powers that work on any message.
    fn tamper_any(&mut self, about: &About, action: FromRelay) -> Vec<FromRelay> {
        let Some(power) = self.arms.take(&about.parties, Power::on_any) else { return vec![action] };
        match power {
            AnyPower::Drop => Vec::new(),
            AnyPower::Delay(seconds) => self.hold(action, Millis::seconds(u64::from(seconds))),
            AnyPower::Reorder => {
                self.behind = Some(action);
                Vec::new()
            }
            AnyPower::Truncate(count) => vec![shapes::changed(action, |bytes| shapes::truncate(bytes, count))],
            AnyPower::Flip(place) => vec![shapes::changed(action, |bytes| shapes::flip(bytes, place))],
            AnyPower::Close => {
                conn_of(&action).map(|conn| FromRelay::Close(conn, ErrorCode::Interrupted)).into_iter().collect()
            }
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
        let out = self.act(input, now);
        self.tell_of_outdated(&out);
        out
    }

    fn crash(&mut self, now: Millis) -> Vec<FromRelay> {
        self.start_anew(now)
    }

    fn remember(&mut self, inbox: InboxId, records: RecordSet) {
        self.seen.records.push((inbox, records));
    }

    fn waiting(&self) -> usize {
        self.inner.waiting()
    }

    fn set_clock(&mut self, ahead: i64) {
        self.inner.set_clock(ahead);
    }

    fn turn_honest(&mut self) {
        self.honest = true;
        self.unused = self.arms.left();
        self.inner.lie_about_time(0);
        self.arms.lay_down();
        (self.behind, self.swapped, self.swapped_challenge) = (None, Swap::default(), Swap::default());
    }

    fn take_report(&mut self) -> Report {
        std::mem::take(&mut self.report)
    }

    fn harm_done(&self) -> u64 {
        self.harm
    }

    fn moves_unused(&self) -> u64 {
        self.unused
    }
}

fn answer(conn: Conn, stream: Stream, bytes: Vec<u8>, whole: bool) -> FromRelay {
    FromRelay::Answer { conn, stream, bytes, whole }
}

fn conn_of(action: &FromRelay) -> Option<Conn> {
    match action {
        FromRelay::Answer { conn, .. } | FromRelay::Call(conn, ..) | FromRelay::Close(conn, _) => Some(*conn),
        FromRelay::Timer(..) => None,
    }
}
