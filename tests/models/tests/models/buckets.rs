//! No envelope has its effect twice, though what is remembered of it is forgotten and the clock is anybody's.

use rohrpost_e2ee::body::Operation;
use rohrpost_models::buckets::{Buckets, Fault, Moment};
use rohrpost_models::practice::{Practice, START};
use rohrpost_models::search::{is_long, prove};
use rohrpost_models::shelf::Kind;
use rohrpost_safe_agent::audit::{Action, Decision, LONGEST_JUMP_SECONDS};
use rohrpost_safe_agent::requests::REQUEST_SECONDS;
use rohrpost_wire::Timestamp;
use rohrpost_wire::records::{PREKEY_SECRET_SECONDS, PREKEYS_AHEAD_SECONDS};
use rohrpost_wire::time::DAY;
use stateright::Property;

use crate::report::prove_and_refute;

const ONCE: &str = "an envelope has its effect once";

/// One request to the prekey of the day, and one to the last there is: sealed long before its time, as a client that does
/// not follow the protocol may, it lives for 46 days. Both live as long as a safe lets them.
fn buckets(has_window: bool, fault: Fault) -> Buckets {
    let mut practice = Practice::found();
    let device = practice.device();
    let early = practice.trusted_at(START);
    let late = practice.trusted_at(START.plus(PREKEYS_AHEAD_SECONDS - DAY));
    assert!(late.prekey_until() > early.prekey_until());
    let status: Kind = |action, decision| matches!((action, decision), (Action::StatusAsked, Decision::Allowed));
    let listed: Kind = |action, decision| matches!((action, decision), (Action::Listed { .. }, Decision::Allowed));
    let mut letters = Vec::new();
    let asked = [(&early, Operation::Status, status), (&late, Operation::Documents { after: None }, listed)];
    for (sequence, (safe, operation, kind)) in (1..).zip(asked) {
        let draft = practice.draft(operation, life(safe.prekey_until(), fault));
        let mut letter = practice.ask(safe, &draft, &device, sequence);
        if fault == Fault::LongLives {
            letter.incoming.prekey_until = Timestamp(u64::MAX);
        }
        letters.push((letter, kind));
    }
    practice.keep_prekeys(&[early.clone(), late.clone()]);
    let clocks = moments(early.prekey_until(), late.prekey_until());
    Buckets { start: practice.shelf.settled(), letters, clocks, has_window, fault, promises }
}

fn life(prekey_until: Timestamp, fault: Fault) -> Timestamp {
    if fault == Fault::LongLives { Timestamp(u64::MAX) } else { prekey_until.plus(REQUEST_SECONDS) }
}

/// The beginning, each last second and the one after it, and clocks that are far from all of it.
fn moments(early: Timestamp, late: Timestamp) -> Vec<Timestamp> {
    let mut clocks = vec![START, START.minus(DAY)];
    for until in [early, late] {
        let lives = until.plus(REQUEST_SECONDS).minus(1);
        let kept = until.plus(PREKEY_SECRET_SECONDS);
        clocks.extend([lives, lives.plus(1), kept.plus(1)]);
        if is_long() {
            clocks.push(kept);
        }
    }
    clocks.push(START.plus(LONGEST_JUMP_SECONDS + 1));
    clocks
}

fn promises() -> Vec<Property<Buckets>> {
    vec![
        Property::always(ONCE, |_, moment: &Moment| moment.allowed.iter().all(|times| *times <= 1)),
        Property::sometimes("both have had their effect", |_, moment: &Moment| {
            moment.allowed.iter().all(|times| *times == 1)
        }),
        Property::sometimes("all was forgotten after it had its effect", |buckets: &Buckets, moment: &Moment| {
            let gone = |letter| buckets.is_erased(moment, letter) && moment.allowed[letter] == 1;
            (0..buckets.letters.len()).all(gone)
        }),
    ]
}

#[test]
fn an_envelope_has_its_effect_once_though_it_is_forgotten_and_the_clock_jumps() {
    let with_window = prove(buckets(true, Fault::None));
    let planted = [Fault::RecordsFirst, Fault::LongLives, Fault::ClockGoesBack].map(|fault| (fault, ONCE));
    prove_and_refute("models.buckets", |fault| buckets(false, fault), Fault::None, &planted)
        .count("states with the sequence window", with_window.states)
        .publish();
}
