//! From one errand to the next: what is planned, begun, tried again, given up or done.

use rand_core::Rng as _;
use rohrpost_e2ee::RequestId;
use rohrpost_patient::account::{Pending, Safe as KnownSafe};
use rohrpost_patient::retry::Retry;
use rohrpost_patient::session::Corrections;

use super::{Client, Doing, Errand, Step, TRIES, Told, Trouble, tags};
use crate::port::{Conn, FromPeer, Peer, Timer};
use crate::random;
use crate::time::Millis;

impl Client {
    /// Plans an errand and begins it, if none is under way.
    pub fn plan(&mut self, errand: Errand) -> Vec<FromPeer> {
        let Some(live) = &mut self.live else { return Vec::new() };
        live.plan.push_back(errand);
        self.begin_next()
    }

    /// Plans an errand for a minute later.
    pub fn plan_later(&mut self, errand: Errand) -> Vec<FromPeer> {
        let since = self.life;
        let Some(live) = &mut self.live else { return Vec::new() };
        live.plan.push_front(errand);
        vec![FromPeer::Timer(Millis::minutes(1), Timer { life: since, tag: tags::NEXT })]
    }

    pub(super) fn begin_next(&mut self) -> Vec<FromPeer> {
        let Some(errand) = self.next_errand() else { return Vec::new() };
        if matches!(errand, Errand::Enrol { .. }) {
            self.begin_enrolment();
        }
        let own = RequestId::generate(&mut self.rng);
        let request = errand.crafted().and_then(|(_, name)| name).unwrap_or(own);
        let Some(live) = &mut self.live else { return Vec::new() };
        // Each errand is a command of its own, which knows nothing of the last one's clock.
        live.corrected = 0;
        live.begun += 1;
        live.doing = Some(Doing {
            errand,
            conn: Conn { peer: Peer::Client(self.index), number: self.dialled },
            next_stream: 0,
            waits_on: None,
            step: Step::Pausing,
            retry: Retry::new(TRIES),
            corrections: Corrections::default(),
            request,
            safe: None,
        });
        self.meet()
    }

    /// The next errand there is a point in, if none is under way.
    pub(super) fn next_errand(&mut self) -> Option<Errand> {
        let (enrolled, invited) = (self.account.is_some(), self.invitation.is_some());
        let live = self.live.as_mut().filter(|live| live.doing.is_none())?;
        let awaited = !live.awaiting.is_empty();
        while let Some(errand) = live.plan.pop_front() {
            let sensible = match errand {
                Errand::Enrol { .. } => !enrolled && invited,
                Errand::Collect => enrolled && awaited,
                Errand::List
                | Errand::Fetch(_)
                | Errand::Status
                | Errand::Deposit
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
        if self.pending.as_ref().is_none_or(|pending| pending.link != id) {
            let mut safe = KnownSafe::of_link(link);
            let before = self.removed.as_ref().map(KnownSafe::known);
            if let Some(before) = before {
                safe.inherit(before);
            }
            self.told.push(Told::Began(before));
            self.pending = Some(Pending::begin(id, safe, &self.name, &mut self.rng));
        }
    }

    /// The errand broke off: again after a pause, or given up, which the patient sees.
    pub(super) fn fail(&mut self, trouble: Trouble, now: Millis) -> Vec<FromPeer> {
        let jitter = self.rng.next_u32();
        let since = self.life;
        let Some(live) = &mut self.live else { return Vec::new() };
        live.serial += 1;
        let serial = live.serial;
        let Some(doing) = &mut live.doing else { return Vec::new() };
        let conn = doing.conn;
        self.told.push(Told::Failed(conn, trouble));
        doing.waits_on = None;
        doing.step = Step::Pausing;
        let mut out = vec![FromPeer::Close(conn)];
        if let Some(pause) = doing.retry.handle_failure(jitter).filter(|_| trouble.is_passing()) {
            let after = Millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            out.push(FromPeer::Timer(after, Timer { life: since, tag: tags::RETRY | serial << 2 }));
            return out;
        }
        let errand = doing.errand;
        live.doing = None;
        self.told.push(Told::GaveUp(errand, trouble));
        out.extend(if errand == Errand::Collect { self.collect_later(now) } else { self.begin_next() });
        out
    }

    /// The errand is done.
    pub(super) fn finish(&mut self) -> Vec<FromPeer> {
        let since = self.life;
        let Some(live) = &mut self.live else { return Vec::new() };
        live.serial += 1;
        let Some(doing) = live.doing.take() else { return Vec::new() };
        self.told.push(Told::Finished(doing.errand));
        let mut out = vec![FromPeer::Close(doing.conn)];
        if matches!(doing.errand, Errand::Deposit) {
            live.plan.push_back(Errand::Collect);
            let after = Millis(60_000 + random::below(&mut self.rng, 600_000));
            out.push(FromPeer::Timer(after, Timer { life: since, tag: tags::NEXT }));
        } else {
            out.extend(self.begin_next());
        }
        out
    }
}
