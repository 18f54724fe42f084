//! Simulated time: one clock that only counts, and for each node a wall clock that may be wrong.

use rohrpost_wire::Timestamp;

/// Milliseconds since the simulation began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// What right wall clocks show when a simulation begins.
pub const START: Timestamp = Timestamp(1_800_000_000);

impl Millis {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// Later by this much.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// A wall clock that is off by so many seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock {
    /// Seconds by which it is ahead.
    pub offset: i64,
}

impl WallClock {
    /// What it shows.
    pub fn read(self, now: Millis) -> Timestamp {
        Timestamp(START.0.saturating_add(now.0 / 1000).saturating_add_signed(self.offset))
    }
}
