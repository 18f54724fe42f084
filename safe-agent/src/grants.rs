//! The one function that decides every access of a device.
//!
//! Total, default deny: without an unrevoked device, a grant to its patient that covers the right, and a time within
//! it, there is no [`Permit`], and without a permit no document can be loaded. "Not yours" and "does not exist" are
//! the same `None`, found by the same look-up.

use rohrpost_e2ee::body::DocumentId;
use rohrpost_wire::Timestamp;

use crate::rows::{self, DeviceRow, DocumentRow, GrantRow, Rights};
use crate::vault::{Draft, StoreError};

/// The proof that an access was decided. Only [`authorise`] makes one.
#[derive(Debug)]
pub struct Permit {
    grant: GrantRow,
}

/// Decides whether a device may do this to this document now.
pub fn authorise(
    draft: &Draft<'_>,
    device: &DeviceRow,
    right: Rights,
    document: &DocumentId,
    now: Timestamp,
) -> Result<Option<Permit>, StoreError> {
    let grant: Option<GrantRow> = rows::load(draft, &DocumentRow::key_of(&device.patient, document))?;
    Ok(grant.filter(|grant| device.revoked.is_none() && holds(grant, right, now)).map(|grant| Permit { grant }))
}

/// Whether a grant gives its patient this right now, the last second included.
pub(crate) fn holds(grant: &GrantRow, right: Rights, now: Timestamp) -> bool {
    grant.rights.contain(right) && grant.not_after.is_none_or(|end| now <= end)
}

impl Permit {
    /// The document it is about. `None` when it is gone though the grant is not.
    pub fn document(&self, draft: &Draft<'_>) -> Result<Option<DocumentRow>, StoreError> {
        rows::load(draft, &DocumentRow::key_of(&self.grant.subject, &self.grant.document))
    }

    /// Since when it is shared.
    pub fn shared(&self) -> Timestamp {
        self.grant.shared
    }

    /// Until when it is shared.
    pub fn until(&self) -> Option<Timestamp> {
        self.grant.not_after
    }
}

#[cfg(test)]
mod tests;
