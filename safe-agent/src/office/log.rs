//! Reading the record of decisions.

use super::desk::Reply;
use super::view::{Entry, rfc3339};
use super::{Stop, resolve};
use crate::audit::{self, Action, Actor, Decision, Event, Part, Refusal};
use crate::vault::Draft;

/// Leaves looked at in one request.
const PAGE: usize = 1000;

pub(super) fn page(draft: &mut Draft<'_>, patient: Option<&str>, from: u64) -> Result<Reply, Stop> {
    let patient = patient.map(|typed| resolve::patient(draft, typed)).transpose()?.map(|row| row.id);
    let Part { events, damaged, next } = audit::part(draft, from, PAGE)?;
    let about = |event: &Event| patient.is_none() || event.patient == patient;
    let entries =
        events.iter().filter(|(_, event)| about(event)).map(|(number, event)| entry(*number, event)).collect();
    Ok(Reply::Log { entries, next, damaged_rows: damaged })
}

fn entry(number: u64, event: &Event) -> Entry {
    let (actor, device) = match event.actor {
        Actor::Owner => ("practice", None),
        Actor::Safe => ("safe", None),
        Actor::Device(device) => ("device", Some(device)),
    };
    let (action, document) = describe(&event.action);
    let reason = match event.decision {
        Decision::Allowed => None,
        Decision::Refused(refusal) => Some(reason(refusal).to_owned()),
    };
    Entry {
        number,
        at: rfc3339(event.at),
        actor: actor.to_owned(),
        device_id: device.map(|device| device.0.to_hex()),
        patient_id: event.patient.map(|patient| patient.0.to_hex()),
        action: action.to_owned(),
        document_id: document,
        missing_writes: missing(&event.action),
        allowed: reason.is_none(),
        reason,
    }
}

fn missing(action: &Action) -> Option<u64> {
    if let Action::LossAccepted { missing: missing @ 1.. } = action { Some(*missing) } else { None }
}

fn describe(action: &Action) -> (&'static str, Option<String>) {
    match action {
        Action::Founded => ("safe made", None),
        Action::PatientAdded => ("patient added", None),
        Action::DocumentAdded(document) => ("document imported", Some(document.0.to_hex())),
        Action::Shared(document) => ("document shared", Some(document.0.to_hex())),
        Action::Unshared(document) => ("share taken back", Some(document.0.to_hex())),
        Action::LinkMade(_) => ("link made", None),
        Action::Enrolment(_) => ("enrolment", None),
        Action::DeviceRevoked(_) => ("device revoked", None),
        Action::Listed { .. } => ("documents listed", None),
        Action::Read { document, .. } => ("document read", Some(document.0.to_hex())),
        Action::ClockAccepted => ("clock accepted", None),
        Action::LossAccepted { .. } => ("loss accepted", None),
        Action::StatusAsked => ("status asked", None),
    }
}

fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotAllowed => "not shared or not there",
        Refusal::Revoked => "device revoked",
        Refusal::WrongPin => "wrong PIN",
        Refusal::LinkUsed => "link used before",
        Refusal::LinkExpired => "link expired",
        Refusal::LinkDead => "too many wrong PINs",
        Refusal::SequenceReused => "sequence number used twice: perhaps the device was copied",
        Refusal::Conflict => "another request under a used id",
        Refusal::OutOfTime => "outside its time",
        Refusal::Changed => "document changed",
        Refusal::WrongLane => "only while connected",
        Refusal::Quota => "too many requests",
        Refusal::Damaged => "stored data damaged",
    }
}
