//! A safe that forgets: what it remembers of envelopes goes with the prekey that opened them.
//!
//! Steps are `requests::answer`, `identity::retire` and `audit::accept_clock` over rows. The clock may jump to any of the
//! moments at which something begins or ends, back and forth, and the keyring in memory may lag behind an erasure. The
//! window of sequence numbers would hide a bucket that forgets too early, so it can be taken out.

use std::collections::BTreeSet;

use rohrpost_e2ee::body::DeviceId;
use rohrpost_safe_agent::audit;
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::requests::{self, Asker};
use rohrpost_safe_agent::rows::{self, AuditHead, OutcomeRow, PrekeyRow, SeenRow, SequenceRow, Stored};
use rohrpost_wire::Timestamp;
use rohrpost_wire::records::PrekeyId;
use stateright::{Model, Property};

use crate::practice::{Letter, job_rng};
use crate::shelf::{Kind, Shelf};

/// A safe, what is delivered to it again and again, and the moments to which its clock may be set.
#[derive(Debug)]
pub struct Buckets {
    /// Its rows at the beginning.
    pub start: Shelf,
    /// A device's requests, each with what the log calls it.
    pub letters: Vec<(Letter, Kind)>,
    /// Moments, the first one being the beginning.
    pub clocks: Vec<Timestamp>,
    /// Whether used sequence numbers are remembered.
    pub has_window: bool,
    /// What is wrong with this safe.
    pub fault: Fault,
    /// What holds in every state, and what happens in one.
    pub promises: fn() -> Vec<Property<Self>>,
}

/// What may be wrong with a safe that forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Envelopes are forgotten with the end of their prekey's offer, and its secret is kept.
    RecordsFirst,
    /// A request may live longer than the secret of its prekey.
    LongLives,
    /// The clock is believed when it goes back.
    ClockGoesBack,
}

/// A moment of a safe that forgets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Its rows.
    pub shelf: Shelf,
    /// Which prekeys open, as far as the memory of the process knows.
    keyring: BTreeSet<[u8; 8]>,
    /// Whether something was erased and the keyring not replaced since.
    erasing: bool,
    /// How often each letter had its effect.
    pub allowed: Vec<u32>,
}

/// What may happen next, and at which moment by the machine's clock, which may have been set before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The relay delivers a letter, for the first time or again.
    Deliver(usize, usize),
    /// The safe erases what is over.
    Erase(usize),
    /// The keyring follows, or the process starts anew.
    Reload,
    /// The practice vouches for the clock. It takes a person longer than a keyring to follow an erasure.
    Accept(usize),
}

impl Model for Buckets {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        let (rows, allowed) = (self.start.clone(), vec![0; self.letters.len()]);
        vec![Moment { keyring: keyring(&rows), shelf: rows, erasing: false, allowed }]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        let opens = |letter: &usize| moment.keyring.contains(&self.prekey(*letter).0.0);
        for clock in 0..self.clocks.len() {
            steps.extend((0..self.letters.len()).filter(opens).map(|letter| Step::Deliver(letter, clock)));
            if !moment.erasing {
                steps.extend([Step::Erase(clock), Step::Accept(clock)]);
            } else if !self.has_window {
                // With it, what a copy leaves behind between erasures is counted, and there would be no end of states.
                steps.push(Step::Erase(clock));
            }
        }
        steps.push(Step::Reload);
    }

    fn next_state(&self, before: &Moment, step: Step) -> Option<Moment> {
        let mut moment = before.clone();
        match step {
            Step::Deliver(letter, clock) => self.deliver(&mut moment, letter, self.clocks[clock]),
            Step::Erase(clock) => self.erase(&mut moment, self.clocks[clock]),
            Step::Reload => {
                moment.keyring = keyring(&moment.shelf);
                moment.erasing = false;
            }
            Step::Accept(clock) => {
                let clock = self.clocks[clock];
                moment.shelf.transact(|draft| audit::accept_clock(draft, clock, &mut job_rng()));
            }
        }
        moment.shelf.forget_leaves();
        Some(moment)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.promises)()
    }
}

impl Buckets {
    fn prekey(&self, letter: usize) -> PrekeyId {
        self.letters[letter].0.incoming.prekey
    }

    /// Whether the prekey of a letter has been erased.
    pub fn is_erased(&self, moment: &Moment, letter: usize) -> bool {
        moment.shelf.load::<PrekeyRow>(&self.prekey(letter).0.0).is_none()
    }

    fn deliver(&self, moment: &mut Moment, index: usize, clock: Timestamp) {
        let (Letter { incoming, asker }, kind) = &self.letters[index];
        let Asker::Device { id, sequence } = asker else { return };
        if self.fault == Fault::ClockGoesBack {
            moment.shelf.transact(|draft| rows::save(draft, &AuditHead::default()));
        }
        moment.shelf.transact(|draft| {
            requests::answer(draft, incoming, *id, *sequence, clock, &mut job_rng())?;
            if self.has_window { Ok(()) } else { rows::save(draft, &SequenceRow::new(*id)) }
        });
        moment.allowed[index] += moment.shelf.logged(kind);
    }

    fn erase(&self, moment: &mut Moment, clock: Timestamp) {
        moment.shelf.transact(|draft| identity::retire(draft, clock));
        moment.erasing = keyring(&moment.shelf) != moment.keyring;
        if self.fault == Fault::RecordsFirst {
            self.forget_early(moment, clock);
        }
    }

    fn forget_early(&self, moment: &mut Moment, clock: Timestamp) {
        for (Letter { incoming, asker }, _) in &self.letters {
            let over = incoming.prekey_until < clock;
            if let (Some(device), true) = (device(asker), over) {
                moment.shelf.transact(|draft| {
                    draft.delete(OutcomeRow::TABLE, &OutcomeRow::key_of(&device, &incoming.id))?;
                    draft.delete(SeenRow::TABLE, &SeenRow::key_of(incoming.prekey, &incoming.envelope))
                });
            }
        }
    }
}

fn device(asker: &Asker) -> Option<DeviceId> {
    match asker {
        Asker::Device { id, .. } => Some(*id),
        Asker::Nobody | Asker::Enrol(_) => None,
    }
}

fn keyring(shelf: &Shelf) -> BTreeSet<[u8; 8]> {
    let prekeys = shelf.decide(|draft| identity::prekeys(draft)).0;
    prekeys.into_iter().map(|prekey| prekey.id.0.0).collect()
}
