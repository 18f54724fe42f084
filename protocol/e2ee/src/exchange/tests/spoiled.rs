//! Envelopes changed, cut and put together from others: none of them opens.

use super::*;
use crate::body::DocumentId;

/// Every bit position in turn, a byte each, and every cut.
fn spoil(whole: &[u8], mut opens: impl FnMut(&[u8]) -> bool) {
    assert!(opens(whole));
    let mut flipped = whole.to_vec();
    for at in 0..whole.len() {
        flipped[at] ^= 1 << (at % 8);
        assert!(!opens(&flipped), "byte {at} changed");
        flipped[at] ^= 1 << (at % 8);
        assert!(!opens(&whole[..at]), "cut at {at}");
    }
}

fn read() -> Operation {
    Operation::Document { document: DocumentId(Fixed([1; 16])), offset: 0, version: None }
}

#[test]
fn a_live_request_with_any_byte_changed_or_cut_off_is_refused() {
    let mut f = fixture();
    let (envelope, _) = f.seal(Lane::Live, read());
    spoil(&envelope, |bytes| f.open(bytes, Lane::Live).is_ok());
}

#[test]
fn a_deposited_request_with_any_byte_changed_or_cut_off_is_refused() {
    let mut f = fixture();
    let (envelope, _) = f.seal(DEPOSIT, Operation::Status);
    spoil(&envelope, |bytes| f.open(bytes, DEPOSIT).is_ok());
}

#[test]
fn a_reply_with_any_byte_changed_or_cut_off_is_refused() {
    let mut f = fixture();
    let (envelope, expect) = f.seal(Lane::Live, Operation::Status);
    let opened = f.open(&envelope, Lane::Live).unwrap();
    let sealed = opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap();
    spoil(&sealed, |bytes| expect.open(bytes).is_ok());
}

/// Header, encapsulated key, ciphertext.
fn split(envelope: &[u8], header: usize) -> [&[u8]; 3] {
    let (header, rest) = envelope.split_at(header);
    let (encapsulated, sealed) = rest.split_at(ENCAPSULATED_BYTES);
    [header, encapsulated, sealed]
}

#[test]
fn a_request_put_together_from_two_is_refused() {
    let mut f = fixture();
    let (one, two) = (f.seal(Lane::Live, read()).0, f.seal(Lane::Live, read()).0);
    let deposited = f.seal(DEPOSIT, read()).0;
    let [header, key, sealed] = split(&one, REQUEST_HEADER_BYTES);
    let [_, other_key, other_sealed] = split(&two, REQUEST_HEADER_BYTES);
    let [deposit_header, deposit_key, deposit_sealed] = split(&deposited, REQUEST_HEADER_BYTES);
    assert!(f.open(&[header, key, sealed].concat(), Lane::Live).is_ok());
    // X-Wing's halves: ML-KEM-768's ciphertext (1,088), then the X25519 value (32).
    let halves = [&key[..1088], &other_key[1088..]].concat();
    for parts in [
        [header, key, other_sealed],
        [header, other_key, sealed],
        [header, &halves, sealed],
        [header, deposit_key, deposit_sealed],
        [deposit_header, key, sealed],
    ] {
        for lane in [Lane::Live, DEPOSIT] {
            assert!(f.open(&parts.concat(), lane).is_err());
        }
    }
}

#[test]
fn a_reply_put_together_from_two_or_from_its_request_is_refused() {
    let mut f = fixture();
    let (envelope, expect) = f.seal(Lane::Live, read());
    let [request_header, request_key, request_sealed] = split(&envelope, REQUEST_HEADER_BYTES);
    let mut reply = || {
        let opened = f.open(&envelope, Lane::Live).unwrap();
        opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap()
    };
    let (one, two) = (reply(), reply());
    let [header, key, sealed] = split(&one, REPLY_HEADER_BYTES);
    let [_, other_key, other_sealed] = split(&two, REPLY_HEADER_BYTES);
    assert!(expect.open(&two).is_ok());
    for parts in [
        [header, key, other_sealed],
        [header, other_key, sealed],
        [header, request_key, request_sealed],
        [request_header, key, sealed],
        [&[VERSION, SUITE, 1], key, sealed],
    ] {
        assert_eq!(expect.open(&parts.concat()), Err(OpenError));
    }
    assert_eq!(expect.open(&envelope), Err(OpenError), "its own request for a reply");
    assert!(f.open(&one, Lane::Live).is_err(), "a reply for a request");
    assert!(f.open(&[request_header, key, sealed].concat(), Lane::Live).is_err());
}
