//! What each request does, one file per operation.
//!
//! A handler is called once the request is known to be new and its sender to hold an enrolled device's key. It gets at
//! nothing but through [`crate::grants::authorise`], and writes its audit leaf itself, allowed or refused.

pub mod document;
pub mod documents;
pub mod enrol;
pub mod status;

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{LinkId, Operation, Status};
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;

pub use document::Transfer;

use crate::audit::{Action, Decision, Refusal};
use crate::requests::{Handled, Incoming, write_event};
use crate::rows::DeviceRow;
use crate::vault::{Draft, StoreError};

/// Hands a device's request to its handler. A revoked device is refused here, before any of them.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    incoming: &Incoming,
    device: &DeviceRow,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    if device.revoked.is_some() {
        let refused = Decision::Refused(Refusal::Revoked);
        write_event(draft, device, action_of(&incoming.operation), refused, now, rng)?;
        return Ok(Handled::status(Status::NotAllowed));
    }
    match &incoming.operation {
        Operation::Documents { after } => documents::handle(draft, device, *after, now, rng),
        Operation::Document { document, offset, version } => {
            let wanted = document::Wanted { document: *document, offset: *offset, version: *version };
            document::handle(draft, device, &wanted, incoming.live, now, rng)
        }
        Operation::Status => status::handle(draft, device, now, rng),
        // An enrolled device has nothing to enrol; whoever wants to comes as `Enrol`.
        Operation::Enrol { .. } => {
            let refused = Decision::Refused(Refusal::NotAllowed);
            write_event(draft, device, action_of(&incoming.operation), refused, now, rng)?;
            Ok(Handled::status(Status::NotAllowed))
        }
    }
}

/// What the audit log calls an operation.
pub(crate) fn action_of(operation: &Operation) -> Action {
    match operation {
        Operation::Enrol { .. } => Action::Enrolment(LinkId(Fixed([0; 16]))),
        Operation::Documents { .. } => Action::Listed { documents: 0 },
        Operation::Document { document, offset, .. } => Action::Read { document: *document, offset: *offset },
        Operation::Status => Action::StatusAsked,
    }
}
