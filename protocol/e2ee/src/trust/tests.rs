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

fn statement(root: u8, next: u8) -> Signed {
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: public(root),
        next_root_hash: next_root_hash(&public(next).0),
    };
    Signed::sign(RecordKind::Root, &statement, &key(root))
}

const ROOT: u8 = 1;
const NEXT_ROOT: u8 = 2;
const ONLINE: u8 = 3;

fn pin() -> SafePin {
    SafePin::of_statement(&statement(ROOT, NEXT_ROOT).bytes)
}

fn known() -> Known {
    Known { pin: pin(), epoch: 1, roots: 1 }
}

fn identity() -> IdentityRecord {
    IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin(),
        epoch: 1,
        online_key: public(ONLINE),
        audit_key: public(4),
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
        roots: vec![statement(ROOT, NEXT_ROOT)],
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
    assert_eq!((safe.pin, safe.epoch, safe.prekey_id), (pin(), 1, PrekeyId(Fixed([1; 8]))));
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
    let longer = Known { roots: 2, ..known() };
    assert_eq!(verify(&good(), &longer, NOW), Err(TrustError::RolledBack));
    let mixed = set_of(&IdentityRecord { epoch: 2, ..identity() }, &[prekey(1, NOW)]);
    assert_eq!(verify(&mixed, &later, NOW), Err(TrustError::RolledBack));
}

#[test]
fn a_successor_must_be_the_one_that_was_committed_to() {
    let mut set = good();
    set.roots.push(statement(NEXT_ROOT, 7));
    set.identity = Signed::sign(RecordKind::Identity, &identity(), &key(NEXT_ROOT));
    assert_eq!(verify(&set, &known(), NOW).map(|safe| safe.roots), Ok(2));
    set.roots[1] = statement(8, 7);
    set.identity = Signed::sign(RecordKind::Identity, &identity(), &key(8));
    assert_eq!(verify(&set, &known(), NOW), Err(TrustError::NotThisSafe));
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

#[test]
fn the_prekey_of_the_hour_is_taken_with_grace_at_both_ends() {
    let chosen =
        |prekeys: &[PrekeyRecord]| verify(&set_of(&identity(), prekeys), &known(), NOW).map(|s| s.prekey_id.0.0[0]);
    let ended = |seconds| NOW.minus(PREKEY_SECONDS + seconds);
    assert_eq!(chosen(&[prekey(1, ended(1)), prekey(2, NOW.minus(1)), prekey(3, NOW.plus(1))]), Ok(2));
    assert_eq!(chosen(&[prekey(1, ended(PREKEY_LATE_SECONDS)), prekey(3, NOW.plus(PREKEY_EARLY_SECONDS))]), Ok(3));
    assert_eq!(chosen(&[prekey(1, ended(PREKEY_LATE_SECONDS + 1))]), Err(TrustError::NoPrekey));
    assert_eq!(chosen(&[prekey(1, NOW.plus(PREKEY_EARLY_SECONDS + 1))]), Err(TrustError::NoPrekey));
    assert_eq!(chosen(&[]), Err(TrustError::NoPrekey));
}

#[test]
fn every_flipped_bit_of_every_record_is_refused() {
    let set = good();
    let parts: [fn(&mut RecordSet) -> &mut Signed; 3] =
        [|s| &mut s.roots[0], |s| &mut s.identity, |s| &mut s.prekeys[0]];
    for part in parts {
        for at in (0..part(&mut set.clone()).bytes.len()).step_by(7) {
            let mut flipped = set.clone();
            part(&mut flipped).bytes[at] ^= 1;
            assert!(verify(&flipped, &known(), NOW).is_err(), "byte {at}");
        }
    }
}
