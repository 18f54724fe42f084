//! A data-safe: the product's decisions over a store in memory, behind a simulated network and disk.
//!
//! What the product's agent and keeper do with tokio and a thread is done here with messages and timers. Invariant, as
//! there: nothing is answered before what it speaks of is flushed, and a crash takes everything else.

mod answering;
mod founding;
mod objects;
pub mod office;
mod renewal;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use rohrpost_e2ee::keys::SealingSecret;
use rohrpost_safe_agent::audit::{self, Event};
use rohrpost_safe_agent::identity::{self, RootKeys};
use rohrpost_safe_agent::rows::{self, AuditHead, IdentityRow};
use rohrpost_safe_agent::vault::{ContentId, Draft, MemoryStore, Store as _, StoreError};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{PrekeyId, RecordSet};
use rohrpost_wire::{EnvelopeId, RelayAddress, Timestamp};

use self::answering::Held;
use self::founding::Founded;
use crate::port::{Conn, FromPeer, Stream, Timer, ToPeer};
use crate::random::Rng;
use crate::time::{Millis, WallClock};

/// How long a flush takes.
const FLUSH: Millis = Millis(4);
/// How often prekeys are looked after.
const UPKEEP: Millis = Millis::hours(1);

/// What a safe asks to be woken for.
pub mod tags {
    /// The disk's next flush.
    pub const FLUSH: u64 = 1;
    /// To dial again.
    pub const REDIAL: u64 = 2;
    /// To look after the prekeys.
    pub const UPKEEP: u64 = 3;
    /// To ask again for what waits.
    pub const FETCH: u64 = 4;
    /// To give up on an answer; above it stand the stream and the connection.
    pub const UNANSWERED: u64 = 5;
}

/// One safe.
#[derive(Debug)]
pub struct Safe {
    index: usize,
    relay: RelayAddress,
    /// Wrong when the simulation says so.
    pub clock: WallClock,
    store: MemoryStore,
    identity: IdentityRow,
    /// The root keys, which are on paper and survive everything.
    paper: RootKeys,
    /// What stands on paper until a rotation is flushed.
    paper_before: Option<RootKeys>,
    /// Which envelope wrote which leaf of the record, and whether it came live.
    written: BTreeMap<u64, (Fixed<32>, bool)>,
    /// What the clock showed as each leaf was written.
    clocks: BTreeMap<u64, Timestamp>,
    /// Envelopes whose try of a link was counted, with the leaf that came next; and how many of them are on disk.
    counted: Vec<(u64, Fixed<32>)>,
    durable_tries: usize,
    rng: Rng,
    contents: BTreeMap<ContentId, Arc<Vec<u8>>>,
    life: u64,
    dialled: u64,
    durable_leaves: u64,
    /// Roots that the relay has confirmed to have: no link names one that is still to be published.
    published: usize,
    live: Option<Live>,
}

/// What a crash takes.
#[derive(Debug)]
struct Live {
    keys: BTreeMap<PrekeyId, (SealingSecret, Timestamp)>,
    session: Option<Session>,
    held: Vec<Held>,
    flush_is_due: bool,
    failures: u32,
}

#[derive(Debug)]
struct Session {
    conn: Conn,
    logged_in: bool,
    next_stream: u64,
    asked: BTreeMap<Stream, Asked>,
    /// Fetched envelopes that are not answered yet, and those that are.
    open: BTreeSet<EnvelopeId>,
    done: Vec<EnvelopeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Login,
    /// Records with so many roots.
    Publish(usize),
    Fetch,
    /// The answer to this envelope, left in its reply mailbox.
    Reply(EnvelopeId),
    Ack,
}

impl Safe {
    /// A safe that was founded and has never been started, just now or so long ago that what it published first is over;
    /// that comes along.
    pub fn found(
        index: usize,
        practice: &str,
        relay: RelayAddress,
        is_old: bool,
        mut rng: Rng,
    ) -> (Self, Option<RecordSet>) {
        let Founded { store, identity, paper, over } = founding::found(practice, &relay, is_old, &mut rng);
        let mut safe = Self {
            index,
            relay,
            clock: WallClock::default(),
            store,
            identity,
            paper,
            paper_before: None,
            written: BTreeMap::new(),
            clocks: BTreeMap::new(),
            counted: Vec::new(),
            durable_tries: 0,
            rng,
            contents: BTreeMap::new(),
            life: 0,
            dialled: 0,
            durable_leaves: 0,
            published: 1,
            live: None,
        };
        safe.flush_store();
        (safe, over)
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.live.is_some()
    }

    /// Whether it is logged in and waits for envelopes, as far as it knows.
    pub fn is_connected(&self) -> bool {
        let session = self.live.as_ref().and_then(|live| live.session.as_ref());
        session.is_some_and(|session| session.logged_in && session.asked.values().any(|asked| *asked == Asked::Fetch))
    }

    /// The connection on which it is logged in, as far as it knows.
    pub fn logged_in(&self) -> Option<Conn> {
        let session = self.live.as_ref().and_then(|live| live.session.as_ref());
        session.filter(|session| session.logged_in).map(|session| session.conn)
    }

    /// Its own name, address and keys.
    pub fn identity(&self) -> &IdentityRow {
        &self.identity
    }

    /// The leaves of its record that are on disk, from this number on.
    pub fn durable_leaves(&self, from: u64) -> Vec<(u64, Event)> {
        let count = usize::try_from(self.durable_leaves.saturating_sub(from)).unwrap_or(usize::MAX);
        self.read(|draft| audit::read(draft, from, count))
    }

    /// The envelope that wrote a leaf, if one did, and whether it came live.
    pub fn writer_of(&self, leaf: u64) -> Option<(Fixed<32>, bool)> {
        self.written.get(&leaf).copied()
    }

    /// What the clock showed as a leaf was written.
    pub fn clock_at(&self, leaf: u64) -> Option<Timestamp> {
        self.clocks.get(&leaf).copied()
    }

    /// Envelopes whose try of a link is counted, on disk, with the leaf that came next: from this one on.
    pub fn counted_tries(&self, from: usize) -> &[(u64, Fixed<32>)] {
        self.counted.get(from..self.durable_tries).unwrap_or_default()
    }

    /// How much waits for the flush.
    pub fn held(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.held.len())
    }

    /// The next leaf of the record, flushed or not.
    fn next_leaf(&self) -> u64 {
        let head: Option<AuditHead> = self.read(|draft| rows::load(draft, AuditHead::KEY));
        head.unwrap_or_default().next
    }

    /// Looks at what is stored, flushed or not.
    ///
    /// # Panics
    ///
    /// If the store in memory fails: nothing here makes it.
    #[expect(clippy::expect_used, reason = "nothing damages a store in memory")]
    pub fn read<T>(&self, look: impl FnOnce(&Draft<'_>) -> Result<T, StoreError>) -> T {
        look(&Draft::new(&self.store)).expect("a store in memory can be read")
    }

    /// Starts it: keys first, then the relay.
    pub fn start(&mut self, now: Millis) -> Vec<FromPeer> {
        self.life += 1;
        self.live =
            Some(Live { keys: BTreeMap::new(), session: None, held: Vec::new(), flush_is_due: false, failures: 0 });
        let mut out = vec![self.timer(UPKEEP, tags::UPKEEP)];
        out.extend(self.dial(now));
        out
    }

    /// Loses everything that is not flushed.
    pub fn crash(&mut self) {
        self.store.crash();
        self.live = None;
        if let Some(before) = self.paper_before.take() {
            self.paper = before;
        }
        self.identity = self.read(|draft| Ok(identity::load(draft)?.1));
        self.written.retain(|leaf, _| *leaf < self.durable_leaves);
        self.clocks.retain(|leaf, _| *leaf < self.durable_leaves);
        self.counted.truncate(self.durable_tries);
    }

    /// Something happened at this time.
    pub fn handle(&mut self, input: ToPeer, now: Millis) -> Vec<FromPeer> {
        if self.live.is_none() {
            return Vec::new();
        }
        match input {
            ToPeer::Timer(timer) if timer.life != self.life => Vec::new(),
            ToPeer::Timer(timer) => self.woken(timer.tag, now),
            ToPeer::Closed(conn, code) if self.conn() == Some(conn) => self.lost(code),
            ToPeer::Called(conn, stream, bytes) if self.conn() == Some(conn) => self.called(conn, stream, &bytes, now),
            ToPeer::Answered { conn, stream, bytes, whole } if self.conn() == Some(conn) => {
                self.answered(stream, &bytes, whole, now)
            }
            ToPeer::Closed(..) | ToPeer::Called(..) | ToPeer::Answered { .. } => Vec::new(),
        }
    }

    fn woken(&mut self, tag: u64, now: Millis) -> Vec<FromPeer> {
        if tag & 7 == tags::UNANSWERED {
            return self.unanswered(tag, now);
        }
        match tag {
            tags::FLUSH => self.flush(now),
            tags::REDIAL => self.dial(now),
            tags::FETCH => self.fetch(),
            _ => {
                let mut out = vec![self.timer(UPKEEP, tags::UPKEEP)];
                self.upkeep(now);
                if self.conn().is_some() {
                    out.extend(self.hold(Held::Publish));
                }
                out
            }
        }
    }

    fn upkeep(&mut self, now: Millis) {
        while self.transact(now, |draft, time, _| identity::retire(draft, time)) {}
        self.transact(now, identity::top_up);
        let prekeys = self.read(identity::prekeys);
        if let Some(live) = &mut self.live {
            live.keys = prekeys.into_iter().map(|row| (row.id, (row.secret(), row.not_after))).collect();
        }
    }

    fn conn(&self) -> Option<Conn> {
        Some(self.live.as_ref()?.session.as_ref()?.conn)
    }

    fn session(&mut self) -> Option<&mut Session> {
        self.live.as_mut()?.session.as_mut()
    }

    fn timer(&self, after: Millis, tag: u64) -> FromPeer {
        FromPeer::Timer(after, Timer { life: self.life, tag })
    }

    /// One transaction, applied and not flushed.
    #[expect(clippy::expect_used, reason = "nothing damages a store in memory")]
    fn transact<T>(
        &mut self,
        now: Millis,
        job: impl FnOnce(&mut Draft<'_>, Timestamp, &mut Rng) -> Result<T, StoreError>,
    ) -> T {
        let (time, first) = (self.clock.read(now), self.next_leaf());
        let mut draft = Draft::new(&self.store);
        let done = job(&mut draft, time, &mut self.rng).expect("a transaction on a sound store succeeds");
        let writes = draft.into_writes();
        self.store.apply(writes).expect("a store in memory takes what fits");
        self.clocks.extend((first..self.next_leaf()).map(|leaf| (leaf, time)));
        done
    }

    #[expect(clippy::expect_used, reason = "nothing here makes the flush fail")]
    fn flush_store(&mut self) {
        self.store.flush().expect("a store in memory flushes");
        let head: AuditHead = self.read(|draft| rows::load(draft, AuditHead::KEY)).unwrap_or_default();
        self.durable_leaves = head.next;
        self.durable_tries = self.counted.len();
        self.paper_before = None;
    }

    /// Keeps something back until all that has been written is flushed.
    fn hold(&mut self, held: Held) -> Vec<FromPeer> {
        let Some(live) = &mut self.live else { return Vec::new() };
        live.held.push(held);
        if mem::replace(&mut live.flush_is_due, true) {
            return Vec::new();
        }
        vec![self.timer(FLUSH, tags::FLUSH)]
    }

    fn flush(&mut self, now: Millis) -> Vec<FromPeer> {
        self.flush_store();
        let Some(live) = &mut self.live else { return Vec::new() };
        live.flush_is_due = false;
        let held = mem::take(&mut live.held);
        held.into_iter().flat_map(|held| self.release(held, now)).collect()
    }
}
