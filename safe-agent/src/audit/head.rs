//! The end of the record, and with it how far time has come.

use crate::rows::{self, AuditHead};
use crate::vault::{Draft, StoreError, Table};

/// Where the record ends. Before its first leaf there is no such row; behind one, a missing row is damage: a record that
/// began anew would write over its leaves, and time would start from nothing.
pub fn head(draft: &Draft<'_>) -> Result<AuditHead, StoreError> {
    match rows::load(draft, AuditHead::KEY)? {
        Some(head) => Ok(head),
        None if draft.keys(Table::Audit, &[], None, 1)?.is_empty() => Ok(AuditHead::default()),
        None => Err(StoreError::Damaged),
    }
}
