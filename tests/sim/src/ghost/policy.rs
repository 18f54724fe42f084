//! The reference policy: reads a safe's record from its beginning and judges each leaf by those before it.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{DeviceId, DocumentId, LinkId, Operation};
use rohrpost_safe_agent::audit::{Action, Actor, Decision, Event};
use rohrpost_safe_agent::rows::PatientId;
use rohrpost_wire::Timestamp;
use rohrpost_wire::time::DAY;

use super::Imported;
use super::requests::Sealed;

/// Tries that a link has, as the protocol says; not the product's own constant.
const PIN_TRIES: usize = 5;
/// Days that a link lives, as the protocol says.
const LINK_DAYS: u64 = 14;

/// Who may do what, as the record says so far.
#[derive(Debug, Default)]
pub(super) struct Policy {
    links: BTreeMap<LinkId, Link>,
    devices: BTreeMap<DeviceId, Device>,
    shared: BTreeSet<(PatientId, DocumentId)>,
}

#[derive(Debug)]
struct Link {
    patient: PatientId,
    made: Timestamp,
    used: bool,
    /// Each once, however many envelopes brought it, and whether its PIN was compared.
    tries: Vec<(Attempt, bool)>,
}

/// One guess at a PIN: the same in whatever envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) device: DeviceId,
    pub(super) request: RequestId,
    pub(super) operation: Operation,
}

#[derive(Debug)]
struct Device {
    patient: PatientId,
    revoked: bool,
}

impl Policy {
    /// Whose device it is, revoked or not.
    pub(super) fn owner(&self, device: DeviceId) -> Option<PatientId> {
        self.devices.get(&device).map(|device| device.patient)
    }

    /// Whether a device is enrolled and not revoked.
    pub(super) fn is_active(&self, device: DeviceId) -> bool {
        self.devices.get(&device).is_some_and(|device| !device.revoked)
    }

    /// What is shared with the patient of this device, in the order of a listing.
    pub(super) fn documents_of(&self, device: DeviceId) -> Vec<DocumentId> {
        let Some(owner) = self.owner(device) else { return Vec::new() };
        self.shared.iter().filter(|(of, _)| *of == owner).map(|(_, document)| *document).collect()
    }

    /// Whether there is such a link, used or not.
    pub(super) fn knows(&self, link: LinkId) -> bool {
        self.links.contains_key(&link)
    }

    /// A try is counted and on disk. What is wrong with that, if anything is.
    pub(super) fn count_try(&mut self, link: LinkId, attempt: Attempt) -> Option<&'static str> {
        let Some(link) = self.links.get_mut(&link) else { return Some("a try of a link that is none") };
        if link.tries.iter().any(|(other, _)| *other == attempt) {
            return None;
        }
        link.tries.push((attempt, false));
        (link.tries.len() > PIN_TRIES).then_some("more tries taken than a link has")
    }

    /// A leaf says how an enrolment went whose PIN was, or could have been, compared. Any other request is none.
    pub(super) fn compare(&mut self, sealed: &Sealed, counted: bool, leaf: &Event) -> Option<&'static str> {
        let Action::Enrolment(link) = &leaf.action else { return None };
        if sealed.link != Some(*link) {
            return Some("an enrolment recorded with another link than it was sealed with");
        }
        let attempt = sealed.attempt();
        let found = self.links.get_mut(link)?.tries.iter_mut().find(|(other, _)| *other == attempt);
        let Some((_, compared)) = found.filter(|_| counted) else {
            return Some("a PIN was compared before its try was counted");
        };
        std::mem::replace(compared, true).then_some("one try was compared twice")
    }

    /// Whether the link of this enrolment has enrolled somebody.
    pub(super) fn is_used(&self, sealed: &Sealed) -> bool {
        self.link_of(sealed).is_some_and(|link| link.used)
    }

    /// Whether its time is over.
    pub(super) fn has_ended(&self, sealed: &Sealed, at: Timestamp) -> bool {
        self.link_of(sealed).is_some_and(|link| at > link.made.plus(LINK_DAYS * DAY))
    }

    /// Whether all its tries were taken by others. One that was counted and cut off is compared all the same.
    pub(super) fn is_dead(&self, sealed: &Sealed) -> bool {
        let attempt = sealed.attempt();
        let is_due = |link: &Link| link.tries.iter().any(|(other, compared)| *other == attempt && !compared);
        self.link_of(sealed).is_some_and(|link| link.tries.len() >= PIN_TRIES && !is_due(link))
    }

    /// How many it has left.
    pub(super) fn tries_left(&self, sealed: &Sealed) -> u8 {
        let taken = self.link_of(sealed).map_or(0, |link| link.tries.len());
        u8::try_from(PIN_TRIES.saturating_sub(taken)).unwrap_or_default()
    }

    fn link_of(&self, sealed: &Sealed) -> Option<&Link> {
        self.links.get(sealed.link.as_ref()?)
    }

    /// How many documents are shared with a patient.
    pub(super) fn shares_of(&self, patient: PatientId) -> usize {
        self.shared.iter().filter(|(of, _)| *of == patient).count()
    }

    /// What is wrong with the next leaf, if anything is. Of refusals see [`super::refusals`].
    pub(super) fn judge(&mut self, event: &Event, documents: &BTreeMap<DocumentId, Imported>) -> Option<&'static str> {
        match (&event.actor, event.decision) {
            (Actor::Owner | Actor::Safe, _) => {
                self.own(event);
                None
            }
            (Actor::Device(device), Decision::Allowed) => self.allowed(*device, event, documents),
            (Actor::Device(_), Decision::Refused(_)) => None,
        }
    }

    fn own(&mut self, event: &Event) {
        let Some(patient) = event.patient else { return };
        match &event.action {
            Action::Shared(document) => drop(self.shared.insert((patient, *document))),
            Action::Unshared(document) => drop(self.shared.remove(&(patient, *document))),
            Action::LinkMade(link) => {
                self.links.insert(*link, Link { patient, made: event.at, used: false, tries: Vec::new() });
            }
            Action::DeviceRevoked(device) => {
                if let Some(device) = self.devices.get_mut(device) {
                    device.revoked = true;
                }
            }
            Action::Founded
            | Action::PatientAdded
            | Action::DocumentAdded(_)
            | Action::Enrolment(_)
            | Action::Listed { .. }
            | Action::Read { .. }
            | Action::StatusAsked
            | Action::ClockAccepted
            | Action::LossAccepted { .. } => {}
        }
    }

    fn allowed(
        &mut self,
        id: DeviceId,
        event: &Event,
        documents: &BTreeMap<DocumentId, Imported>,
    ) -> Option<&'static str> {
        if let Action::Enrolment(link) = &event.action {
            return self.enrol(id, *link, event);
        }
        let Some(device) = self.devices.get(&id) else { return Some("an effect for a device that is none") };
        if device.revoked {
            return Some("an effect for a revoked device");
        }
        if event.patient != Some(device.patient) {
            return Some("an effect recorded for another patient than the device's");
        }
        match &event.action {
            Action::Listed { documents } => {
                let shared = self.shared.iter().filter(|(patient, _)| *patient == device.patient).count();
                (usize::try_from(*documents) != Ok(shared)).then_some("a listing of more or fewer than are shared")
            }
            Action::Read { document, .. } => {
                let own = documents.get(document).is_some_and(|imported| imported.patient == device.patient);
                let shared = self.shared.contains(&(device.patient, *document));
                (!own || !shared).then_some("a document given that is not shared with the device's patient")
            }
            Action::StatusAsked => None,
            Action::Founded
            | Action::PatientAdded
            | Action::DocumentAdded(_)
            | Action::Shared(_)
            | Action::Unshared(_)
            | Action::LinkMade(_)
            | Action::Enrolment(_)
            | Action::DeviceRevoked(_)
            | Action::ClockAccepted
            | Action::LossAccepted { .. } => Some("a device did what only the practice does"),
        }
    }

    fn enrol(&mut self, id: DeviceId, link: LinkId, event: &Event) -> Option<&'static str> {
        let Some(link) = self.links.get_mut(&link) else { return Some("an enrolment with a link that is none") };
        if link.used {
            return Some("two enrolments with one link");
        }
        link.used = true;
        if event.at > link.made.plus(LINK_DAYS * DAY) {
            return Some("an enrolment with a link that had ended");
        }
        if Some(link.patient) != event.patient {
            return Some("an enrolment for another patient than the link's");
        }
        let device = Device { patient: link.patient, revoked: false };
        self.devices.insert(id, device).map(|_| "a device enrolled twice")
    }
}
