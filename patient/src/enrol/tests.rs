use std::fs;

use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{RootChain, StatementHash};
use rohrpost_wire::{InboxId, SafePin, address};

use super::*;
use crate::account::tests::{account, verified};
use crate::exit::Exit;
use crate::texts;

fn invitation() -> Invitation {
    let link = Link {
        expires: Timestamp(1_000),
        pin: SafePin(Fixed([2; 32])),
        epoch: 1,
        inbox: InboxId(Fixed([4; 16])),
        secret: LinkSecret::from_bytes([3; 32]),
        ticket: None,
        relay: account().safe.relay,
        chain: RootChain { length: 1, newest: StatementHash(Fixed([3; 32])) },
    };
    Invitation { link, pin: Pin::parse("123456").unwrap(), device_name: "laptop".into() }
}

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    (folder, home)
}

#[test]
fn a_key_outlives_every_refusal_until_its_link_is_over() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let invitation = invitation();
    let mut enrolment = Enrolment::begin(&lock, &invitation, None).unwrap();
    let (link, key) = (enrolment.pending.link, enrolment.pending.key().public());
    enrolment.handle_refusal(Timestamp(999)).unwrap();
    assert_eq!(lock.pending(link).unwrap().unwrap().key().public(), key);
    enrolment.handle_refusal(Timestamp(1_000)).unwrap();
    assert!(lock.pending(link).unwrap().is_none());
}

#[test]
fn what_was_known_of_the_safe_is_known_to_the_next_try() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let invitation = invitation();
    let begun = Enrolment::begin(&lock, &invitation, Some(&account())).unwrap();
    assert_eq!(begun.pending.safe.epoch(), account().safe.epoch(), "the removed account has met epoch 3");
    let again = Enrolment::begin(&lock, &invitation, None).unwrap();
    assert_eq!(again.pending.safe.known(), begun.pending.safe.known());
    assert_eq!(again.pending.key().public(), begun.pending.key().public());
}

/// A link that was tried and never enrolled, and what verified records said meanwhile.
#[test]
fn what_one_link_learnt_of_a_safe_is_known_to_the_next_link() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let (one, two) = (invitation(), another(1));
    let mut first = Enrolment::begin(&lock, &one, None).unwrap();
    assert!(first.pending.learn(&records(9)));
    assert!(!first.pending.learn(&records(9)), "no news");
    lock.save_pending(&first.pending).unwrap();

    let second = Enrolment::begin(&lock, &two, None).unwrap();
    assert_eq!(second.pending.safe.known(), first.pending.safe.known());
    assert!(second.pending.link != first.pending.link && second.pending.key().public() != first.pending.key().public());
    let mut elsewhere = another(2);
    elsewhere.link.pin = SafePin(Fixed([9; 32]));
    assert_eq!(Enrolment::begin(&lock, &elsewhere, None).unwrap().pending.safe.epoch(), 1, "of no other safe");

    lock.remove_pending(first.pending.link).unwrap();
    let three = another(5);
    let third = Enrolment::begin(&lock, &three, None).unwrap();
    assert_eq!(third.pending.safe.known(), first.pending.safe.known(), "by the second link, though that met nobody");
}

/// Anybody can write a link with a safe's pin and an epoch that is still to come: it must not shut out the true one.
#[test]
fn what_only_a_link_says_of_a_safe_is_handed_to_no_other_link() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let (genuine, mut forged) = (invitation(), another(1));
    (forged.link.epoch, forged.link.chain.length) = (u32::MAX, 7);
    Enrolment::begin(&lock, &forged, Some(&account())).unwrap();
    let begun = Enrolment::begin(&lock, &genuine, None).unwrap();
    assert_eq!(begun.pending.safe.known(), account().safe.known(), "what the removed account had verified stays");
}

/// A link's check sum is no signature: whoever read its e-mail can put its secret into another text.
#[test]
fn what_another_text_of_a_link_says_outlives_its_try_neither_for_this_link_nor_for_another() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let (genuine, mut forged) = (invitation(), invitation());
    (forged.link.epoch, forged.link.chain.length) = (u32::MAX, 7);
    Enrolment::begin(&lock, &forged, None).unwrap();
    let mut begun = Enrolment::begin(&lock, &genuine, None).unwrap();
    assert_eq!(begun.pending.safe.known(), Safe::of_link(&genuine.link).known(), "before any record was verified");

    assert!(begun.pending.learn(&records(9)));
    begun.handle_refusal(Timestamp(0)).unwrap();
    let verified = begun.pending.safe.known();
    let shut_out = Enrolment::begin(&lock, &forged, None).unwrap();
    assert_eq!(shut_out.pending.safe.epoch(), u32::MAX, "its own try holds it to what it says");
    for invitation in [another(1), genuine] {
        let begun = Enrolment::begin(&lock, &invitation, None).unwrap();
        assert_eq!((begun.pending.safe.known(), verified.epoch), (verified, 9), "what was verified, and no more");
    }
}

/// A try with a safe that never answers must not cost what is known of the true one.
#[test]
fn a_text_of_a_link_that_names_another_safe_takes_nothing_from_the_true_one() {
    let (_folder, home) = home();
    let lock = home.lock().unwrap();
    let (genuine, mut elsewhere) = (invitation(), invitation());
    elsewhere.link.pin = SafePin(Fixed([9; 32]));
    let mut begun = Enrolment::begin(&lock, &genuine, None).unwrap();
    assert!(begun.pending.learn(&records(9)));
    lock.save_pending(&begun.pending).unwrap();
    assert_eq!(Enrolment::begin(&lock, &elsewhere, None).unwrap().pending.safe.epoch(), 1, "of no other safe");
    assert_eq!(Enrolment::begin(&lock, &genuine, None).unwrap().pending.safe.epoch(), 9);
}

/// Its key may be enrolled by now, so nothing is begun in its place.
#[test]
fn a_link_that_was_begun_with_another_version_needs_a_new_link_and_stands_in_no_others_way() {
    for version in [1, 3] {
        let (folder, home) = home();
        let lock = home.lock().unwrap();
        let begun = Enrolment::begin(&lock, &invitation(), None).unwrap().pending;
        let path = folder.path().join(format!("enrolment-{}", begun.link.0.to_hex()));
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 32);
        bytes[0] = version;
        bytes.extend(address::hash(b"rohrpost/1 patient enrolment", &[&bytes]));
        fs::write(&path, &bytes).unwrap();

        let problem = Enrolment::begin(&lock, &invitation(), None).err().unwrap();
        assert_eq!((problem.exit(), problem.kind()), (Exit::WrongCredential, "link_other_version"));
        assert!(texts::problem(&problem).ends_with("Ask the practice for a new link."));
        assert_eq!(fs::read(&path).unwrap(), bytes, "left as it was");
        Enrolment::begin(&lock, &another(1), None).unwrap();
    }
}

/// The same invitation by another link.
fn another(secret: u8) -> Invitation {
    let mut invitation = invitation();
    invitation.link.secret = LinkSecret::from_bytes([secret; 32]);
    invitation
}

/// Verified records of this epoch.
fn records(epoch: u32) -> TrustedSafe {
    let link = invitation().link;
    verified(link.inbox, link.pin, epoch)
}

#[tokio::test]
async fn a_home_of_another_safe_is_refused_without_asking_anybody() {
    let (_folder, home) = home();
    home.lock().unwrap().save_account(&account()).unwrap();
    let mut other = invitation();
    other.link.pin = SafePin(Fixed([9; 32]));
    assert_eq!(already(&home, &other.link).await.unwrap_err().kind(), "already_enrolled");
    assert_eq!(accept(&home, &other).await.unwrap_err().kind(), "already_enrolled");
}

#[test]
fn what_a_link_or_pin_is_refused_for_exits_with_one_code() {
    for status in [Status::WrongPin { left: 2 }, Status::WrongPin { left: 0 }, Status::LinkExpired, Status::LinkDead] {
        let Verdict::Refused(problem) = verdict(status) else { panic!() };
        assert_eq!(problem.exit(), Exit::WrongCredential, "{status:?}");
    }
}

#[test]
fn a_device_that_may_have_been_enrolled_before_asks_before_it_gives_up() {
    for (status, kind) in
        [(Status::LinkUsed, "link_used"), (Status::NotAllowed, "link_unknown"), (Status::Busy, "link_used_up")]
    {
        let Verdict::Perhaps(otherwise) = verdict(status) else { panic!("{status:?}") };
        let problem = Problem::from(otherwise);
        assert_eq!((problem.exit(), problem.kind()), (Exit::WrongCredential, kind));
    }
}

#[test]
fn only_a_request_that_may_have_arrived_counts_as_unanswered() {
    use rohrpost_client::AskError;
    use rohrpost_wire::ErrorCode;
    let problem = |error| unanswered(VisitError::Ask(error)).kind();
    assert_eq!(problem(AskError::Lost), "enrolment_unanswered");
    assert_eq!(problem(AskError::TimedOut), "enrolment_unanswered");
    assert_eq!(problem(AskError::Refused(ErrorCode::Interrupted)), "enrolment_unanswered");
    assert_eq!(problem(AskError::Refused(ErrorCode::Away)), "safe_away");
    assert_eq!(problem(AskError::Misbehaved), "relay_misbehaved");
}
