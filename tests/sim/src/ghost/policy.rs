//! The reference policy: reads a safe's record from its beginning and judges each leaf by those before it.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::body::{DeviceId, DocumentId, LinkId};
use rohrpost_safe_agent::audit::{Action, Actor, Decision, Event, Refusal};
use rohrpost_safe_agent::rows::PatientId;
use rohrpost_wire::Timestamp;
use rohrpost_wire::time::DAY;

use super::Imported;

/// Wrong PINs that a link bears, as the protocol says; not the product's own constant.
const PIN_TRIES: u8 = 5;
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
    wrong: u8,
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

    /// How many documents are shared with a patient.
    pub(super) fn shares_of(&self, patient: PatientId) -> usize {
        self.shared.iter().filter(|(of, _)| *of == patient).count()
    }

    /// What is wrong with the next leaf, if anything is.
    pub(super) fn judge(&mut self, event: &Event, documents: &BTreeMap<DocumentId, Imported>) -> Option<&'static str> {
        match (&event.actor, event.decision) {
            (Actor::Owner | Actor::Safe, _) => {
                self.own(event);
                None
            }
            (Actor::Device(device), Decision::Allowed) => self.allowed(*device, event, documents),
            (Actor::Device(_), Decision::Refused(refusal)) => self.refused(event, refusal),
        }
    }

    fn own(&mut self, event: &Event) {
        let Some(patient) = event.patient else { return };
        match &event.action {
            Action::Shared(document) => drop(self.shared.insert((patient, *document))),
            Action::Unshared(document) => drop(self.shared.remove(&(patient, *document))),
            Action::LinkMade(link) => {
                self.links.insert(*link, Link { patient, made: event.at, used: false, wrong: 0 });
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
        if link.wrong >= PIN_TRIES {
            return Some("an enrolment with a dead link");
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

    fn refused(&mut self, event: &Event, refusal: Refusal) -> Option<&'static str> {
        let (Action::Enrolment(link), Refusal::WrongPin) = (&event.action, refusal) else { return None };
        let link = self.links.get_mut(link)?;
        link.wrong += 1;
        (link.wrong > PIN_TRIES).then_some("more wrong PINs compared than a link has tries")
    }
}
