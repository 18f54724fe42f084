use data_encoding::HEXLOWER;

use super::*;
use crate::vault::tests::vault_key;

#[test]
fn every_use_and_every_table_has_a_key_of_its_own() {
    let key = vault_key(1);
    let mut derived: Vec<[u8; 32]> = (0..=255).map(|number| *key.table_key(number)).collect();
    derived.extend(["search", "pins", ""].map(|label| *key.derive(label)));
    derived.push(*key.expose());
    let count = derived.len();
    derived.sort_unstable();
    derived.dedup();
    assert_eq!(derived.len(), count);
    assert_eq!(*key.derive("search"), *vault_key(1).derive("search"), "the same at every start");
    assert_ne!(*key.derive("search"), *vault_key(2).derive("search"));
}

/// RFC 5869, test case 1, whose salt and info are binary; pins that the parts go where they belong.
#[test]
fn derivation_is_hkdf_sha256() {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &HEXLOWER.decode(b"000102030405060708090a0b0c").unwrap())
        .extract(&[0x0b; 22]);
    let mut out = [0; 42];
    expand(&prk, &[&HEXLOWER.decode(b"f0f1f2f3f4").unwrap(), &HEXLOWER.decode(b"f5f6f7f8f9").unwrap()], &mut out);
    assert_eq!(
        HEXLOWER.encode(&out),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

#[test]
fn a_seal_holds_for_its_key_its_place_and_its_bytes() {
    let sealed = |associated: &[u8]| {
        let mut buffer = b"plain".to_vec();
        OneSeal::derive(&[1; 32], &[b"salt"]).seal(associated, &mut buffer);
        buffer
    };
    let opens = |key: u8, info: &[u8], associated: &[u8], mut buffer: Vec<u8>| {
        OneSeal::derive(&[key; 32], &[info]).open(associated, &mut buffer).is_ok() && buffer == b"plain"
    };
    assert!(opens(1, b"salt", b"here", sealed(b"here")));
    assert!(!opens(2, b"salt", b"here", sealed(b"here")));
    assert!(!opens(1, b"sale", b"here", sealed(b"here")));
    assert!(!opens(1, b"salt", b"there", sealed(b"here")));
    assert!(!opens(1, b"salt", b"here", vec![0; 3]));
}
