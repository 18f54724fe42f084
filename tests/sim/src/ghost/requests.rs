//! Every request as its author sealed it, and what came of it: an effect has one envelope behind it and that envelope no
//! other effect; a refusal has its reason; and an answer says what the record says.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{DeviceId, DocumentId, LinkId, Operation, Status};
use rohrpost_safe_agent::audit::{Decision, Event, Refusal};
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;

use super::deed::{Deed, allowed};
use super::past::Past;
use super::policy::{Attempt, Policy};
use super::refusals::{self, CLOCK_GRACE};
use crate::port::Conn;
use crate::time::Millis;

/// Leaves that one envelope can be worth: what it asked for, or a try and its outcome.
const LEAVES: u64 = 2;

/// Seconds between the look at a request's times and its leaf: an enrolment is flushed in between.
const FLUSHES: u64 = 1;

/// How long a deposit lies at a relay for sure: a day, less the hours by which the relay's clock may be wrong.
const LIES_FOR: Millis = Millis::hours(20);

/// Requests of a revoked device that are recorded, in all its life.
const AFTER_REVOCATION: usize = 100;

/// An envelope as its author knows it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// In this device's name.
    pub device: DeviceId,
    /// The name of the request in it.
    pub request: RequestId,
    /// What it asks for.
    pub operation: Operation,
    /// With this link, to enrol.
    pub link: Option<LinkId>,
    /// The device's number for it; none before it is enrolled.
    pub sequence: Option<u64>,
    /// By its author's clock.
    pub created: Timestamp,
    /// By its author's clock.
    pub expires: Timestamp,
    /// Whether it goes live.
    pub live: bool,
    /// For an enrolment: whether the PIN is the right one.
    pub right_pin: bool,
    /// Whether an insider left it so that it can have no effect.
    pub void: bool,
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) sealed: Sealed,
    /// Whether its device was enrolled, or its link made, when it was sealed.
    pub(super) was_known: bool,
    pub(super) leaves: u64,
    /// An enrolment's: whether its try was counted, on disk.
    pub(super) counted: bool,
    /// What its leaves say that the answer is.
    pub(super) said: Vec<Status>,
    /// Whether its author believes in the effect.
    pub(super) is_believed: bool,
    /// What a listing showed.
    pub(super) shown: Option<Vec<DocumentId>>,
}

/// A deposit that a safe has recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded {
    left: Conn,
    at: Millis,
    /// Whether its safe had the time to leave the answer.
    is_answered: bool,
}

/// All envelopes by their hashes.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) kept: BTreeMap<Fixed<32>, Kept>,
    pub(super) past: Past,
    names: Vec<(usize, RequestId)>,
    /// What was recorded of each device since it was revoked.
    revoked: BTreeMap<DeviceId, usize>,
    /// What a relay confirmed to have queued and no safe has recorded, with the connection on which it was left, and when.
    queued: BTreeMap<Fixed<32>, (Conn, Millis)>,
    /// What was recorded of it, and is not known to be answered.
    pub(super) recorded: BTreeMap<Fixed<32>, Recorded>,
    /// What was queued since everything that is asked for has to be done.
    due: Option<BTreeSet<(usize, Fixed<32>)>>,
}

impl Sealed {
    /// What it asks for.
    pub(super) fn deed(&self) -> Deed {
        Deed::of(&self.operation)
    }

    /// The try that it is worth, at a link.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { device: self.device, request: self.request, operation: self.operation.clone() }
    }
}

impl Requests {
    /// Somebody sealed this.
    pub(super) fn seal(&mut self, client: usize, digest: Fixed<32>, sealed: Sealed, policy: Option<&Policy>) {
        self.names.push((client, sealed.request));
        let was_known = policy.is_some_and(|policy| match sealed.link {
            Some(link) => policy.knows(link),
            None => policy.owner(sealed.device).is_some(),
        });
        let (said, shown) = (Vec::new(), None);
        let kept = Kept { sealed, was_known, leaves: 0, counted: false, said, is_believed: false, shown };
        self.kept.insert(digest, kept);
    }

    /// A relay confirmed to have queued this.
    pub(super) fn queue(&mut self, client: usize, left: Conn, digest: Fixed<32>, now: Millis) {
        self.queued.insert(digest, (left, now));
        if self.kept.get(&digest).is_some_and(|kept| kept.leaves > 0) {
            self.note_recorded(&digest, now);
        }
        if let Some(due) = &mut self.due {
            due.insert((client, digest));
        }
    }

    /// From now on whatever is queued has to be done.
    pub(super) fn expect_all(&mut self) {
        self.due.get_or_insert_default();
    }

    /// Whether this client left something that had to be done, and all of it was, as it knows.
    pub(super) fn is_served(&self, client: usize) -> bool {
        let of_client = self.due.iter().flatten().filter(|(of, _)| *of == client);
        let mut done =
            of_client.map(|(_, digest)| self.kept.get(digest).is_some_and(|kept| kept.is_believed)).peekable();
        done.peek().is_some() && done.all(|done| done)
    }

    /// The connections on which something was left that no safe has recorded, unless its time was up at this time.
    pub(super) fn unrecorded(&self, now: Timestamp) -> impl Iterator<Item = Conn> {
        let in_time = move |digest: &Fixed<32>| self.kept.get(digest).is_some_and(|kept| kept.sealed.expires > now);
        self.awaited().filter(move |(digest, _)| in_time(digest)).map(|(_, (left, _))| *left)
    }

    /// What was queued and is to be recorded.
    fn awaited(&self) -> impl Iterator<Item = (&Fixed<32>, &(Conn, Millis))> {
        let is_owed = |digest: &Fixed<32>| self.kept.get(digest).is_none_or(|kept| !self.is_worn_out(&kept.sealed));
        self.queued.iter().filter(move |(digest, _)| is_owed(digest))
    }

    /// Whether it is of a revoked device that asked so often that nothing of it is recorded any more.
    pub(super) fn is_worn_out(&self, sealed: &Sealed) -> bool {
        let recorded = self.revoked.get(&sealed.device).copied().unwrap_or_default();
        sealed.deed() != Deed::Enrol && recorded >= AFTER_REVOCATION
    }

    /// The connections on which something was left, an hour and more before this time, that no safe has recorded, unless
    /// its time at a relay may have been up by then.
    pub(super) fn overdue(&self, at: Millis) -> impl Iterator<Item = Conn> {
        let lay = move |queued: Millis| queued.plus(Millis::hours(1)) <= at && at < queued.plus(LIES_FOR);
        self.awaited().filter(move |(_, (_, queued))| lay(*queued)).map(|(_, (left, _))| *left)
    }

    /// There is a leaf of this.
    pub(super) fn note_recorded(&mut self, digest: &Fixed<32>, at: Millis) {
        if let Some((left, _)) = self.queued.remove(digest) {
            self.recorded.insert(*digest, Recorded { left, at, is_answered: false });
        }
    }

    /// A safe has been connected since this time: what it recorded before and had from these has its answer at the relay.
    pub(super) fn expect_answers(&mut self, since: Millis, is_of: impl Fn(Conn) -> bool) {
        for recorded in self.recorded.values_mut().filter(|recorded| recorded.at <= since && is_of(recorded.left)) {
            recorded.is_answered = true;
        }
    }

    /// Whether the answer to this has to be found at a relay.
    pub(super) fn is_answer_due(&self, digest: &Fixed<32>, now: Millis) -> bool {
        let recorded = self.recorded.get(digest);
        recorded.is_some_and(|recorded| recorded.is_answered && now < recorded.at.plus(LIES_FOR))
    }

    /// The name of one of the last requests of others.
    pub(super) fn name_of_another(&self, client: usize, place: usize) -> Option<RequestId> {
        let mut others = self.names.iter().rev().filter(|(of, _)| *of != client);
        others.nth(place).map(|(_, name)| *name)
    }

    /// The try of this envelope is counted and on disk: which try, of which link.
    pub(super) fn count(&mut self, digest: &Fixed<32>) -> Option<(LinkId, Attempt)> {
        let kept = self.kept.get_mut(digest)?;
        kept.counted = true;
        Some((kept.sealed.link?, kept.sealed.attempt()))
    }

    /// What is wrong with a leaf that this envelope wrote, judged by what stands before it.
    pub(super) fn recorded(
        &mut self,
        (digest, live): (&Fixed<32>, bool),
        leaf: &Event,
        policy: &mut Policy,
    ) -> Option<&'static str> {
        let Some(kept) = self.kept.get_mut(digest) else { return Some("a leaf for an envelope that nobody sealed") };
        kept.leaves += 1;
        let device = kept.sealed.device;
        // With a link it is recorded on the link's account.
        if kept.sealed.deed() != Deed::Enrol && policy.owner(device).is_some() && !policy.is_active(device) {
            let recorded = self.revoked.entry(device).or_default();
            *recorded += 1;
            if *recorded > AFTER_REVOCATION {
                return Some("more leaves of a revoked device than are kept of one");
            }
        }
        if kept.leaves > LEAVES {
            return Some("more leaves for one envelope than it is worth");
        }
        if kept.sealed.void {
            return Some("a leaf for what an insider forged");
        }
        if kept.sealed.live != live {
            return Some("an envelope was taken that came another way than it was sealed for");
        }
        match leaf.decision {
            Decision::Allowed => effect(kept, &mut self.past, leaf, policy),
            Decision::Refused(refusal) => refused(kept, &mut self.past, leaf, refusal, policy),
        }
    }
}

fn effect(kept: &mut Kept, past: &mut Past, leaf: &Event, policy: &mut Policy) -> Option<&'static str> {
    let sealed = &kept.sealed;
    let (device, deed) = allowed(leaf)?;
    if kept.said.contains(&Status::Done) {
        return Some("two effects of one envelope");
    }
    if sealed.device != device || sealed.deed() != deed {
        return Some("an effect that is not what was asked for, or for somebody else");
    }
    if leaf.at >= sealed.expires.plus(FLUSHES) {
        return Some("an effect of a request that had ended");
    }
    if sealed.created > leaf.at.plus(CLOCK_GRACE) {
        return Some("an effect of a request that was still to be made");
    }
    if deed == Deed::Enrol && !sealed.right_pin {
        return Some("an enrolment with a wrong PIN");
    }
    kept.said.push(Status::Done);
    kept.shown = (deed == Deed::List).then(|| policy.documents_of(device));
    let wrong = policy.compare(&kept.sealed, kept.counted, leaf);
    wrong.or_else(|| past.act(&kept.sealed, Status::Done))
}

fn refused(
    kept: &mut Kept,
    past: &mut Past,
    leaf: &Event,
    refusal: Refusal,
    policy: &mut Policy,
) -> Option<&'static str> {
    let status = match refusals::status(refusal, leaf, kept, past, policy) {
        Ok(status) => status,
        Err(wrong) => return Some(wrong),
    };
    kept.said.push(status);
    let wrong = if kept.counted { policy.compare(&kept.sealed, true, leaf) } else { None };
    let is_outcome = refusals::is_outcome(refusal, kept);
    wrong.or_else(|| if is_outcome { past.act(&kept.sealed, status) } else { None })
}
