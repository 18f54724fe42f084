//! What an answer may say: what the record says of that very envelope, or of its try.

use rohrpost_e2ee::body::{DocumentId, LinkId, Status};
use rohrpost_wire::fixed::Fixed;

use super::deed::Deed;
use super::policy::Policy;
use super::requests::{Kept, Requests, Sealed};

/// Envelopes that are recorded with one link, as the protocol says.
const ENVELOPES_PER_LINK: usize = 100;

impl Requests {
    /// What is wrong with this answer, as its author opened it.
    pub(super) fn believe(&mut self, digest: &Fixed<32>, status: Status, policy: &Policy) -> Option<&'static str> {
        self.recorded.remove(digest);
        let Some(kept) = self.kept.get(digest) else { return Some("an answer to what nobody sealed") };
        let (sealed, enrols) = (&kept.sealed, kept.sealed.deed() == Deed::Enrol);
        if status == Status::Repeated {
            let seen = kept.leaves > 0 || kept.counted;
            return (!seen).then_some("an envelope was called a copy that the safe had not seen");
        }
        // An enrolment's answer is told again as often as it is asked for, as long as its device is not revoked.
        if enrols && let Some(outcome) = self.past.outcome_of(sealed) {
            let gone = outcome == Status::Done && status == Status::NotAllowed && !policy.is_active(sealed.device);
            if outcome == status || gone {
                return None;
            }
        }
        if kept.said.contains(&status) {
            let twice = kept.is_believed && !enrols;
            if let Some(kept) = self.kept.get_mut(digest) {
                kept.is_believed = status == Status::Done;
            }
            return twice.then_some("one effect was believed twice");
        }
        if !kept.said.is_empty() {
            return Some("an answer says another thing than the record");
        }
        let unknown = status == Status::NotAllowed && (!kept.was_known || self.is_worn_out(sealed));
        let used_up =
            status == Status::Busy && sealed.link.is_some_and(|link| self.with_link(link) >= ENVELOPES_PER_LINK);
        // Whoever is unknown leaves nothing behind, nor does anybody with a link that was asked too often.
        let has_ground =
            unknown || used_up || (kept.counted && status == Status::Conflict && self.is_conflict_of_its_try(sealed));
        (!has_ground).then_some("an answer was believed that nothing on the safe's disk bears out")
    }

    /// Whether the record says of another envelope with the same try that it came too late: that is recorded once.
    fn is_conflict_of_its_try(&self, sealed: &Sealed) -> bool {
        let attempt = sealed.attempt();
        let says = |kept: &Kept| kept.said.contains(&Status::Conflict) && kept.sealed.attempt() == attempt;
        self.kept.values().filter(|kept| kept.counted).any(says)
    }

    /// What a listing showed, that this envelope asked for.
    pub(super) fn shown(&self, digest: &Fixed<32>) -> Option<&[DocumentId]> {
        self.kept.get(digest)?.shown.as_deref()
    }

    fn with_link(&self, link: LinkId) -> usize {
        self.kept.values().filter(|kept| kept.sealed.link == Some(link)).count()
    }
}
