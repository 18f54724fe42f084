//! From one errand to the next: what is planned, begun, tried again, given up or done.

use rand_core::Rng as _;
use rohrpost_e2ee::RequestId;
use rohrpost_patient::account::{Pending, Safe as KnownSafe};
use rohrpost_patient::retry::Retry;
use rohrpost_patient::session::Corrections;

use super::depositing::LOOK_AGAIN;
use super::{Client, Doing, Errand, Step, TRIES, Told, Trouble, tags};
use crate::port::{Conn, FromPeer, Peer, Timer};
use crate::random;
use crate::time::Millis;

impl Client {
    /// Plans an errand and begins it, if none is under way.
    pub fn plan(&mut self, errand: Errand) -> Vec<FromPeer> {
        self.live.plan.push_back(errand);
        self.begin_next()
    }

    /// Plans an errand for a minute later.
    pub fn plan_later(&mut self, errand: Errand) -> Vec<FromPeer> {
        self.live.plan.push_front(errand);
        vec![FromPeer::Timer(Millis::minutes(1), Timer { life: self.life, tag: tags::NEXT })]
    }

    pub(super) fn begin_next(&mut self) -> Vec<FromPeer> {
        let Some(errand) = self.next_errand() else { return Vec::new() };
        if matches!(errand, Errand::Enrol { .. }) {
            self.begin_enrolment();
        }
        let own = RequestId::generate(&mut self.rng);
        let request = errand.crafted().and_then(|(_, name)| name).unwrap_or(own);
        // Each errand is a command of its own, which knows nothing of the last one's clock.
        self.live.corrected = 0;
        self.live.begun += 1;
        self.live.doing = Some(Doing {
            errand,
            conn: Conn { peer: Peer::Client(self.index), number: self.dialled },
            next_stream: 0,
            waits_on: None,
            step: Step::Pausing,
            retry: Retry::new(TRIES),
            corrections: Corrections::default(),
            was_answered: false,
            request,
            safe: None,
        });
        self.meet()
    }

    /// The next errand there is a point in, if none is under way.
    pub(super) fn next_errand(&mut self) -> Option<Errand> {
        let (enrolled, invited) = (self.is_enrolled(), self.invitation.is_some());
        let awaited = self.awaiting() > 0;
        while let Some(errand) = self.live.plan.pop_front_if(|_| self.live.doing.is_none()) {
            let sensible = match errand {
                Errand::Enrol { .. } => !enrolled && invited,
                Errand::Collect => enrolled && awaited,
                Errand::List
                | Errand::Fetch(_)
                | Errand::Status
                | Errand::Deposit
                | Errand::Forge(_)
                | Errand::Steal(_)
                | Errand::Craft(..) => enrolled,
            };
            if sensible {
                return Some(errand);
            }
        }
        None
    }

    /// Takes up what was begun with this link, or begins.
    pub(super) fn begin_enrolment(&mut self) {
        let Some(link) = self.invitation.as_ref().map(|invitation| &invitation.link) else { return };
        let id = link.secret.id();
        if self.files.pending.as_ref().is_none_or(|pending| pending.link != id) {
            let safe = KnownSafe::of_link(link);
            let mut pending = Pending::begin(id, safe.clone(), &self.name, &mut self.rng);
            self.files.earlier.extend(self.files.pending.take());
            let learnt = self.files.earlier.iter().filter_map(Pending::learnt);
            pending.turn_to(safe, learnt.chain(self.files.removed.as_ref().map(KnownSafe::known)));
            self.told.push(Told::Began(pending.safe.known()));
            self.files.pending = Some(pending);
            self.save();
        }
    }

    /// The errand broke off: again after a pause, or given up, which the patient sees.
    pub(super) fn fail(&mut self, trouble: Trouble, now: Millis) -> Vec<FromPeer> {
        let jitter = self.rng.next_u32();
        self.live.serial += 1;
        let Some(doing) = &mut self.live.doing else { return Vec::new() };
        let (conn, errand) = (doing.conn, doing.errand);
        let pause = trouble.pause_after(doing.was_answered, &mut doing.retry, jitter);
        self.told.push(Told::Failed(conn, trouble, trouble.shown(errand, pause, &doing.retry)));
        doing.waits_on = None;
        doing.step = Step::Pausing;
        let mut out = vec![FromPeer::Close(conn)];
        if let Some(pause) = pause {
            let after = Millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            out.push(FromPeer::Timer(after, Timer { life: self.life, tag: tags::RETRY | self.live.serial << 2 }));
            return out;
        }
        self.live.doing = None;
        self.told.push(Told::GaveUp(errand, trouble));
        self.wait_no_longer(now);
        out.extend(self.begin_next());
        out.extend(self.look_later(LOOK_AGAIN));
        out
    }

    /// The errand is done.
    pub(super) fn finish(&mut self) -> Vec<FromPeer> {
        self.live.serial += 1;
        let Some(doing) = self.live.doing.take() else { return Vec::new() };
        self.told.push(Told::Finished(doing.errand));
        let mut out = vec![FromPeer::Close(doing.conn)];
        let deposited = doing.errand == Errand::Deposit;
        let pause = if deposited { Millis(60_000 + random::below(&mut self.rng, 600_000)) } else { LOOK_AGAIN };
        out.extend(self.begin_next());
        out.extend(self.look_later(pause));
        out
    }
}
