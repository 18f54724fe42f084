//! What a safe must remember of requests: the numbers that a device has used, and how each request went. Kept by rules of
//! its own, from the leaves alone.

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{DeviceId, Operation, Status};

use super::requests::Sealed;

/// How far a number may lie from the highest that was used, as the protocol says.
const WINDOW: u64 = 1024;

/// How a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may be used.
    Free,
    /// It was.
    Used,
    /// It is none, or too far from the highest.
    Outside,
}

/// All numbers and outcomes.
#[derive(Debug, Default)]
pub(super) struct Past {
    numbers: BTreeMap<DeviceId, BTreeSet<u64>>,
    outcomes: BTreeMap<(DeviceId, RequestId), (Operation, Status)>,
}

impl Past {
    /// How the number of this request stands; an enrolment has none.
    pub(super) fn standing(&self, sealed: &Sealed) -> Standing {
        let Some(number) = sealed.sequence else { return Standing::Free };
        let used = self.numbers.get(&sealed.device);
        let highest = used.and_then(BTreeSet::last).copied().unwrap_or_default();
        if number == 0 || number.abs_diff(highest) >= WINDOW {
            Standing::Outside
        } else if used.is_some_and(|used| used.contains(&number)) {
            Standing::Used
        } else {
            Standing::Free
        }
    }

    /// How the same request went before, asked for in whatever envelope.
    pub(super) fn outcome_of(&self, sealed: &Sealed) -> Option<Status> {
        let (operation, status) = self.outcomes.get(&(sealed.device, sealed.request))?;
        (*operation == sealed.operation).then_some(*status)
    }

    /// Whether something else was asked for under the name of this request.
    pub(super) fn is_other(&self, sealed: &Sealed) -> bool {
        let before = self.outcomes.get(&(sealed.device, sealed.request));
        before.is_some_and(|(operation, _)| *operation != sealed.operation)
    }

    /// A request was judged, and this was the outcome: its number is used. What is wrong with that, if anything is.
    pub(super) fn act(&mut self, sealed: &Sealed, outcome: Status) -> Option<&'static str> {
        let (standing, is_other) = (self.standing(sealed), self.is_other(sealed));
        if let Some(number) = sealed.sequence {
            self.numbers.entry(sealed.device).or_default().insert(number);
        }
        let named = (sealed.device, sealed.request);
        self.outcomes.insert(named, (sealed.operation.clone(), outcome));
        match standing {
            Standing::Used => Some("a request was judged under a number that was used"),
            Standing::Outside => Some("a request was judged under a number that is none, or too far off"),
            Standing::Free => is_other.then_some("two things were judged under the name of one request"),
        }
    }
}
