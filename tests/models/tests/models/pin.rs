//! A link takes five PINs in its life, whatever is cut off, delivered again or tried at once.

use rohrpost_models::practice::{Practice, START};
use rohrpost_models::safe::{Fault, Moment, Safe, enrolled};
use rohrpost_models::search::is_long;
use stateright::Property;

use crate::report::prove_and_refute;

const BOUNDED: &str = "no more PINs are compared than the link has tries";
const DEAD: &str = "after as many wrong PINs the right one does not win";

/// How many of the five tries are left, the others having been used: what counts is the step over the limit.
fn tries() -> u8 {
    if is_long() { 3 } else { 2 }
}

/// One more wrong guess than there are tries.
fn wrong() -> u8 {
    tries() + 1
}

fn safe(fault: Fault) -> Safe {
    let mut practice = Practice::found();
    let invited = practice.invite(tries());
    let until = START.plus(600);
    let mut letters = Vec::new();
    for number in 0..wrong() {
        let draft = practice.draft(invited.wrong(number), until);
        letters.push(practice.enrol(&draft, &invited));
    }
    let right = practice.draft(invited.right(), until);
    letters.push(practice.enrol(&right, &invited));
    letters.push(practice.enrol(&right, &invited));
    let trusted = practice.trusted_at(START);
    practice.keep_prekeys(&[trusted]);
    let start = practice.shelf.settled();
    Safe {
        start,
        letters,
        interchangeable: usize::from(wrong()),
        at_once: 2,
        remembers_answers: false,
        fault,
        promises,
    }
}

fn promises() -> Vec<Property<Safe>> {
    vec![
        Property::always(BOUNDED, |_, moment: &Moment| moment.compared.len() <= usize::from(tries())),
        Property::always(DEAD, |_, moment: &Moment| {
            let compared = moment.compared.range(..usize::from(wrong())).count();
            compared < usize::from(tries()) || enrolled(&moment.durable) == 0
        }),
        Property::sometimes("the right PIN enrols", |_, moment: &Moment| enrolled(&moment.durable) == 1),
        Property::sometimes("the right PIN enrols with the last try", |_, moment: &Moment| {
            enrolled(&moment.durable) == 1 && moment.compared.len() == usize::from(tries())
        }),
    ]
}

#[test]
fn a_link_takes_its_tries_and_not_one_more_wherever_the_power_fails() {
    let planted =
        [(Fault::ComparesBeforeFlush, BOUNDED), (Fault::CountsInMemory, BOUNDED), (Fault::CountsInMemory, DEAD)];
    prove_and_refute("models.pin", safe, Fault::None, &planted).publish();
}
