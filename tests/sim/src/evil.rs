//! A malicious relay: everything its owner has (key, disk, all bytes, the source) and a schedule of what to do with it.
//!
//! It is an honest relay inside, so that the system runs at all, and does harm on the way in and out. What is not on the
//! schedule it does honestly: so a shrunk schedule is an attack and nothing besides. What differs from what the honest
//! relay would have sent it reports to the oracle, which so knows whom an alarm may concern and who owes one.

mod answers;
mod arms;
mod calls;
mod elsewhere;
mod forger;
mod mail;
mod power;
mod report;
mod seen;
mod shapes;

use std::collections::BTreeMap;

use rand_core::Rng as _;
use rohrpost_relay::Limits;
use rohrpost_wire::frame::Destination;
use rohrpost_wire::{ErrorCode, Frame};

use self::arms::Arms;
use self::elsewhere::Elsewhere;
use self::forger::Forger;
pub use self::power::{AnswerPower, AnyPower, CallPower, InboxPower, Move, Power, RecordsPower, ReplyPower};
use self::report::About;
use self::seen::{Asked, Seen};
use crate::message;
use crate::port::{Conn, FromRelay, RelayPort, RelayTimer, Report, Stream, ToRelay};
use crate::random::{self, Rng};
use crate::relay::{Relay, Snapshot};
use crate::time::Millis;
use crate::world::relay_address;

/// Messages after which the disk is remembered, to go back to it later.
const YOUNG: u64 = 60;
/// Streams that the malicious relay opens by itself, above all that the honest one opens.
const OWN_STREAMS: u64 = 1 << 40;
/// By how many seconds it is ahead when it lies about the time: more than the shortest time that anything is kept, or the
/// longest.
const LIES: [u64; 2] = [25 * 3600, 40 * 86_400];

/// A malicious relay.
#[derive(Debug)]
pub struct EvilRelay {
    inner: Relay,
    arms: Arms,
    seen: Seen,
    forger: Forger,
    rng: Rng,
    young: Option<Snapshot>,
    /// Held back, by number.
    held: BTreeMap<u64, FromRelay>,
    holds: u64,
    /// To be sent after the next message.
    behind: Option<FromRelay>,
    /// An answer to a call that waits for another to be exchanged with.
    swapped: Option<(Conn, Stream, Vec<u8>)>,
    /// A challenge that does.
    swapped_challenge: Option<(Conn, Stream, Vec<u8>)>,
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
            young: None,
            held: BTreeMap::new(),
            holds: 0,
            behind: None,
            swapped: None,
            swapped_challenge: None,
            own_stream: OWN_STREAMS,
            honest: false,
            harm: 0,
            unused: 0,
            elsewhere: Elsewhere::new(random::stream(seed, 13)),
            report: Report::default(),
        }
    }

    /// What needs no message is done first.
    fn step(&mut self, now: Millis) {
        if self.arms.step(now) == YOUNG {
            self.young = Some(self.inner.snapshot());
        }
        if let Some(young) = self.young.clone()
            && self.arms.take_at_once(|power| (power == Power::RollBack).then_some(())).is_some()
        {
            let differs = self.inner.snapshot() != young;
            self.inner.roll_back(&young);
            self.harm += u64::from(differs);
            self.report.rolled_back |= differs;
        }
        // With something there to be let go at the next look.
        if self.inner.stored() > 0
            && let Some(which) = self.arms.take_at_once(Power::on_clock)
        {
            self.inner.lie_about_time(shapes::pick(&LIES, usize::from(which)).copied().unwrap_or(0));
            self.harm += 1;
            self.report.lied_about_time = true;
        }
    }

    /// Something on its way in. Nothing back if the honest relay shall not hear of it.
    fn tamper_in(&mut self, input: ToRelay, now: Millis) -> Result<ToRelay, Vec<FromRelay>> {
        if let ToRelay::Asked(conn, stream, bytes) = &input {
            let asked = self.seen.note_asked(*conn, *stream, bytes);
            self.try_everything(*conn, &asked, bytes, now);
            if let Some(instead) = self.answer_itself(*conn, &asked, now) {
                self.harm += 1;
                self.report.concerned.push(*conn);
                return Err(vec![answer(*conn, *stream, instead, true)]);
            }
        }
        // An answer to a stream of its own may be to a copy, and then as good as the one to the call.
        if let ToRelay::Answered { conn, stream, bytes, whole: true } = &input
            && self.inner.caller_of(*conn, *stream).is_some()
        {
            self.seen.note_reply(bytes);
        }
        Ok(input)
    }

    /// What must never succeed is tried with every message there is.
    fn try_everything(&mut self, conn: Conn, asked: &Asked, bytes: &[u8], now: Millis) {
        let broken = match asked {
            Asked::Login => self.elsewhere.try_login(conn, bytes, &mut self.inner, now),
            Asked::FetchMailbox(_) | Asked::Ack => self.elsewhere.try_proof(conn, bytes, &mut self.inner, now),
            Asked::Call(inbox, envelope) => {
                self.forger.try_to_open(*inbox, None, envelope, self.seen.records_of(*inbox).next_back())
            }
            Asked::Deposit(deposit, envelope) => match deposit.to {
                Destination::Inbox(inbox) => {
                    let genuine = self.seen.records_of(inbox).next_back();
                    self.forger.try_to_open(inbox, Some(deposit), envelope, genuine)
                }
                Destination::Mailbox(_) => None,
            },
            Asked::Records(_) | Asked::FetchInbox | Asked::Challenge | Asked::Other => None,
        };
        self.report.broken.extend(broken);
    }

    /// An answer of its own to something that the honest relay never hears of.
    fn answer_itself(&mut self, conn: Conn, asked: &Asked, now: Millis) -> Option<Vec<u8>> {
        let parties = &self.parties(conn, asked);
        match asked {
            Asked::Challenge if self.arms.take_this(parties, Power::ForwardChallenge) => {
                let challenge = self.elsewhere.challenge(conn, now)?;
                Some(message::frame(&Frame::Challenged(challenge)))
            }
            Asked::Deposit(deposit, envelope)
                if matches!(deposit.to, Destination::Inbox(_)) && self.arms.take_this(parties, Power::ForgeQueued) =>
            {
                Some(message::frame(&Frame::Queued(deposit.envelope_id(envelope))))
            }
            Asked::Records(_)
            | Asked::Call(..)
            | Asked::Deposit(..)
            | Asked::FetchInbox
            | Asked::FetchMailbox(_)
            | Asked::Login
            | Asked::Challenge
            | Asked::Ack
            | Asked::Other => None,
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
                self.tamper_answer(&about, conn, stream, bytes)
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
        self.unused = self.arms.left();
        self.inner.lie_about_time(0);
        self.arms.lay_down();
        (self.behind, self.swapped, self.swapped_challenge) = (None, None, None);
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
