//! A client never goes back to older records, nor over to a thief's, whatever each of its visits is shown.

use ed25519_dalek::SigningKey;
use rohrpost_e2ee::keys::SealingSecret;
use rohrpost_e2ee::trust::Known;
use rohrpost_models::practice::START;
use rohrpost_models::roots::{Fault, Moment, Roots};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{
    IDENTITY_SECONDS, IdentityRecord, PREKEY_SECONDS, PrekeyId, PrekeyRecord, RecordKind, RecordSet, RootChain,
    RootStatement, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::time::DAY;
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SUITE, SafePin, Timestamp, VERSION};
use stateright::Property;

use crate::report::prove_and_refute;

const FORWARD: &str = "a visit that begins later believes nothing older";
const GENUINE: &str = "no visit believes a thief";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> Fixed<32> {
    Fixed(key(seed).verifying_key().to_bytes())
}

/// A statement of one root key that commits to another and stands behind a chain.
fn statement(root: u8, next: u8, behind: Option<&Signed>) -> Signed {
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: public(root),
        next_root_hash: next_root_hash(&public(next).0),
        previous: behind.map(|before| StatementHash::of_statement(&before.bytes)),
    };
    Signed::sign(RecordKind::Root, &statement, &key(root))
}

/// Everything signed by the holder of `root` in an epoch, from a moment on.
fn set(roots: &[&Signed], root: u8, epoch: u32, from: Timestamp) -> RecordSet {
    let (online, safe_pin) = (100 + root, SafePin::of_statement(&roots[0].bytes));
    let relay = RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) };
    let identity = IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin,
        epoch,
        online_key: public(online),
        audit_key: public(200),
        inbox: InboxId(Fixed([1; 16])),
        relays: vec![relay],
        not_before: from,
        not_after: from.plus(IDENTITY_SECONDS),
    };
    let prekey = PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin,
        epoch,
        id: PrekeyId(Fixed([2; 8])),
        key: SealingSecret::from_bytes([3; 32]).public(),
        pipe_key_hash: None,
        not_before: START,
        not_after: START.plus(PREKEY_SECONDS),
    };
    RecordSet {
        roots: roots.iter().map(|signed| (*signed).clone()).collect(),
        identity: Signed::sign(RecordKind::Identity, &identity, &key(root)),
        prekeys: vec![Signed::sign(RecordKind::Prekey, &prekey, &key(online))],
    }
}

/// A safe that changed its epoch, renewed its record and changed its root; and a thief of the two roots before the last,
/// who signs what they can: another statement of the second root, one behind it, and records of the first.
fn roots(fault: Fault) -> Roots {
    let first = statement(1, 2, None);
    let second = statement(2, 3, Some(&first));
    let third = statement(3, 4, Some(&second));
    let forked = statement(2, 9, Some(&first));
    let behind = statement(9, 10, Some(&forked));
    let later = |days: u64| START.minus(100 * DAY).plus(days * DAY);
    let sets = vec![
        set(&[&first, &second], 2, 1, later(0)),
        set(&[&first, &second], 2, 2, later(1)),
        set(&[&first, &second], 2, 2, later(2)),
        set(&[&first, &second, &third], 3, 3, later(3)),
        set(&[&first, &second, &third], 3, 3, later(4)),
        set(&[&first, &forked], 2, 9, later(5)),
        set(&[&first, &forked, &behind], 9, 9, later(6)),
        set(&[&first], 1, 9, later(7)),
    ];
    let chain = RootChain::of(&sets[0].roots).unwrap();
    let link = Known { pin: SafePin::of_statement(&first.bytes), epoch: 1, chain, identity_from: Timestamp(0) };
    Roots { link, sets, genuine: 5, now: START, at_once: 3, fault, promises }
}

fn promises() -> Vec<Property<Roots>> {
    vec![
        Property::always(FORWARD, |_, moment: &Moment| !moment.went_back),
        Property::always(GENUINE, |roots: &Roots, moment: &Moment| {
            moment.visits.iter().all(|(set, _)| *set < roots.genuine)
        }),
        Property::sometimes("the newest records are learned", |roots: &Roots, moment: &Moment| {
            moment.newest == Some(roots.genuine - 1)
        }),
        Property::sometimes("an older visit ends after a newer one", |_, moment: &Moment| {
            moment.visits.iter().any(|(set, _)| moment.newest > Some(*set))
        }),
    ]
}

#[test]
fn a_client_never_goes_back_nor_over_to_a_thief_of_retired_roots() {
    let planted =
        [(Fault::LearnsAnything, FORWARD), (Fault::RemembersNothing, FORWARD), (Fault::CountsStatements, GENUINE)];
    prove_and_refute("models.roots", roots, Fault::None, &planted).publish();
}
