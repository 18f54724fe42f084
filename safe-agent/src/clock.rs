//! The one place of this crate that reads a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use rohrpost_wire::Timestamp;

/// Now, by this machine's clock; 1970 if it stands before that.
#[expect(clippy::disallowed_methods, reason = "the driver's clock; pure code takes the time as an argument")]
pub fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
