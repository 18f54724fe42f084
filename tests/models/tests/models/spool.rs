//! What the relay called queued is answered in the end, once, wherever relay, safe or client are cut off.

use rohrpost_models::spool::{Asking, Fault, Moment, Spool};
use stateright::Property;

use crate::report::prove_and_refute;

const KEPT: &str = "what was queued waits or has had its effect";
const ONCE: &str = "a request has its effect once";
const ENDS: &str = "honest steps end with every request answered and nothing left";

fn spool(fault: Fault) -> Spool {
    Spool { clients: 1, fault, promises }
}

fn promises() -> Vec<Property<Spool>> {
    vec![
        Property::always(KEPT, |spool: &Spool, moment: &Moment| {
            let kept = |client| moment.waits(client) || moment.effects[client] > 0;
            (0..spool.clients).all(|client| moment.asking[client] == Asking::Depositing || kept(client))
        }),
        Property::always(ONCE, |_, moment: &Moment| moment.effects.iter().all(|times| *times <= 1)),
        Property::always(ENDS, |spool: &Spool, moment: &Moment| {
            let calm = spool.calmed(moment);
            let served = (0..spool.clients).all(|client| !calm.waits(client) && calm.effects[client] > 0);
            served && calm.asking.iter().all(|asking| *asking == Asking::Done) && calm.ends_empty()
        }),
        Property::sometimes("an answer was given again", |_, moment: &Moment| {
            moment.answers.iter().any(|answers| *answers > 1)
        }),
    ]
}

#[test]
fn a_queued_request_is_answered_in_the_end_and_has_one_effect() {
    let planted = [
        (Fault::QueuedBeforeWritten, KEPT),
        (Fault::ErasedOnDelivery, KEPT),
        (Fault::AckedBeforeAnswered, ENDS),
        (Fault::NoRecords, ONCE),
    ];
    prove_and_refute("models.spool", spool, Fault::None, &planted).publish();
}
