use ed25519_dalek::SigningKey;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{PREKEY_SECONDS, SEALING_KEY_BYTES};
use rohrpost_wire::{RelayKeyHash, time};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

fn public(byte: u8) -> Fixed<32> {
    Fixed(key(byte).verifying_key().to_bytes())
}

fn statement(root: u8, next: u8, previous: Option<&Signed>) -> Signed {
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: public(root),
        next_root_hash: next_root_hash(&public(next).0),
        previous: previous.map(|signed| StatementHash::of_statement(&signed.bytes)),
    };
    Signed::sign(RecordKind::Root, &statement, &key(root))
}

/// Root 1, then 2, and so on.
fn chain(length: u8) -> Vec<Signed> {
    (ROOT..=length).fold(Vec::new(), |mut roots, root| {
        roots.push(statement(root, root + 1, roots.last()));
        roots
    })
}

const ROOT: u8 = 1;
const ONLINE: u8 = 30;

fn pin() -> SafePin {
    SafePin::of_statement(&chain(1)[0].bytes)
}

fn known() -> Known {
    knowing(&chain(1))
}

fn knowing(roots: &[Signed]) -> Known {
    Known { pin: pin(), epoch: 1, chain: RootChain::of(roots).unwrap(), identity_from: Timestamp(0) }
}

fn identity() -> IdentityRecord {
    IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin(),
        epoch: 1,
        online_key: public(ONLINE),
        audit_key: public(31),
        inbox: InboxId(Fixed([5; 16])),
        relays: vec![RelayAddress { host: "h".into(), port: 1, key_hash: RelayKeyHash(Fixed([6; 32])) }],
        not_before: NOW.minus(time::DAY),
        not_after: NOW.plus(time::DAY),
    }
}

fn prekey(id: u8, not_before: Timestamp) -> PrekeyRecord {
    PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin(),
        epoch: 1,
        id: PrekeyId(Fixed([id; 8])),
        key: Fixed([id; SEALING_KEY_BYTES]),
        pipe_key_hash: None,
        not_before,
        not_after: not_before.plus(PREKEY_SECONDS),
    }
}

fn set_of(identity: &IdentityRecord, prekeys: &[PrekeyRecord]) -> RecordSet {
    RecordSet {
        roots: chain(1),
        identity: Signed::sign(RecordKind::Identity, identity, &key(ROOT)),
        prekeys: prekeys.iter().map(|p| Signed::sign(RecordKind::Prekey, p, &key(ONLINE))).collect(),
    }
}

fn good() -> RecordSet {
    set_of(&identity(), &[prekey(1, NOW)])
}

#[test]
fn a_safe_is_trusted_through_its_pin() {
    let safe = verify(&good(), &known(), NOW).unwrap();
    assert_eq!((safe.pin(), safe.known().epoch, safe.prekey_id()), (pin(), 1, PrekeyId(Fixed([1; 8]))));
}

#[test]
fn another_safes_valid_records_are_refused() {
    let other = Known { pin: SafePin(Fixed([9; 32])), ..known() };
    assert_eq!(verify(&good(), &other, NOW), Err(TrustError::NotThisSafe));
}

#[test]
fn a_record_signed_by_any_other_key_is_refused() {
    let mut set = good();
    set.identity = Signed::sign(RecordKind::Identity, &identity(), &key(ONLINE));
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::NotThisSafe));
    let mut set = good();
    set.prekeys = vec![Signed::sign(RecordKind::Prekey, &prekey(1, NOW), &key(ROOT))];
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::NotThisSafe));
    let mut set = good();
    set.roots[0].signature = Fixed([0; 64]);
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::NotThisSafe));
}

#[test]
fn an_older_epoch_or_a_shorter_chain_is_rolled_back() {
    let later = Known { epoch: 2, ..known() };
    assert_eq!(verify(&good(), &later, NOW), Err(TrustError::RolledBack));
    assert_eq!(verify(&good(), &knowing(&chain(2)), NOW), Err(TrustError::RolledBack));
    let mixed = set_of(&IdentityRecord { epoch: 2, ..identity() }, &[prekey(1, NOW)]);
    assert_eq!(verify(&mixed, &later, NOW), Err(TrustError::RolledBack));
}

/// A set under these roots, its identity record signed by `root`.
fn under(roots: Vec<Signed>, root: u8) -> RecordSet {
    RecordSet { roots, identity: Signed::sign(RecordKind::Identity, &identity(), &key(root)), ..good() }
}

#[test]
fn a_successor_must_be_the_one_that_was_committed_to() {
    let safe = verify(&under(chain(2), 2), &known(), NOW).unwrap();
    assert_eq!(Some(safe.known().chain), RootChain::of(&chain(2)));
    let uncommitted = vec![chain(1).remove(0), statement(8, 9, chain(1).first())];
    assert_eq!(verify(&under(uncommitted, 8), &known(), NOW), Err(TrustError::NotThisSafe));
}

#[test]
fn a_successor_names_the_statement_before_it_and_the_first_names_none() {
    for previous in [None, chain(2).last()] {
        let roots = vec![chain(1).remove(0), statement(2, 3, previous)];
        assert_eq!(verify(&under(roots, 2), &known(), NOW), Err(TrustError::NotThisSafe), "{previous:?}");
    }
    let first = statement(ROOT, 2, chain(2).last());
    let pin = SafePin::of_statement(&first.bytes);
    let known = Known { pin, chain: RootChain::of(std::slice::from_ref(&first)).unwrap(), ..known() };
    assert_eq!(verify(&under(vec![first], ROOT), &known, NOW), Err(TrustError::NotThisSafe));
}

/// Root key 2 was retired and its sheet thrown away, not burnt. Its finder can say once more what comes after it: key 9
/// of his own, and have a chain of the same length, or of any.
#[test]
fn a_thief_of_a_retired_root_key_cannot_fork_the_chain() {
    let mut forged = chain(1);
    forged.push(statement(2, 9, forged.last()));
    forged.push(statement(9, 10, forged.last()));
    let forged = under(forged, 9);
    assert!(verify(&forged, &known(), NOW).is_ok(), "for who met the safe before key 2 spoke");
    for met in 2..=3 {
        let verdict = verify(&forged, &knowing(&chain(met)), NOW);
        assert_eq!(verdict, Err(TrustError::NotThisSafe), "met at {met}");
        assert!(verify(&under(chain(3), 3), &knowing(&chain(met)), NOW).is_ok());
    }
}

#[test]
fn an_older_record_of_the_same_epoch_is_rolled_back() {
    let begun = |epoch, seconds| {
        let identity = IdentityRecord { epoch, not_before: NOW.minus(seconds), ..identity() };
        set_of(&identity, &[PrekeyRecord { epoch, ..prekey(1, NOW) }])
    };
    let mut known = known();
    assert!(known.learn(&verify(&begun(1, 60), &known, NOW).unwrap()));
    assert_eq!(verify(&begun(1, 61), &known, NOW), Err(TrustError::RolledBack));
    assert!(!known.learn(&verify(&begun(1, 60), &known, NOW).unwrap()), "the same again");
    assert!(known.learn(&verify(&begun(1, 59), &known, NOW).unwrap()));
    assert!(known.learn(&verify(&begun(2, 90), &known, NOW).unwrap()), "a new epoch is newer whenever it began");
    assert_eq!(verify(&begun(1, 0), &known, NOW), Err(TrustError::RolledBack));
}

#[test]
fn what_is_known_never_goes_back() {
    let (older, mut newer) = (verify(&good(), &known(), NOW).unwrap(), known());
    let identity = IdentityRecord { epoch: 2, ..identity() };
    let later = RecordSet {
        roots: chain(2),
        identity: Signed::sign(RecordKind::Identity, &identity, &key(2)),
        prekeys: set_of(&identity, &[PrekeyRecord { epoch: 2, ..prekey(1, NOW) }]).prekeys,
    };
    assert!(newer.learn(&verify(&later, &known(), NOW).unwrap()));
    let kept = newer;
    assert!(!newer.learn(&older));
    let other = PrekeyRecord { safe_pin: SafePin(Fixed([9; 32])), epoch: 9, ..prekey(1, NOW) };
    assert!(!newer.learn(&TrustedSafe::unverified_for_tests(InboxId(Fixed([5; 16])), &other)), "another safe");
    assert_eq!(newer, kept);
}

#[test]
fn an_unknown_version_or_suite_is_refused_though_signed() {
    for (version, suite) in [(2, SUITE), (VERSION, 2), (VERSION, 0)] {
        let set = set_of(&IdentityRecord { version, suite, ..identity() }, &[prekey(1, NOW)]);
        assert_eq!(verify(&set, &known(), NOW), Err(TrustError::Unsupported));
        let set = set_of(&identity(), &[PrekeyRecord { version, suite, ..prekey(1, NOW) }]);
        assert_eq!(verify(&set, &known(), NOW), Err(TrustError::Unsupported));
    }
}

#[test]
fn an_identity_record_has_a_beginning_and_an_end() {
    let with = |not_before, not_after| {
        let identity = IdentityRecord { not_before, not_after, ..identity() };
        verify(&set_of(&identity, &[prekey(1, NOW)]), &known(), NOW).map(|_| ())
    };
    assert_eq!(with(NOW.plus(PREKEY_EARLY_SECONDS), NOW), Ok(()));
    assert_eq!(with(NOW.plus(PREKEY_EARLY_SECONDS + 1), NOW), Err(TrustError::Outdated));
    assert_eq!(with(NOW.minus(9), NOW.minus(1)), Err(TrustError::Outdated));
}

/// A relay may serve what has ended, as an honest one does whose safe was away; behind that it is not to hide a forgery.
#[test]
fn a_forged_prekey_is_told_as_forged_though_the_identity_has_ended() {
    let ended = IdentityRecord { not_after: NOW.minus(1), ..identity() };
    let mut set = set_of(&ended, &[prekey(1, NOW)]);
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::Outdated));
    set.prekeys = vec![Signed::sign(RecordKind::Prekey, &prekey(1, NOW), &key(9))];
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::NotThisSafe));
}

#[test]
fn the_prekey_of_the_hour_is_taken_with_grace_at_both_ends() {
    let chosen =
        |prekeys: &[PrekeyRecord]| verify(&set_of(&identity(), prekeys), &known(), NOW).map(|s| s.prekey_id().0.0[0]);
    let ended = |seconds| NOW.minus(PREKEY_SECONDS + seconds);
    assert_eq!(chosen(&[prekey(1, ended(1)), prekey(2, NOW.minus(1)), prekey(3, NOW.plus(1))]), Ok(2));
    assert_eq!(chosen(&[prekey(1, ended(PREKEY_LATE_SECONDS)), prekey(3, NOW.plus(PREKEY_EARLY_SECONDS))]), Ok(3));
    assert_eq!(chosen(&[prekey(1, ended(PREKEY_LATE_SECONDS + 1))]), Err(TrustError::NoPrekey));
    assert_eq!(chosen(&[prekey(1, NOW.plus(PREKEY_EARLY_SECONDS + 1))]), Err(TrustError::NoPrekey));
    assert_eq!(chosen(&[]), Err(TrustError::NoPrekey));
}

#[test]
fn every_flipped_bit_of_every_record_is_refused() {
    let set = under(chain(2), 2);
    let known = knowing(&chain(2));
    assert!(verify(&set, &known, NOW).is_ok());
    let parts: [fn(&mut RecordSet) -> &mut Signed; 4] =
        [|s| &mut s.roots[0], |s| &mut s.roots[1], |s| &mut s.identity, |s| &mut s.prekeys[0]];
    for part in parts {
        let mut flipped = set.clone();
        for at in 0..part(&mut flipped).bytes.len() {
            part(&mut flipped).bytes[at] ^= 1 << (at % 8);
            assert!(verify(&flipped, &known, NOW).is_err(), "byte {at}");
            part(&mut flipped).bytes[at] ^= 1 << (at % 8);
        }
        for at in 0..64 {
            part(&mut flipped).signature.0[at] ^= 1 << (at % 8);
            assert!(verify(&flipped, &known, NOW).is_err(), "byte {at} of the signature");
            part(&mut flipped).signature.0[at] ^= 1 << (at % 8);
        }
        assert_eq!(flipped, set);
    }
}
