//! A device asks about itself.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{Payload, SafeStatus};
use rohrpost_wire::Timestamp;

use super::{documents, enrol};
use crate::audit::{Action, Decision};
use crate::requests::{Handled, write_event};
use crate::rows::DeviceRow;
use crate::vault::{Draft, StoreError};

pub(crate) fn handle(
    draft: &mut Draft<'_>,
    device: &DeviceRow,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    write_event(draft, device, Action::StatusAsked, Decision::Allowed, now, rng)?;
    let owner = enrol::owner(draft, device)?;
    Ok(Handled::payload(Payload::Status(SafeStatus {
        practice: owner.practice,
        patient: owner.patient,
        device_name: device.name.clone(),
        documents: documents::count(draft, device, now)?,
    })))
}
