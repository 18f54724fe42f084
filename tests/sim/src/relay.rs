//! The honest relay: the product's router, mailboxes, quota and pace of time behind a simulated network and disk.
//!
//! What the product's drivers do with quinn and `SQLite` is done here with messages and a disk in memory. Invariant, as there:
//! nothing is answered that is not durable.

mod asks;
mod spool;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use rohrpost_relay::Limits;
use rohrpost_relay::mailbox::Mailboxes;
use rohrpost_relay::pace::{Pace, Reading};
use rohrpost_relay::router::{ConnectionId, Effect, LiveCall, Router};
use rohrpost_wire::proof::Challenge;
use rohrpost_wire::{ErrorCode, Frame, InboxId, RelayKeyHash, Timestamp};

use self::spool::Disk;
pub use self::spool::Rows;
use crate::message;
use crate::port::{Conn, FromRelay, RelayPort, RelayTimer, Stream, ToRelay};
use crate::random::Rng;
use crate::time::{Millis, WallClock};

/// How long a flush takes, and so how much shares one.
const FLUSH: Millis = Millis(3);
/// How often a relay looks for what has expired.
const EXPIRE: Millis = Millis::minutes(10);
/// What expires at one look.
const EXPIRE_AT_ONCE: usize = 64;

/// An honest relay.
#[derive(Debug)]
pub struct Relay {
    key: RelayKeyHash,
    limits: Limits,
    clock: WallClock,
    rng: Rng,
    disk: Disk,
    live: Live,
    /// Seconds by which a malicious relay acts ahead of what it knows to be the time.
    lie: u64,
}

/// What a crash takes.
#[derive(Debug)]
struct Live {
    router: Router,
    index: Mailboxes,
    pace: Pace,
    ids: BTreeMap<Conn, ConnectionId>,
    conns: BTreeMap<ConnectionId, Conn>,
    challenges: BTreeMap<Conn, Challenge>,
    /// By the stream that was opened to the safe.
    calls: BTreeMap<(Conn, Stream), (Conn, Stream, LiveCall)>,
    next_stream: u64,
    /// Fetches that wait for a first envelope.
    waits: BTreeMap<InboxId, (Conn, Stream)>,
    /// Answers that wait for the flush.
    held: Vec<(Conn, Stream, Vec<u8>)>,
    rung: BTreeSet<InboxId>,
    flush_is_due: bool,
}

impl Relay {
    /// A relay with an empty disk.
    pub fn new(key: RelayKeyHash, limits: Limits, rng: Rng) -> Self {
        let mut disk = Disk::default();
        let live = Live::start(&limits, disk.crash(&limits), reading(WallClock::default(), Millis(0)));
        Self { key, limits, clock: WallClock::default(), rng, disk, live, lie: 0 }
    }

    /// What it does first.
    pub fn first() -> Vec<FromRelay> {
        vec![FromRelay::Timer(EXPIRE, RelayTimer::Expire)]
    }

    /// What is on its disk.
    pub fn snapshot(&self) -> Rows {
        self.disk.snapshot()
    }

    /// Puts an old disk in the place of its own, while it runs: what that would have had with the next flush.
    pub fn roll_back(&mut self, to: Rows) -> Rows {
        let lost = self.disk.replace(to);
        self.live.index = self.disk.crash(&self.limits);
        lost
    }

    /// From now on it acts as if it were so many seconds later.
    pub fn lie_about_time(&mut self, ahead: u64) {
        self.lie = ahead;
    }

    /// Envelopes that it keeps, for safes and for clients.
    pub fn stored(&self) -> usize {
        self.disk.stored()
    }

    /// Whether it knows of this connection.
    pub fn is_open(&self, conn: Conn) -> bool {
        self.live.ids.contains_key(&conn)
    }

    /// Who called on this stream to a safe, and on which stream of theirs.
    pub fn caller_of(&self, conn: Conn, stream: Stream) -> Option<(Conn, Stream)> {
        self.live.calls.get(&(conn, stream)).map(|(caller, asked, _)| (*caller, *asked))
    }

    /// The time by which it acts.
    pub fn time(&mut self, now: Millis) -> Timestamp {
        self.live.pace.handle_reading(reading(self.clock, now)).0.plus(self.lie)
    }

    fn closed(&mut self, conn: Conn) -> Vec<FromRelay> {
        let Some(id) = self.live.ids.remove(&conn) else { return Vec::new() };
        self.live.conns.remove(&id);
        self.live.router.handle_closed(id);
        self.live.challenges.remove(&conn);
        self.live.waits.retain(|_, (waiting, _)| *waiting != conn);
        let is_of = |call: &(Conn, Stream), caller: &Conn| call.0 == conn || *caller == conn;
        let ended = self.live.calls.iter().filter(|(call, (caller, ..))| is_of(call, caller));
        let ended: Vec<_> = ended.map(|(call, (caller, ..))| (*call, *caller)).collect();
        let mut out = Vec::new();
        for ((safe, stream), caller) in ended {
            let told = self.end_call(safe, stream, Vec::new(), false);
            // A caller that vanishes takes its call with it, and hears nothing.
            out.extend(told.filter(|_| caller != conn));
        }
        out
    }

    /// The safe's answer goes back to whoever called; an empty one that is not whole only ends the call.
    fn end_call(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>, whole: bool) -> Option<FromRelay> {
        let (caller, asked, live) = self.live.calls.remove(&(conn, stream))?;
        self.live.router.handle_call_ended(live);
        let bytes = [message::frame(&Frame::Done), bytes].concat();
        Some(FromRelay::Answer { conn: caller, stream: asked, bytes, whole })
    }

    fn flush(&mut self, now: Millis) -> Vec<FromRelay> {
        self.live.flush_is_due = false;
        self.disk.flush();
        let held = mem::take(&mut self.live.held);
        let mut out: Vec<_> = held.into_iter().map(|(conn, stream, bytes)| answer(conn, stream, bytes)).collect();
        for inbox in mem::take(&mut self.live.rung) {
            out.extend(self.ring(inbox, now));
        }
        out
    }

    fn expire(&mut self, now: Millis) -> Vec<FromRelay> {
        let time = self.time(now);
        let effects = self.live.index.handle_expire(time, EXPIRE_AT_ONCE);
        self.disk.execute(effects, None);
        self.disk.keep_high_water(self.live.index.high_water());
        let mut out = self.flush_soon();
        out.push(FromRelay::Timer(EXPIRE, RelayTimer::Expire));
        out
    }

    fn flush_soon(&mut self) -> Vec<FromRelay> {
        if mem::replace(&mut self.live.flush_is_due, true) {
            return Vec::new();
        }
        vec![FromRelay::Timer(FLUSH, RelayTimer::Flush)]
    }

    /// Answers once all that has been written is durable.
    fn answer_durably(&mut self, conn: Conn, stream: Stream, bytes: Vec<u8>) -> Vec<FromRelay> {
        self.live.held.push((conn, stream, bytes));
        self.flush_soon()
    }
}

impl RelayPort for Relay {
    fn handle(&mut self, input: ToRelay, now: Millis) -> Vec<FromRelay> {
        match input {
            ToRelay::Opened(conn) => match self.live.router.handle_opened() {
                Some(id) => {
                    self.live.ids.insert(conn, id);
                    self.live.conns.insert(id, conn);
                    Vec::new()
                }
                None => vec![FromRelay::Close(conn, ErrorCode::Busy)],
            },
            ToRelay::Asked(conn, stream, bytes) => self.asked(conn, stream, &bytes, now),
            ToRelay::Answered { conn, stream, bytes, whole } => {
                self.end_call(conn, stream, bytes, whole).into_iter().collect()
            }
            ToRelay::Closed(conn) => self.closed(conn),
            ToRelay::Timer(RelayTimer::Flush) => self.flush(now),
            ToRelay::Timer(RelayTimer::Expire) => self.expire(now),
            ToRelay::Timer(RelayTimer::Release(_)) => Vec::new(),
        }
    }

    fn crash(&mut self, now: Millis) -> Vec<FromRelay> {
        let index = self.disk.crash(&self.limits);
        self.live = Live::start(&self.limits, index, reading(self.clock, now));
        Self::first()
    }

    fn waiting(&self) -> usize {
        self.disk.waiting()
    }

    fn set_clock(&mut self, ahead: i64) {
        self.clock.offset = ahead;
    }
}

impl Live {
    fn start(limits: &Limits, index: Mailboxes, reading: Reading) -> Self {
        let (pace, _) = Pace::start(index.high_water(), reading);
        Self {
            router: Router::new(limits),
            index,
            pace,
            ids: BTreeMap::new(),
            conns: BTreeMap::new(),
            challenges: BTreeMap::new(),
            calls: BTreeMap::new(),
            next_stream: 0,
            waits: BTreeMap::new(),
            held: Vec::new(),
            rung: BTreeSet::new(),
            flush_is_due: false,
        }
    }
}

fn reading(clock: WallClock, now: Millis) -> Reading {
    Reading { wall: clock.read(now), running: Duration::from_millis(now.0) }
}

fn answer(conn: Conn, stream: Stream, bytes: Vec<u8>) -> FromRelay {
    FromRelay::Answer { conn, stream, bytes, whole: true }
}

fn refuse(conn: Conn, stream: Stream, code: ErrorCode) -> Vec<FromRelay> {
    vec![answer(conn, stream, message::frame(&Frame::Refused(code)))]
}

/// Closes the connection that a newer login took the inbox from.
fn close_superseded(live: &Live, effect: Option<Effect>) -> Option<FromRelay> {
    let Effect::Close(id, code) = effect?;
    Some(FromRelay::Close(*live.conns.get(&id)?, code))
}
