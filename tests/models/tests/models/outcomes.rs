//! A request has one effect and one answer, however often it comes and wherever the power fails.

use std::collections::BTreeSet;

use rohrpost_e2ee::body::Operation;
use rohrpost_e2ee::exchange::RequestDraft;
use rohrpost_models::practice::{Practice, START};
use rohrpost_models::safe::{Fault, Moment, Safe, enrolled, status_told};
use rohrpost_models::search::is_long;
use stateright::Property;

use crate::report::prove_and_refute;

const ONE_CHANGE: &str = "a change is made once";
const ONE_READ: &str = "an envelope that reads is answered once";
const ALIKE: &str = "a change is always answered alike";
const LOGGED: &str = "no answer without its leaf";

/// An enrolment in two envelopes; another operation under its request id is letter 2.
const ENROLMENT: [usize; 2] = [0, 1];
/// A question of the device that was enrolled, in one envelope or, in the long form, two.
const QUESTION: [usize; 2] = [3, 4];

fn safe(fault: Fault) -> Safe {
    let mut practice = Practice::found();
    let invited = practice.invite(5);
    let until = START.plus(600);
    let enrolment = practice.draft(invited.right(), until);
    let other = RequestDraft { operation: invited.wrong(0), ..enrolment.clone() };
    let question = practice.draft(Operation::Status, until);
    let trusted = practice.trusted_at(START);
    let mut letters = vec![
        practice.enrol(&enrolment, &invited),
        practice.enrol(&enrolment, &invited),
        practice.enrol(&other, &invited),
        practice.ask(&trusted, &question, &invited.key, 1),
    ];
    if is_long() {
        letters.push(practice.ask(&trusted, &question, &invited.key, 2));
    }
    practice.keep_prekeys(&[trusted]);
    let start = practice.shelf.settled();
    Safe { start, letters, interchangeable: 0, at_once: 2, remembers_answers: true, fault, promises }
}

fn promises() -> Vec<Property<Safe>> {
    vec![
        Property::always(ONE_CHANGE, |_, moment: &Moment| enrolled(&moment.durable) <= 1),
        Property::always(ONE_READ, |safe: &Safe, moment: &Moment| {
            status_told(&moment.durable) as usize <= questions(safe).count()
        }),
        Property::always(ALIKE, |_, moment: &Moment| told(moment, &ENROLMENT).len() <= 1),
        Property::always(LOGGED, |_, moment: &Moment| {
            let read = QUESTION.iter().filter(|letter| done(moment, **letter)).count();
            let changed = ENROLMENT.iter().any(|letter| done(moment, *letter));
            status_told(&moment.durable) as usize >= read && enrolled(&moment.durable) >= u32::from(changed)
        }),
        Property::sometimes("everything is answered", |safe, moment: &Moment| {
            ENROLMENT.into_iter().chain(questions(safe)).all(|letter| done(moment, letter))
        }),
        Property::sometimes("the other operation came first", |_, moment: &Moment| {
            told(moment, &ENROLMENT).contains("Conflict")
        }),
    ]
}

fn questions(safe: &Safe) -> impl Iterator<Item = usize> {
    QUESTION.into_iter().filter(|letter| *letter < safe.letters.len())
}

fn done(moment: &Moment, letter: usize) -> bool {
    moment.told.contains(&(letter, "Done".to_owned()))
}

/// What these letters were told, apart from having been answered before.
fn told<'a>(moment: &'a Moment, letters: &[usize]) -> BTreeSet<&'a str> {
    let told = moment.told.iter().filter(|(letter, status)| letters.contains(letter) && status != "Repeated");
    told.map(|(_, status)| status.as_str()).collect()
}

#[test]
fn a_request_has_one_effect_and_one_answer_wherever_the_power_fails() {
    let planted = [
        (Fault::NoRecords, ONE_READ),
        (Fault::RecordsApart, ONE_READ),
        (Fault::AnswersBeforeFlush, LOGGED),
        (Fault::LeavesApart, LOGGED),
        (Fault::Snapshots, ONE_READ),
    ];
    prove_and_refute("models.outcomes", safe, Fault::None, &planted).publish();
}
