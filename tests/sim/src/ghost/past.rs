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

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;

    use super::*;
    use crate::time::START;

    fn numbered(sequence: u64) -> Sealed {
        Sealed {
            device: DeviceId(Fixed([1; 16])),
            request: RequestId(Fixed([2; 16])),
            operation: Operation::Status,
            link: None,
            sequence: Some(sequence),
            created: START,
            expires: START,
            live: true,
            right_pin: false,
            void: false,
        }
    }

    #[test]
    fn a_number_is_used_once_and_only_near_the_highest() {
        let mut past = Past::default();
        assert_eq!(past.act(&numbered(WINDOW - 1), Status::Done), None);
        assert_eq!(past.standing(&numbered(1)), Standing::Free);
        assert_eq!(past.standing(&numbered(WINDOW - 1)), Standing::Used);
        assert!([0, 2 * WINDOW - 1].iter().all(|far| past.standing(&numbered(*far)) == Standing::Outside));
        assert!(past.act(&numbered(WINDOW - 1), Status::Done).is_some());
    }

    #[test]
    fn a_name_stands_for_one_thing_that_is_asked_for() {
        let (mut past, other) = (Past::default(), Operation::Documents { after: None });
        let listing = Sealed { operation: other, ..numbered(2) };
        assert_eq!(past.act(&numbered(1), Status::Done), None);
        assert_eq!((past.outcome_of(&numbered(3)), past.is_other(&numbered(3))), (Some(Status::Done), false));
        assert_eq!((past.outcome_of(&listing), past.is_other(&listing)), (None, true));
        assert!(past.act(&listing, Status::Done).is_some());
    }
}
