//! A safe that a relay asks whatever it likes as often as it likes, and that may lose its power between any two steps.
//!
//! Steps are `requests::answer`, `enrol::count`, `enrol::compare` and `enrol::settle` over rows, one transaction each, as
//! `vault::Keeper` runs them: a job sees what jobs before it wrote, a flush makes all of it durable, and only then are
//! they answered. What was told and which PINs were compared outlives a power cut: the relay remembers.

use std::collections::BTreeSet;

use rohrpost_safe_agent::audit::{Action, Decision, Refusal};
use rohrpost_safe_agent::handlers::enrol::{self, Counted};
use rohrpost_safe_agent::requests::{self, Asker};
use rohrpost_safe_agent::vault::{Draft, Store as _, StoreError, Table};
use stateright::{Model, Property};

use crate::practice::{Letter, START, job_rng};
use crate::shelf::Shelf;

/// A safe, what may be delivered to it, and what it promises.
#[derive(Debug)]
pub struct Safe {
    /// Its rows at the beginning.
    pub start: Shelf,
    /// Every envelope there is.
    pub letters: Vec<Letter>,
    /// The first so many letters differ in nothing but their random ids: delivering them in another order is the same.
    pub interchangeable: usize,
    /// Requests under way at once.
    pub at_once: usize,
    /// Whether what was told is part of a state, or only what was done.
    pub remembers_answers: bool,
    /// What is wrong with this safe.
    pub fault: Fault,
    /// What holds in every state, and what happens in one.
    pub promises: fn() -> Vec<Property<Self>>,
}

/// What may be wrong with a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answers leave before the flush.
    AnswersBeforeFlush,
    /// The effect is durable at once, what is remembered of it with the next flush.
    RecordsApart,
    /// Envelopes and outcomes are not remembered.
    NoRecords,
    /// The answer waits for the effect, but the leaf of the audit log comes with the next flush.
    LeavesApart,
    /// The PIN is compared before the count is durable.
    ComparesBeforeFlush,
    /// Jobs see what is durable, not what jobs before them wrote.
    Snapshots,
    /// The tries of a link are kept in memory.
    CountsInMemory,
}

/// A moment of a safe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// What a power cut leaves.
    pub durable: Shelf,
    /// What the next job sees.
    pub applied: Shelf,
    /// What is under way, in order.
    pub tasks: Vec<Task>,
    /// Which letter was ever told what.
    pub told: BTreeSet<(usize, String)>,
    /// Whose PIN was ever compared: the first letter of the request.
    pub compared: BTreeSet<usize>,
    /// How many of the interchangeable letters have been delivered.
    pub posted: usize,
}

/// A letter being answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    letter: usize,
    stage: Stage,
}

/// How far it is. What was written and not flushed yet is a stage of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Counting,
    Counted,
    Settling(String),
    Settled(String),
    Deciding(String),
    Decided(String),
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The relay delivers a letter, for the first time or again.
    Deliver(usize),
    /// A task's second transaction.
    Continue(usize),
    /// Everything written becomes durable.
    Flush,
    /// A task's answer leaves.
    Answer(usize),
    /// The power fails: everything that is not durable is gone, and with it everything under way.
    PowerCut,
}

impl Model for Safe {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        let (durable, applied) = (self.start.clone(), self.start.clone());
        let (told, compared) = (BTreeSet::new(), BTreeSet::new());
        vec![Moment { durable, applied, tasks: Vec::new(), told, compared, posted: 0 }]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        if moment.tasks.len() < self.at_once {
            let first = |letter: usize| letter >= self.interchangeable || letter <= moment.posted;
            steps.extend((0..self.letters.len()).filter(|letter| first(*letter)).map(Step::Deliver));
        }
        for (index, task) in moment.tasks.iter().enumerate() {
            match task.stage {
                Stage::Counted | Stage::Settled(_) => steps.push(Step::Continue(index)),
                Stage::Counting if self.fault == Fault::ComparesBeforeFlush => steps.push(Step::Continue(index)),
                Stage::Decided(_) => steps.push(Step::Answer(index)),
                Stage::Deciding(_) if self.answers_early() => steps.push(Step::Answer(index)),
                Stage::Counting | Stage::Settling(_) | Stage::Deciding(_) => {}
            }
        }
        if moment.applied != moment.durable || moment.tasks.iter().any(|task| task.stage.waits()) {
            steps.push(Step::Flush);
        }
        if moment.applied != moment.durable || !moment.tasks.is_empty() {
            steps.push(Step::PowerCut);
        }
    }

    fn next_state(&self, before: &Moment, step: Step) -> Option<Moment> {
        let mut moment = before.clone();
        match step {
            Step::Deliver(letter) => self.deliver(&mut moment, letter),
            Step::Continue(index) => self.go_on(&mut moment, index),
            Step::Flush => self.flush(&mut moment),
            Step::Answer(index) => self.tell(&mut moment, index),
            Step::PowerCut => {
                moment.applied = moment.durable.clone();
                moment.tasks.clear();
            }
        }
        moment.tasks.sort();
        Some(moment)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.promises)()
    }
}

impl Safe {
    fn answers_early(&self) -> bool {
        matches!(self.fault, Fault::AnswersBeforeFlush | Fault::LeavesApart)
    }

    fn deliver(&self, moment: &mut Moment, index: usize) {
        if index < self.interchangeable {
            moment.posted = moment.posted.max(index + 1);
        }
        let Letter { incoming, asker } = &self.letters[index];
        let stage = match asker {
            Asker::Nobody => Stage::Decided("NotAllowed".into()),
            Asker::Device { id, sequence } => {
                let answer =
                    self.job(moment, |draft| requests::answer(draft, incoming, *id, *sequence, START, &mut job_rng()));
                Stage::Deciding(format!("{:?}", answer.reply.status))
            }
            Asker::Enrol(enrolment) => {
                match self.job(moment, |draft| enrol::count(draft, incoming, enrolment, START, &mut job_rng())) {
                    Counted::Compare => Stage::Counting,
                    Counted::Answer { answer, recorded } => {
                        let status = format!("{:?}", answer.reply.status);
                        if recorded { Stage::Settling(status) } else { Stage::Deciding(status) }
                    }
                }
            }
        };
        moment.tasks.push(Task { letter: index, stage });
    }

    fn go_on(&self, moment: &mut Moment, index: usize) {
        let task = moment.tasks[index].clone();
        let Letter { incoming, asker } = &self.letters[task.letter];
        let Asker::Enrol(enrolment) = asker else { return };
        let stage = if let Stage::Settled(status) = task.stage {
            self.job(moment, |draft| enrol::settle(draft, enrolment));
            Stage::Deciding(status)
        } else {
            let before = verdicts(&moment.applied);
            let answer = self.job(moment, |draft| enrol::compare(draft, incoming, enrolment, START, &mut job_rng()));
            if verdicts(&moment.applied) > before {
                moment.compared.insert(self.guess(task.letter));
            }
            Stage::Deciding(format!("{:?}", answer.reply.status))
        };
        moment.tasks[index].stage = stage;
    }

    /// One transaction, as this safe makes it.
    fn job<T>(&self, moment: &mut Moment, job: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError>) -> T {
        let before = moment.applied.clone();
        let seen = if self.fault == Fault::Snapshots { &moment.durable } else { &moment.applied };
        let (done, writes) = seen.decide(job);
        moment.applied.apply(writes).unwrap();
        let records = [Table::Seen, Table::Outcomes, Table::Sequences];
        if self.fault == Fault::NoRecords {
            moment.applied = moment.applied.without(&records, &before);
        }
        if self.fault == Fault::RecordsApart {
            moment.durable = moment.applied.without(&records, &moment.durable);
        }
        if self.fault == Fault::LeavesApart {
            moment.durable = moment.applied.without_leaves(&moment.durable);
        }
        done
    }

    fn flush(&self, moment: &mut Moment) {
        moment.durable = if self.fault == Fault::CountsInMemory {
            moment.applied.without(&[Table::Links], &self.start)
        } else {
            moment.applied.clone()
        };
        for task in &mut moment.tasks {
            task.stage = task.stage.clone().flushed();
        }
    }

    fn tell(&self, moment: &mut Moment, index: usize) {
        let task = moment.tasks.remove(index);
        if let (Stage::Decided(status) | Stage::Deciding(status), true) = (task.stage, self.remembers_answers) {
            moment.told.insert((task.letter, status));
        }
    }

    /// The first letter of the same request: all its envelopes bring the same guess.
    fn guess(&self, letter: usize) -> usize {
        let id = self.letters[letter].incoming.id;
        self.letters.iter().position(|other| other.incoming.id == id).unwrap_or(letter)
    }
}

impl Stage {
    fn waits(&self) -> bool {
        matches!(self, Self::Counting | Self::Settling(_) | Self::Deciding(_))
    }

    fn flushed(self) -> Self {
        match self {
            Self::Counting => Self::Counted,
            Self::Settling(status) => Self::Settled(status),
            Self::Deciding(status) => Self::Decided(status),
            flushed @ (Self::Counted | Self::Settled(_) | Self::Decided(_)) => flushed,
        }
    }
}

/// How many PINs were compared, as far as the log tells.
fn verdicts(shelf: &Shelf) -> u32 {
    shelf.logged(|action, decision| {
        let compared = matches!(decision, Decision::Allowed | Decision::Refused(Refusal::WrongPin));
        matches!(action, Action::Enrolment(_)) && compared
    })
}

/// How many devices were enrolled, as far as the log tells.
pub fn enrolled(shelf: &Shelf) -> u32 {
    shelf.logged(|action, decision| matches!((action, decision), (Action::Enrolment(_), Decision::Allowed)))
}

/// How often a device was told about itself.
pub fn status_told(shelf: &Shelf) -> u32 {
    shelf.logged(|action, decision| matches!((action, decision), (Action::StatusAsked, Decision::Allowed)))
}
