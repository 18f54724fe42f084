//! What can be asked of a safe: as an operation puts it, and as a leaf of the record does.

use rohrpost_e2ee::body::{DeviceId, DocumentId, Operation};
use rohrpost_safe_agent::audit::{Action, Actor, Decision, Event};

/// What can be asked of a safe, as far as the oracle tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// To become a device.
    Enrol,
    /// A listing.
    List,
    /// A document.
    Read(DocumentId),
    /// The status.
    Status,
}

impl Deed {
    /// What an operation asks for. A new operation does not compile without a place here.
    pub fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Enrol { .. } => Self::Enrol,
            Operation::Documents { .. } => Self::List,
            Operation::Document { document, .. } => Self::Read(*document),
            Operation::Status => Self::Status,
        }
    }

    /// What a leaf of the record says was asked for; nothing for what the practice does itself.
    fn recorded(action: &Action) -> Option<Self> {
        match action {
            Action::Enrolment(_) => Some(Self::Enrol),
            Action::Listed { .. } => Some(Self::List),
            Action::Read { document, .. } => Some(Self::Read(*document)),
            Action::StatusAsked => Some(Self::Status),
            Action::Founded
            | Action::PatientAdded
            | Action::DocumentAdded(_)
            | Action::Shared(_)
            | Action::Unshared(_)
            | Action::LinkMade(_)
            | Action::DeviceRevoked(_)
            | Action::ClockAccepted
            | Action::LossAccepted { .. } => None,
        }
    }
}

/// Who was allowed what, if a leaf says that somebody was.
pub(super) fn allowed(event: &Event) -> Option<(DeviceId, Deed)> {
    match (&event.actor, event.decision) {
        (Actor::Device(device), Decision::Allowed) => Some((*device, Deed::recorded(&event.action)?)),
        (Actor::Device(_) | Actor::Owner | Actor::Safe, _) => None,
    }
}
