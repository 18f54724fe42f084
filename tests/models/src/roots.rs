//! A client that keeps what it knows of a safe, and a relay that shows each of its visits whatever was ever signed.
//!
//! Steps are `trust::verify` at the beginning of a visit and `Known::learn` at its end; visits overlap and end in any
//! order. Among the sets are old ones, and those of a thief who found a root key after it was retired.

use std::hash::{Hash, Hasher};

use rohrpost_e2ee::trust::{self, Known};
use rohrpost_wire::Timestamp;
use rohrpost_wire::records::{RecordSet, RootChain};
use stateright::{Model, Property};

/// A client and all sets of records that were ever signed.
#[derive(Debug)]
pub struct Roots {
    /// What the link said.
    pub link: Known,
    /// The sets of the safe, oldest first, and then those of the thief.
    pub sets: Vec<RecordSet>,
    /// How many of them are the safe's own.
    pub genuine: usize,
    /// Now.
    pub now: Timestamp,
    /// Visits at once.
    pub at_once: usize,
    /// What is wrong with this client.
    pub fault: Fault,
    /// What holds in every state, and what happens in one.
    pub promises: fn() -> Vec<Property<Self>>,
}

/// What may be wrong with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It takes over what the last visit saw, newer or not.
    LearnsAnything,
    /// It holds every set against its link alone.
    RemembersNothing,
    /// Of a chain it remembers the length, not what it was.
    CountsStatements,
}

/// A moment of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What it knows.
    pub known: Known,
    /// Which sets its visits believe, with what they knew when they began.
    pub visits: Vec<(usize, Known)>,
    /// The newest set of any visit that ended.
    pub newest: Option<usize>,
    /// Whether a visit believed an older set than one before it had ended with.
    pub went_back: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A visit begins, and is shown this set.
    Begin(usize),
    /// A visit ends, and what it saw is kept.
    End(usize),
}

impl Hash for Moment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_known(&self.known, state);
        for (set, known) in &self.visits {
            set.hash(state);
            hash_known(known, state);
        }
        (self.newest, self.went_back).hash(state);
    }
}

fn hash_known<H: Hasher>(known: &Known, state: &mut H) {
    (known.epoch, known.identity_from, known.chain.length, known.chain.newest).hash(state);
}

impl Model for Roots {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment { known: self.link, visits: Vec::new(), newest: None, went_back: false }]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        if moment.visits.len() < self.at_once {
            steps.extend((0..self.sets.len()).map(Step::Begin));
        }
        steps.extend((0..moment.visits.len()).map(Step::End));
    }

    fn next_state(&self, before: &Moment, step: Step) -> Option<Moment> {
        let mut moment = before.clone();
        match step {
            Step::Begin(set) => {
                let known = self.held_against(&moment, set);
                trust::verify(&self.sets[set], &known, self.now).ok()?;
                moment.went_back |= moment.newest.is_some_and(|newest| set < newest);
                moment.visits.push((set, known));
                moment.visits.sort_by_key(|(set, known)| (*set, known.epoch, known.identity_from));
            }
            Step::End(visit) => {
                let (set, known) = moment.visits.remove(visit);
                let safe = trust::verify(&self.sets[set], &known, self.now).expect("it was believed before");
                if self.fault == Fault::LearnsAnything {
                    moment.known = *safe.known();
                } else {
                    moment.known.learn(&safe);
                }
                moment.newest = moment.newest.max(Some(set));
            }
        }
        Some(moment)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.promises)()
    }
}

impl Roots {
    fn held_against(&self, moment: &Moment, set: usize) -> Known {
        let offered = &self.sets[set].roots;
        match self.fault {
            Fault::None | Fault::LearnsAnything => moment.known,
            Fault::RemembersNothing => self.link,
            Fault::CountsStatements => {
                let seen = offered.get(..usize::from(moment.known.chain.length)).and_then(RootChain::of);
                Known { chain: seen.unwrap_or(moment.known.chain), ..moment.known }
            }
        }
    }
}
