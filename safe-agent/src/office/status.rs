//! How the safe is.

use rohrpost_wire::{Timestamp, time};

use super::desk::Reply;
use super::view::{Status, rfc3339};
use super::{Stop, resolve};
use crate::audit;
use crate::handlers::enrol;
use crate::identity;
use crate::presence::Presence;
use crate::rows::{self, DeviceRow, DocumentRow, GrantRow, LinkRow, PatientRow, PrekeyRow, SequenceRow};
use crate::texts;
use crate::vault::{Condition, Draft};

pub(super) fn report(
    draft: &mut Draft<'_>,
    presence: &Presence,
    condition: Condition,
    transfers: usize,
    clock: Timestamp,
) -> Result<Reply, Stop> {
    let now = audit::effective_time(draft, clock)?;
    let (practice, identity) = identity::load(draft)?;
    let prekeys_until = identity::prekeys(draft)?.last().map(|prekey| prekey.not_after);
    let mut rows = Counter::default();
    // Nobody is told how many of these there are; their damage counts.
    rows.count(draft, |_: &GrantRow| true)?;
    rows.count(draft, |_: &PrekeyRow| true)?;
    rows.count(draft, |_: &SequenceRow| true)?;
    Ok(Reply::Status(Box::new(Status {
        practice: practice.name,
        safe_pin: identity.pin.0.to_hex(),
        inbox_id: identity.inbox.0.to_hex(),
        relay: practice.relay.to_string(),
        served: presence.is_served(),
        connected: presence.connected(),
        epoch: identity.epoch,
        identity_until: rfc3339(identity.not_after),
        identity_days_left: identity.not_after.0.saturating_sub(now.0) / time::DAY,
        prekeys_until: prekeys_until.map(rfc3339),
        vault: texts::finding(condition).to_owned(),
        patients: rows.count(draft, |_: &PatientRow| true)?,
        documents: rows.count(draft, |_: &DocumentRow| true)?,
        devices: rows.count(draft, |device: &DeviceRow| device.revoked.is_none())?,
        open_links: rows.count(draft, |link: &LinkRow| enrol::is_open(link, now))?,
        transfers: transfers as u64,
        decisions: audit::head(draft)?.next,
        clock_ahead_days: audit::days_astray(draft, clock)?,
        damaged_rows: rows.damaged,
    })))
}

/// Counts rows, and apart from them those that are damaged.
#[derive(Default)]
struct Counter {
    damaged: u64,
}

impl Counter {
    fn count<T: rows::Stored>(&mut self, draft: &Draft<'_>, counts: impl Fn(&T) -> bool) -> Result<u64, Stop> {
        let mut number = 0;
        self.damaged += resolve::every(draft, |row: T| number += u64::from(counts(&row)))?;
        Ok(number)
    }
}
