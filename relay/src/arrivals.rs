//! The bell a waiting fetch listens to: rung when an envelope for its inbox is durable.
//!
//! Invariant: there is a bell for an inbox exactly as long as somebody listens, so strangers who deposit cannot grow it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rohrpost_wire::InboxId;
use tokio::sync::Notify;

/// The bells of all inboxes somebody waits at.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    bells: Mutex<BTreeMap<InboxId, Arc<Notify>>>,
}

/// A listener at one bell. Rings that came after it was made are not missed if [`Listener::bell`] is asked for
/// `notified()` before looking whether something waits.
#[derive(Debug)]
pub(crate) struct Listener {
    arrivals: Arc<Arrivals>,
    inbox: InboxId,
    bell: Arc<Notify>,
}

impl Arrivals {
    /// Listens at an inbox until the listener is dropped.
    pub(crate) fn listen(self: &Arc<Self>, inbox: InboxId) -> Listener {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = Arc::clone(bells.entry(inbox).or_default());
        Listener { arrivals: Arc::clone(self), inbox, bell }
    }

    /// Wakes everybody who waits at this inbox.
    pub(crate) fn ring(&self, inbox: InboxId) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(&inbox) {
            bell.notify_waiters();
        }
    }
}

impl Listener {
    /// The bell itself.
    pub(crate) fn bell(&self) -> &Notify {
        &self.bell
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut bells = self.arrivals.bells.lock().unwrap_or_else(PoisonError::into_inner);
        // Two references are left when this is the last listener: the map's and this one's.
        if Arc::strong_count(&self.bell) <= 2 {
            bells.remove(&self.inbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    #[test]
    fn a_bell_goes_with_its_last_listener() {
        let arrivals = Arc::new(Arrivals::default());
        let inbox = InboxId(Fixed([1; 16]));
        let first = arrivals.listen(inbox);
        let second = arrivals.listen(inbox);
        drop(first);
        assert_eq!(arrivals.bells.lock().unwrap().len(), 1);
        drop(second);
        assert_eq!(arrivals.bells.lock().unwrap().len(), 0);
    }
}
