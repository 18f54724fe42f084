//! Every request as its author sealed it, and what came of it: an effect has one envelope behind it and that envelope no
//! other effect.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::DeviceId;
use rohrpost_safe_agent::audit::Event;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;

use super::deed::{Deed, allowed};
use crate::port::Conn;

/// Leaves that one envelope can be worth: what it asked for, or a try and its outcome.
const LEAVES: u64 = 2;

/// Seconds between the look at a request's times and its leaf: an enrolment is flushed in between.
const FLUSHES: u64 = 1;

/// An envelope as its author knows it.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) device: DeviceId,
    pub(super) deed: Deed,
    /// The device's number for it; none before it is enrolled.
    pub(super) sequence: Option<u64>,
    /// By its author's clock.
    pub(super) expires: Timestamp,
    pub(super) live: bool,
    pub(super) right_pin: bool,
    /// An insider left it so that it can have no effect.
    pub(super) void: bool,
}

#[derive(Debug)]
struct Kept {
    sealed: Sealed,
    effects: u64,
    leaves: u64,
}

/// All envelopes by their hashes.
#[derive(Debug, Default)]
pub(super) struct Requests {
    kept: BTreeMap<Fixed<32>, Kept>,
    /// Numbers that had an effect.
    numbers: BTreeSet<(DeviceId, u64)>,
    names: Vec<(usize, RequestId)>,
    /// What a relay confirmed to have queued and no safe has recorded, with the connection on which it was left.
    queued: BTreeMap<Fixed<32>, Conn>,
}

impl Requests {
    /// Somebody sealed this.
    pub(super) fn seal(&mut self, client: usize, digest: Fixed<32>, request: RequestId, sealed: Sealed) {
        self.kept.insert(digest, Kept { sealed, effects: 0, leaves: 0 });
        self.names.push((client, request));
    }

    /// A relay confirmed to have queued this.
    pub(super) fn queue(&mut self, left: Conn, digest: Fixed<32>) {
        if self.kept.get(&digest).is_some_and(|kept| kept.leaves == 0) {
            self.queued.insert(digest, left);
        }
    }

    /// The connections on which something was left that no safe has recorded, unless its time was up at this time.
    pub(super) fn unrecorded(&self, now: Timestamp) -> impl Iterator<Item = Conn> {
        let in_time = move |digest: &Fixed<32>| self.kept.get(digest).is_some_and(|kept| kept.sealed.expires > now);
        self.queued.iter().filter(move |(digest, _)| in_time(digest)).map(|(_, left)| *left)
    }

    /// The name of one of the last requests of others.
    pub(super) fn name_of_another(&self, client: usize, place: usize) -> Option<RequestId> {
        let mut others = self.names.iter().rev().filter(|(of, _)| *of != client);
        others.nth(place).map(|(_, name)| *name)
    }

    /// What is wrong with a leaf that this envelope wrote.
    pub(super) fn recorded(&mut self, digest: &Fixed<32>, live: bool, leaf: &Event) -> Option<&'static str> {
        let Some(kept) = self.kept.get_mut(digest) else { return Some("a leaf for an envelope that nobody sealed") };
        kept.leaves += 1;
        self.queued.remove(digest);
        if kept.leaves > LEAVES {
            return Some("more leaves for one envelope than it is worth");
        }
        let sealed = &kept.sealed;
        if sealed.void {
            return Some("a leaf for what an insider forged");
        }
        if sealed.live != live {
            return Some("an envelope was taken that came another way than it was sealed for");
        }
        let (device, deed) = allowed(leaf)?;
        kept.effects += 1;
        if kept.effects > 1 {
            return Some("two effects of one envelope");
        }
        if sealed.device != device || sealed.deed != deed {
            return Some("an effect that is not what was asked for, or for somebody else");
        }
        if leaf.at >= sealed.expires.plus(FLUSHES) {
            return Some("an effect of a request that had ended");
        }
        if sealed.sequence.is_some_and(|number| number == 0 || !self.numbers.insert((device, number))) {
            return Some("an effect under a number that was used, or is none");
        }
        (deed == Deed::Enrol && !sealed.right_pin).then_some("an enrolment with a wrong PIN")
    }
}
