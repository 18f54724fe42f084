use rohrpost_client::random;
use rohrpost_e2ee::body::{Payload, Status};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{PrekeyId, PrekeyRecord, RootChain, SEALING_KEY_BYTES, StatementHash};
use rohrpost_wire::{RelayKeyHash, SUITE, SafePin, VERSION, codec};

use super::*;

pub(crate) fn account() -> Account {
    Account::new(&pending(1), "Praxis Beispiel", "Erika Muster")
}

pub(crate) fn pending(link: u8) -> Pending {
    Pending::begin(LinkId(Fixed([link; 16])), safe(), "laptop", &mut random::system())
}

fn safe() -> Safe {
    let relay = RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) };
    let chain = RootChain { length: 1, newest: StatementHash(Fixed([3; 32])) };
    let known = Known { pin: SafePin(Fixed([2; 32])), epoch: 3, chain, identity_from: Timestamp(0) };
    Safe { known, relay, inbox: InboxId(Fixed([4; 16])) }
}

/// What verified records of this epoch say.
pub(crate) fn verified(inbox: InboxId, safe_pin: SafePin, epoch: u32) -> TrustedSafe {
    let prekey = PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin,
        epoch,
        id: PrekeyId(Fixed([0; 8])),
        key: Fixed([0; SEALING_KEY_BYTES]),
        pipe_key_hash: None,
        not_before: Timestamp(7),
        not_after: Timestamp(8),
    };
    TrustedSafe::unverified_for_tests(inbox, &prekey)
}

#[test]
fn an_account_reads_back_as_it_was_written() {
    let account = account();
    assert_eq!(codec::decode(&codec::encode(&account)), Ok(account));
}

#[test]
fn a_safe_that_was_set_back_is_noticed_once_and_the_day_is_kept() {
    let reply = |highest_sequence| Reply {
        request: RequestId(Fixed([1; 16])),
        status: Status::NotAllowed,
        safe_time: Timestamp(0),
        highest_sequence,
        tickets: vec![],
        payload: Payload::None,
    };
    let mut account = account();
    for (highest, now, noted, kept) in
        [(7, 10, Ok(()), None), (3, 11, Err(SetBack), Some(11)), (3, 12, Ok(()), Some(11))]
    {
        let reserved = account.sequence.reserve();
        assert_eq!(account.handle_reply(reserved, &reply(highest), Timestamp(now)), noted);
        account = codec::decode(&codec::encode(&account)).unwrap();
        assert_eq!(account.set_back, kept.map(Timestamp));
    }
}

#[test]
fn what_is_known_of_a_safe_never_goes_back() {
    let mut safe = safe();
    let verified = |epoch| verified(InboxId(Fixed([4; 16])), SafePin(Fixed([2; 32])), epoch);
    assert!(safe.learn(&verified(5)));
    assert!(!safe.learn(&verified(4)));
    assert_eq!((safe.known().epoch, safe.known().identity_from), (5, Timestamp(7)));
}

#[test]
fn what_was_known_of_a_safe_before_a_new_link_is_not_forgotten() {
    let newer = Known { epoch: 9, identity_from: Timestamp(7), ..safe().known };
    let mut enrolled_again = safe();
    enrolled_again.inherit(newer);
    assert_eq!(enrolled_again.known(), newer);
    enrolled_again.inherit(safe().known);
    assert_eq!(enrolled_again.known(), newer, "never back");
    enrolled_again.inherit(Known { pin: SafePin(Fixed([9; 32])), epoch: 99, ..newer });
    assert_eq!(enrolled_again.known(), newer, "of no other safe");
}

#[test]
fn another_try_keeps_the_device_key_and_changes_the_request() {
    let first = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
    let mut second = first.clone();
    second.renew(&mut random::system());
    assert_ne!(first.request, second.request);
    assert_eq!(first.key().public(), second.key().public());
}

#[test]
fn only_another_name_makes_another_request() {
    let first = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
    let mut second = first.clone();
    second.rename("laptop", &mut random::system());
    assert!(first == second);
    second.rename("desk", &mut random::system());
    assert!(first.request != second.request && second.device_name == "desk");
}

#[test]
fn names_are_bounded_and_harmless() {
    let long = format!("\u{1b}{}", "x".repeat(100));
    let pending = Pending::begin(LinkId(Fixed([1; 16])), safe(), &long, &mut random::system());
    assert_eq!(pending.device_name.chars().count(), DEVICE_NAME_CHARS);
    assert!(!pending.device_name.contains('\u{1b}'));
}

#[test]
fn nothing_of_an_account_can_be_printed() {
    assert_eq!(format!("{:?}", account()), "Account");
    assert_eq!(format!("{:?} {:?}", account().owner, account().safe), "Owner Safe(epoch 3)");
    let pending = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
    assert_eq!(format!("{pending:?}"), "Pending");
}
