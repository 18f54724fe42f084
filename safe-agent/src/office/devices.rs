//! Devices: seeing them, revoking them.

use rohrpost_wire::Timestamp;

use super::desk::Reply;
use super::view::{Device, rfc3339};
use super::{Stop, acts, resolve};
use crate::audit;
use crate::rows::{DeviceRow, PatientRow};
use crate::transfers::Revocation;
use crate::vault::{Draft, system_rng};

pub(super) fn list(draft: &mut Draft<'_>) -> Result<Reply, Stop> {
    let mut rows = Vec::new();
    let mut damaged_rows = resolve::every(draft, |row: DeviceRow| rows.push(row))?;
    rows.sort_by_key(|row| (row.enrolled, row.id));
    let devices = rows.into_iter().map(|row| view(draft, row, &mut damaged_rows)).collect::<Result<_, Stop>>()?;
    Ok(Reply::Devices { devices, damaged_rows })
}

fn view(draft: &Draft<'_>, row: DeviceRow, damaged: &mut u64) -> Result<Device, Stop> {
    let patient: Option<PatientRow> = resolve::intact(draft, &row.patient.0.0, damaged)?;
    Ok(Device {
        device_id: row.id.0.to_hex(),
        patient_id: row.patient.0.to_hex(),
        patient: patient.map(|patient| patient.name).unwrap_or_default(),
        name: row.name,
        enrolled: rfc3339(row.enrolled),
        revoked: row.revoked.map(rfc3339),
    })
}

/// Revokes a device; a second time changes nothing.
pub(super) fn revoke(draft: &mut Draft<'_>, device: &str, clock: Timestamp) -> Result<(Reply, Revocation), Stop> {
    let now = audit::effective_time(draft, clock)?;
    let device = resolve::device(draft, device)?.id;
    acts::revoke(draft, device, now, &mut system_rng())?;
    Ok((Reply::DeviceRevoked { device_id: device.0.to_hex() }, Revocation::Device(device)))
}
