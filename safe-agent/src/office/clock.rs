//! The clock, and the practice's word for it.

use rohrpost_wire::Timestamp;

use super::Stop;
use super::desk::Reply;
use super::view::rfc3339;
use crate::audit;
use crate::vault::{Draft, system_rng};

pub(super) fn look(draft: &mut Draft<'_>, accept: bool, clock: Timestamp) -> Result<Reply, Stop> {
    if accept {
        audit::accept_clock(draft, clock, &mut system_rng())?;
    }
    let head = audit::head(draft)?;
    Ok(Reply::Clock {
        clock: rfc3339(clock),
        acted: rfc3339(head.time),
        ahead_days: audit::days_astray(draft, clock)?,
        accepted: accept,
    })
}
