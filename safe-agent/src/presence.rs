//! Whether the safe is served and logged in at its relay: one flag, set by the agent, read at the desk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the agent and the desk of one safe.
#[derive(Clone, Debug, Default)]
pub struct Presence(Option<Arc<AtomicBool>>);

impl Presence {
    /// Of a vault that a command has opened for itself.
    pub fn not_served() -> Self {
        Self(None)
    }

    /// Of a served safe, not logged in yet.
    pub fn served() -> Self {
        Self(Some(Arc::default()))
    }

    /// The agent reports that it is logged in, or no longer.
    pub fn set_connected(&self, connected: bool) {
        if let Some(flag) = &self.0 {
            flag.store(connected, Ordering::Relaxed);
        }
    }

    /// Whether the safe is served.
    pub fn is_served(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is logged in; `None` when not served.
    pub fn connected(&self) -> Option<bool> {
        self.0.as_ref().map(|flag| flag.load(Ordering::Relaxed))
    }
}
