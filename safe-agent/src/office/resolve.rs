//! From what the owner typed to an id: the whole, or a beginning that fits one alone.

use data_encoding::HEXLOWER;

use super::{OfficeError, Stop, Thing};
use crate::rows::{self, DeviceRow, DocumentRow, Page, PatientId, PatientRow, Stored};
use crate::vault::{Draft, StoreError};

/// Characters a beginning needs, against mistyping.
const SHORTEST: usize = 4;
/// Digits of a whole id.
const ID_DIGITS: usize = 32;
/// Rows looked at in one go.
const ROWS_AT_ONCE: usize = 512;
/// Keys looked at in one go. Four digits of a random id leave one in 65,536.
const KEYS_AT_ONCE: usize = 512;

pub(super) fn patient(draft: &Draft<'_>, typed: &str) -> Result<PatientRow, Stop> {
    unique(draft, &[], typed, Thing::Patient)
}

pub(super) fn document(draft: &Draft<'_>, patient: &PatientId, typed: &str) -> Result<DocumentRow, Stop> {
    unique(draft, &patient.0.0, typed, Thing::Document)
}

pub(super) fn device(draft: &Draft<'_>, typed: &str) -> Result<DeviceRow, Stop> {
    unique(draft, &[], typed, Thing::Device)
}

/// Compares keys alone, so that no row but the one that is meant is opened, and none that is damaged makes a beginning
/// fit another.
fn unique<T: Stored>(draft: &Draft<'_>, parent: &[u8], typed: &str, thing: Thing) -> Result<T, Stop> {
    let none = || Stop::from(OfficeError::NotFound(thing));
    let typed = typed.trim().to_ascii_lowercase();
    if typed.len() < SHORTEST || typed.len() > ID_DIGITS {
        return Err(none());
    }
    let (whole, odd) = typed.split_at_checked(typed.len() & !1).ok_or_else(none)?;
    let bytes = HEXLOWER.decode(whole.as_bytes()).map_err(|_| none())?;
    let prefix = [parent, &bytes].concat();
    let mut found = None;
    let mut cursor: Option<Vec<u8>> = None;
    loop {
        let keys = draft.keys(T::TABLE, &prefix, cursor.as_deref(), KEYS_AT_ONCE)?;
        let Some(last) = keys.last() else { break };
        cursor = Some(last.clone());
        for key in keys {
            let rest = key.get(prefix.len()..).map(|rest| HEXLOWER.encode(rest)).unwrap_or_default();
            if rest.starts_with(odd) && found.replace(key).is_some() {
                return Err(OfficeError::Ambiguous(thing).into());
            }
        }
    }
    rows::load(draft, &found.ok_or_else(none)?)?.ok_or_else(none)
}

/// Shows every row of a kind to `look`, a page in memory at a time. Answers how many are damaged and were passed over.
pub(super) fn every<T: Stored>(draft: &Draft<'_>, mut look: impl FnMut(T)) -> Result<u64, Stop> {
    let mut cursor: Option<Vec<u8>> = None;
    let mut damaged = 0;
    loop {
        let page: Page<T> = rows::page(draft, &[], cursor.as_deref(), ROWS_AT_ONCE)?;
        damaged += page.damaged;
        page.rows.into_iter().for_each(&mut look);
        if page.last.is_none() {
            return Ok(damaged);
        }
        cursor = page.last;
    }
}

/// A row that others refer to: none if it is gone, none and counted if it is damaged.
pub(super) fn intact<T: Stored>(draft: &Draft<'_>, key: &[u8], damaged: &mut u64) -> Result<Option<T>, Stop> {
    match rows::load(draft, key) {
        Err(StoreError::Damaged) => {
            *damaged += 1;
            Ok(None)
        }
        loaded => Ok(loaded?),
    }
}
