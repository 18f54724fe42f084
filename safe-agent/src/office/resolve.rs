//! From what the owner typed to an id: the whole, or a beginning that fits one alone.

use super::{OfficeError, Stop, Thing};
use crate::rows::{self, DeviceRow, DocumentRow, PatientId, PatientRow, Stored};
use crate::vault::Draft;

/// Characters a beginning needs, against mistyping.
const SHORTEST: usize = 4;
/// Rows looked at in one go.
const ROWS_AT_ONCE: usize = 512;

pub(super) fn patient(draft: &Draft<'_>, typed: &str) -> Result<PatientRow, Stop> {
    unique(draft, &[], typed, Thing::Patient, |row: &PatientRow| row.id.0.to_hex())
}

pub(super) fn document(draft: &Draft<'_>, patient: &PatientId, typed: &str) -> Result<DocumentRow, Stop> {
    unique(draft, &patient.0.0, typed, Thing::Document, |row: &DocumentRow| row.id.0.to_hex())
}

pub(super) fn device(draft: &Draft<'_>, typed: &str) -> Result<DeviceRow, Stop> {
    unique(draft, &[], typed, Thing::Device, |row: &DeviceRow| row.id.0.to_hex())
}

fn unique<T: Stored>(
    draft: &Draft<'_>,
    prefix: &[u8],
    typed: &str,
    thing: Thing,
    id: impl Fn(&T) -> String,
) -> Result<T, Stop> {
    let typed = typed.trim().to_ascii_lowercase();
    if typed.len() < SHORTEST {
        return Err(OfficeError::NotFound(thing).into());
    }
    let mut found = None;
    every(draft, prefix, |row: T| {
        if id(&row).starts_with(&typed) && found.replace(row).is_some() {
            return Err(OfficeError::Ambiguous(thing).into());
        }
        Ok(())
    })?;
    found.ok_or_else(|| OfficeError::NotFound(thing).into())
}

/// Shows every row of a kind to `look`, a page in memory at a time.
pub(super) fn every<T: Stored>(
    draft: &Draft<'_>,
    prefix: &[u8],
    mut look: impl FnMut(T) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut cursor: Option<Vec<u8>> = None;
    loop {
        let page: Vec<T> = rows::list(draft, prefix, cursor.as_deref(), ROWS_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        cursor = Some(last.key());
        page.into_iter().try_for_each(&mut look)?;
    }
}
