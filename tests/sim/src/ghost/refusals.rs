//! Why a safe may refuse: every reason that a leaf gives is held against what its author sealed and what stands before it.

use rohrpost_e2ee::body::Status;
use rohrpost_safe_agent::audit::{Event, Refusal};

use super::deed::Deed;
use super::past::{Past, Standing};
use super::policy::Policy;
use super::requests::Kept;

/// Seconds that a request may have been made ahead of the safe's time, as the protocol says.
pub(super) const CLOCK_GRACE: u64 = 600;

/// What a refusal for this reason has to be answered with; or what is wrong with the reason.
pub(super) fn status(
    refusal: Refusal,
    leaf: &Event,
    kept: &Kept,
    past: &Past,
    policy: &Policy,
) -> Result<Status, &'static str> {
    let sealed = &kept.sealed;
    let given = |holds: bool, status, wrong| if holds { Ok(status) } else { Err(wrong) };
    match refusal {
        Refusal::OutOfTime if sealed.created > leaf.at.plus(CLOCK_GRACE) => Ok(Status::ClockAhead),
        Refusal::OutOfTime if sealed.expires <= leaf.at => Ok(Status::RequestExpired),
        Refusal::OutOfTime => {
            let outside = past.standing(sealed) == Standing::Outside;
            given(outside, Status::OutOfSequence, "a request was refused for its time, in which it was")
        }
        Refusal::SequenceReused => {
            let used = past.standing(sealed) == Standing::Used;
            given(used, Status::OutOfSequence, "a number was refused as used that was not")
        }
        Refusal::Conflict => given(
            past.is_other(sealed),
            Status::Conflict,
            "a request was refused for another under its name that is none",
        ),
        Refusal::Revoked => {
            let revoked = policy.owner(sealed.device).is_some() && !policy.is_active(sealed.device);
            given(revoked, Status::NotAllowed, "a device was refused as revoked that is not")
        }
        Refusal::NotAllowed => given(may_not(kept, policy), Status::NotAllowed, "what is a device's right was refused"),
        Refusal::WrongPin => {
            let left = policy.tries_left(sealed);
            given(
                !sealed.right_pin && kept.counted,
                Status::WrongPin { left },
                "a PIN was refused that is right, or no try",
            )
        }
        Refusal::LinkUsed => given(policy.is_used(sealed), Status::LinkUsed, "a link was refused as used that is not"),
        Refusal::LinkExpired => {
            given(policy.has_ended(sealed, leaf.at), Status::LinkExpired, "a link was refused as ended that is not")
        }
        Refusal::LinkDead => {
            given(policy.is_dead(sealed), Status::LinkDead, "a link was refused as dead that has a try left")
        }
        Refusal::WrongLane => given(!sealed.live, Status::LiveOnly, "what came live was refused as if it had not"),
        Refusal::Changed => Err("a document was called changed, and none is"),
        Refusal::Quota => Err("a device was refused for asking too much, and none does"),
        Refusal::Damaged => Err("something was called damaged, and nothing is"),
    }
}

/// Whether a refusal is how the request went, for whoever asks for it again, and takes its number.
pub(super) fn is_outcome(refusal: Refusal, kept: &Kept) -> bool {
    match refusal {
        Refusal::OutOfTime | Refusal::SequenceReused | Refusal::Conflict | Refusal::Quota => false,
        // Seen before a try is counted it binds nobody.
        Refusal::NotAllowed | Refusal::LinkUsed | Refusal::LinkExpired | Refusal::LinkDead => {
            kept.counted || kept.sealed.deed() != Deed::Enrol
        }
        Refusal::WrongPin | Refusal::Revoked | Refusal::Changed | Refusal::WrongLane | Refusal::Damaged => true,
    }
}

/// Whether there is no right to what is asked for.
fn may_not(kept: &Kept, policy: &Policy) -> bool {
    let device = kept.sealed.device;
    match kept.sealed.deed() {
        // A key is one device's for ever.
        Deed::Enrol => policy.owner(device).is_some(),
        Deed::Read(document) => !policy.documents_of(device).contains(&document),
        Deed::List | Deed::Status => false,
    }
}
