//! A patient's device: the product's decisions about records, sequence numbers, retries and parts, over a simulated
//! network.
//!
//! Durable is what the product writes down before it goes on: account, pending enrolment, the part of a document. All
//! else a crash takes. What it comes to believe it tells the oracle, as [`Told`].

mod asking;
mod depositing;
mod errand;
mod errands;
mod receiving;
mod told;

use std::collections::{BTreeMap, VecDeque};

use rohrpost_e2ee::body::{DeviceId, Operation};
use rohrpost_e2ee::exchange::ExpectReply;
use rohrpost_e2ee::trust::{self, TrustedSafe};
use rohrpost_e2ee::{Link, RequestId};
use rohrpost_patient::account::{Account, Pending, Safe as KnownSafe};
use rohrpost_patient::partial::Kept;
use rohrpost_patient::retry::Retry;
use rohrpost_patient::sequence::Reserved;
use rohrpost_patient::session::Corrections;
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{Frame, InboxId, Timestamp, limits};

pub use self::depositing::Awaiting;
pub use self::errand::{Errand, Number};
pub use self::told::{Told, Trouble};
use crate::message::{self, Reader};
use crate::port::{Conn, FromPeer, Peer, Stream, Timer, ToPeer};
use crate::random::Rng;
use crate::safe::office::Invitation;
use crate::time::{Millis, WallClock};

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
    pending: Option<Pending>,
    /// What an account knew of its safe that was removed: it stays on the disk.
    removed: Option<KnownSafe>,
    account: Option<Account>,
    part: Option<(Kept, Vec<u8>)>,
    live: Option<Live>,
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
    Depositing(Box<Awaiting>, Box<rohrpost_wire::EnvelopeId>),
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
            pending: None,
            removed: None,
            account: None,
            part: None,
            live: Some(Live::default()),
            told: Vec::new(),
        }
    }

    /// Gives it a link and a PIN.
    pub fn invite(&mut self, invitation: Invitation) {
        self.invitation = Some(invitation);
    }

    /// The link it was given last.
    pub fn link(&self) -> Option<&Link> {
        self.invitation.as_ref().map(|invitation| &invitation.link)
    }

    /// Whether it believes to be enrolled.
    pub fn is_enrolled(&self) -> bool {
        self.account.is_some()
    }

    /// The device it is or tries to be.
    pub fn device(&self) -> Option<DeviceId> {
        let key = self.account.as_ref().map(Account::key).or_else(|| self.pending.as_ref().map(Pending::key))?;
        Some(DeviceId::of_key(&key.public()))
    }

    /// What it knows of its safe.
    pub fn known(&self) -> Option<trust::Known> {
        let safe = self.account.as_ref().map(|account| &account.safe);
        safe.or_else(|| self.pending.as_ref().map(|pending| &pending.safe)).map(KnownSafe::known)
    }

    /// Whether nothing is planned, under way or awaited.
    pub fn is_idle(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.plan.is_empty() && live.doing.is_none() && live.awaiting.is_empty())
    }

    /// Waits no more for answers to what was left on connections of which this is true.
    pub fn forget_awaited(&mut self, is_lost: impl Fn(Conn) -> bool) {
        if let Some(live) = &mut self.live {
            live.awaiting.retain(|awaiting| !is_lost(awaiting.left()));
        }
    }

    /// Answers to deposits that are awaited.
    pub fn awaiting(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.awaiting.len())
    }

    /// Whether an errand is under way.
    pub fn is_busy(&self) -> bool {
        self.under_way().is_some()
    }

    /// The errand under way: which start of the device it belongs to, and the how-manieth it is there.
    pub fn under_way(&self) -> Option<(u64, u64)> {
        let live = self.live.as_ref().filter(|live| live.doing.is_some())?;
        Some((self.life, live.begun))
    }

    /// Whether an answer on this stream is what it waits for.
    pub fn waits_on(&self, conn: Conn, stream: Stream) -> bool {
        let doing = self.live.as_ref().and_then(|live| live.doing.as_ref());
        doing.is_some_and(|doing| doing.conn == conn && doing.waits_on == Some(stream))
    }

    /// What it has come to believe since the last time.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Loses everything that was not written down.
    pub fn crash(&mut self) {
        self.life += 1;
        self.live = Some(Live::default());
    }

    /// Something happened at this time.
    pub fn handle(&mut self, input: ToPeer, now: Millis) -> Vec<FromPeer> {
        match input {
            ToPeer::Timer(timer) if timer.life == self.life => self.woken(timer.tag, now),
            ToPeer::Closed(conn, _) if self.conn() == Some(conn) => self.fail(Trouble::Lost, now),
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
        if self.live.as_ref().map(|live| live.serial) != Some(serial) {
            return Vec::new();
        }
        match kind {
            tags::TIMEOUT => self.fail(Trouble::Lost, now),
            _ => self.meet(),
        }
    }

    /// Dials anew and asks for the records; a mailbox is asked for on a connection of its own, without them.
    fn meet(&mut self) -> Vec<FromPeer> {
        self.dialled += 1;
        let conn = Conn { peer: Peer::Client(self.index), number: self.dialled };
        let inbox = self.inbox();
        let Some(doing) = self.doing() else { return Vec::new() };
        doing.conn = conn;
        doing.next_stream = 0;
        doing.safe = None;
        let mut out = vec![FromPeer::Dial(conn)];
        if doing.errand == Errand::Collect {
            out.extend(self.challenge(depositing::Proving::Fetch));
        } else if let Some(inbox) = inbox {
            out.extend(self.ask(Step::Meeting, message::frame(&Frame::Records(inbox))));
        }
        out
    }

    fn inbox(&self) -> Option<InboxId> {
        let safe = self.account.as_ref().map(|account| &account.safe);
        safe.or_else(|| self.pending.as_ref().map(|pending| &pending.safe)).map(|safe| safe.inbox)
    }

    fn answered(&mut self, bytes: &[u8], whole: bool, now: Millis) -> Vec<FromPeer> {
        let Some(doing) = self.doing() else { return Vec::new() };
        let step = std::mem::replace(&mut doing.step, Step::Pausing);
        let mut reader = Reader::new(bytes);
        let Some(frame) = reader.frame() else { return self.fail(Trouble::unreadable(whole), now) };
        if let Frame::Refused(code) = frame {
            return self.fail(Trouble::Refused(code), now);
        }
        match (step, frame) {
            (Step::Meeting, Frame::Done) => self.met(reader, whole, now),
            (Step::Asking(asked), Frame::Done) => self.asked(&asked, reader, whole, now),
            (Step::Depositing(awaiting, id), Frame::Queued(queued)) if queued == *id => self.queued(*awaiting),
            (Step::Challenging(proving), Frame::Challenged(challenge)) => self.prove(proving, &challenge),
            (Step::Fetching, frame) => self.collected(frame, reader, whole, now),
            (Step::Acking, Frame::Done) => self.finish(),
            _ => self.fail(Trouble::Misbehaved, now),
        }
    }

    /// Nothing is sealed before the records have been verified against what is known.
    fn met(&mut self, mut reader: Reader<'_>, whole: bool, now: Millis) -> Vec<FromPeer> {
        let set = reader.blob(limits::RECORDS_BYTES).and_then(|blob| RecordSet::decode(blob).ok());
        let (Some(set), Some(known)) = (set, self.known()) else {
            return self.fail(Trouble::unreadable(whole), now);
        };
        let safe = match trust::verify(&set, &known, self.time(now)) {
            Ok(safe) => safe,
            Err(error) => return self.fail(Trouble::Trust(error), now),
        };
        if let Some(account) = &mut self.account {
            account.safe.learn(&safe);
        } else if let Some(pending) = &mut self.pending {
            pending.safe.learn(&safe);
        }
        let (pin, prekey, key) = (safe.pin(), safe.prekey_id(), Box::new(*safe.prekey()));
        self.told.push(Told::Met { pin, prekey, key, known: *safe.known() });
        let Some(doing) = self.doing() else { return Vec::new() };
        doing.safe = Some(safe);
        let doing_errand = doing.errand;
        match doing_errand {
            Errand::Deposit => self.deposit(now),
            Errand::Enrol { .. }
            | Errand::List
            | Errand::Fetch(_)
            | Errand::Status
            | Errand::Collect
            | Errand::Steal(_)
            | Errand::Craft(..) => self.request(self.operation_of(doing_errand), now),
        }
    }

    /// What it takes to be the time.
    fn time(&self, now: Millis) -> Timestamp {
        let corrected = self.live.as_ref().map_or(0, |live| live.corrected);
        Timestamp(self.clock.read(now).0.saturating_add_signed(corrected))
    }

    fn conn(&self) -> Option<Conn> {
        Some(self.live.as_ref()?.doing.as_ref()?.conn)
    }

    fn doing(&mut self) -> Option<&mut Doing> {
        self.live.as_mut()?.doing.as_mut()
    }

    fn ask(&mut self, step: Step, bytes: Vec<u8>) -> Vec<FromPeer> {
        let since = self.life;
        let Some(live) = &mut self.live else { return Vec::new() };
        live.serial += 1;
        let timer = Timer { life: since, tag: tags::TIMEOUT | live.serial << 2 };
        let Some(doing) = &mut live.doing else { return Vec::new() };
        let stream = Stream(doing.next_stream);
        doing.next_stream += 1;
        doing.waits_on = Some(stream);
        doing.step = step;
        vec![FromPeer::Ask(doing.conn, stream, bytes), FromPeer::Timer(ANSWER_TIME, timer)]
    }
}

/// What clients asked for and how it went, counted by errand.
pub type Tally = BTreeMap<&'static str, u64>;
