//! The clocks of the bench: one to measure by, one to date requests with.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rohrpost_wire::Timestamp;

/// Now, to measure by.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now, as requests say it.
#[expect(clippy::disallowed_methods, reason = "the one place of the bench that reads the calendar for requests")]
pub(crate) fn timestamp() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
