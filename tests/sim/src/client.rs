//! A patient's device: the product's decisions about records, sequence numbers, retries and parts, over a simulated
//! network.
//!
//! Durable is what the product writes down before it goes on: account, pending enrolment, the part of a document. All
//! else a crash takes. What it comes to believe it tells the oracle, as [`Told`], and before it writes down what follows
//! from it: so a crash that leaves the one leaves the other.

mod asking;
mod depositing;
mod disk;
mod enrolling;
mod errand;
mod errands;
mod looks;
mod meeting;
mod receiving;
mod told;

use std::collections::{BTreeMap, VecDeque};

use rohrpost_client::AskError;
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::Operation;
use rohrpost_e2ee::exchange::ExpectReply;
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_patient::retry::Retry;
use rohrpost_patient::sequence::Reserved;
use rohrpost_patient::session::Corrections;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{EnvelopeId, Frame, Timestamp};

pub use self::depositing::Awaiting;
use self::disk::{Disk, Files};
pub use self::errand::{Errand, Forgery, Number};
pub use self::told::{Shown, Told, Trouble};
use crate::message::Reader;
use crate::port::{Conn, FromPeer, Stream, Timer, ToPeer};
use crate::random::Rng;
use crate::safe::office::Invitation;
use crate::time::{Millis, WallClock};
use crate::world::Moment;

/// How long an answer may take.
const ANSWER_TIME: Millis = Millis::seconds(30);
/// Tries in a row of one errand.
const TRIES: u32 = 8;

/// One device.
#[derive(Debug)]
pub struct Client {
    index: usize,
    /// What the patient calls it.
    name: String,
    /// Wrong when the simulation says so.
    pub clock: WallClock,
    rng: Rng,
    life: u64,
    dialled: u64,
    invitation: Option<Invitation>,
    /// As it works on them; [`Disk`] has them as they are written.
    files: Files,
    disk: Disk,
    live: Live,
    told: Vec<Told>,
}

/// What a crash takes.
#[derive(Debug, Default)]
struct Live {
    plan: VecDeque<Errand>,
    doing: Option<Doing>,
    begun: u64,
    serial: u64,
    awaiting: VecDeque<Awaiting>,
    /// Seconds by which the safe's time corrected this client's clock.
    corrected: i64,
}

/// One errand under way.
#[derive(Debug)]
struct Doing {
    errand: Errand,
    conn: Conn,
    next_stream: u64,
    waits_on: Option<Stream>,
    step: Step,
    retry: Retry,
    corrections: Corrections,
    /// Whether the safe has answered anything.
    was_answered: bool,
    request: RequestId,
    safe: Option<TrustedSafe>,
}

/// What an answer is awaited to.
#[derive(Debug)]
enum Step {
    /// Nothing: a pause, or just begun.
    Pausing,
    /// The safe's records.
    Meeting,
    /// A live request.
    Asking(Box<Asked>),
    /// A deposit.
    Depositing(Box<Awaiting>, Box<EnvelopeId>),
    /// A challenge, to prove a mailbox for this.
    Challenging(depositing::Proving),
    /// What lies in a mailbox.
    Fetching,
    /// The erasure of what was fetched.
    Acking,
}

#[derive(Debug)]
struct Asked {
    expect: ExpectReply,
    reserved: Option<Reserved>,
    operation: Operation,
    /// The envelope's hash.
    digest: Fixed<32>,
}

mod tags {
    pub(super) const NEXT: u64 = 0;
    pub(super) const TIMEOUT: u64 = 1;
    pub(super) const RETRY: u64 = 2;
}

impl Client {
    /// A device that has not been enrolled.
    pub fn new(index: usize, name: String, rng: Rng) -> Self {
        Self {
            index,
            name,
            clock: WallClock::default(),
            rng,
            life: 1,
            dialled: 0,
            invitation: None,
            files: Files::default(),
            disk: Disk::default(),
            live: Live::default(),
            told: Vec::new(),
        }
    }

    /// Gives it a link and a PIN.
    pub fn invite(&mut self, invitation: Invitation) {
        self.invitation = Some(invitation);
    }

    /// Waits no more for answers to what was left on connections of which this is true.
    pub fn forget_awaited(&mut self, is_lost: impl Fn(Conn) -> bool) {
        self.live.awaiting.retain(|awaiting| !is_lost(awaiting.left()));
    }

    /// What it has come to believe since the last time.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// How often it wrote in the step that is to be settled, or in which it crashes.
    pub fn writes(&self) -> usize {
        self.disk.writes()
    }

    /// What it wrote stays, and what it would send may go.
    pub fn settle(&mut self) {
        self.disk.settle();
    }

    /// Loses everything that was not written down.
    pub fn crash(&mut self) {
        self.life += 1;
        self.live = Live::default();
        self.files = self.disk.files();
    }

    /// Crashes at a write of the step just taken, of which nothing was sent yet.
    pub fn crash_at(&mut self, write: usize, moment: Moment) {
        let told = self.disk.go_back(write, moment);
        self.told.truncate(told);
        self.crash();
    }

    /// Something happened at this time.
    pub fn handle(&mut self, input: ToPeer, now: Millis) -> Vec<FromPeer> {
        match input {
            ToPeer::Timer(timer) if timer.life == self.life => self.woken(timer.tag, now),
            ToPeer::Closed(conn, _) if self.conn() == Some(conn) => self.fail(Trouble::LOST, now),
            ToPeer::Answered { conn, stream, bytes, whole } if self.conn() == Some(conn) => {
                let expected = self.doing().is_some_and(|doing| doing.waits_on.take_if(|at| *at == stream).is_some());
                if expected { self.answered(&bytes, whole, now) } else { Vec::new() }
            }
            ToPeer::Timer(_) | ToPeer::Called(..) | ToPeer::Closed(..) | ToPeer::Answered { .. } => Vec::new(),
        }
    }

    fn woken(&mut self, tag: u64, now: Millis) -> Vec<FromPeer> {
        let (kind, serial) = (tag & 3, tag >> 2);
        if kind == tags::NEXT {
            return self.begin_next();
        }
        if self.live.serial != serial {
            return Vec::new();
        }
        match kind {
            tags::TIMEOUT => self.fail(Trouble::LOST, now),
            _ => self.meet(),
        }
    }

    fn answered(&mut self, bytes: &[u8], whole: bool, now: Millis) -> Vec<FromPeer> {
        let Some(doing) = self.doing() else { return Vec::new() };
        let step = std::mem::replace(&mut doing.step, Step::Pausing);
        let mut reader = Reader::new(bytes);
        let frame = match reader.frame() {
            Ok(Frame::Refused(code)) => return self.fail(AskError::Refused(code).into(), now),
            Ok(frame) => frame,
            Err(error) => return self.fail(error.into(), now),
        };
        match (step, frame) {
            (Step::Meeting, Frame::Done) => self.met(reader, now),
            (Step::Asking(asked), Frame::Done) => self.asked(&asked, reader, whole, now),
            (Step::Depositing(awaiting, id), Frame::Queued(queued)) if queued == *id => self.queued(*awaiting),
            (Step::Challenging(proving), Frame::Challenged(challenge)) => self.prove(proving, &challenge),
            (Step::Fetching, frame) => self.collected(frame, reader, whole, now),
            (Step::Acking, Frame::Done) => self.finish(),
            _ => self.fail(AskError::Misbehaved.into(), now),
        }
    }

    /// What it takes to be the time.
    fn time(&self, now: Millis) -> Timestamp {
        Timestamp(self.clock.read(now).0.saturating_add_signed(self.live.corrected))
    }

    fn conn(&self) -> Option<Conn> {
        Some(self.live.doing.as_ref()?.conn)
    }

    fn doing(&mut self) -> Option<&mut Doing> {
        self.live.doing.as_mut()
    }

    fn ask(&mut self, step: Step, bytes: Vec<u8>) -> Vec<FromPeer> {
        self.live.serial += 1;
        let timer = Timer { life: self.life, tag: tags::TIMEOUT | self.live.serial << 2 };
        let Some(doing) = self.doing() else { return Vec::new() };
        let stream = Stream(doing.next_stream);
        doing.next_stream += 1;
        doing.waits_on = Some(stream);
        doing.step = step;
        vec![FromPeer::Ask(doing.conn, stream, bytes), FromPeer::Timer(ANSWER_TIME, timer)]
    }

    /// Makes its files durable as they are.
    fn save(&mut self) {
        self.disk.write(&self.files, self.told.len());
    }
}

/// What clients asked for and how it went, counted by errand.
pub type Tally = BTreeMap<&'static str, u64>;
