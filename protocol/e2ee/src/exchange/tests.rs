mod spoiled;

use ed25519_dalek::Signer as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rohrpost_wire::records::{PrekeyRecord, SEALING_KEY_BYTES};
use rohrpost_wire::{Timestamp, codec};

use super::context::Export as _;
use super::*;
use crate::body::{Authentication, Operation, Payload, Pin, Reply, RequestBody, Status, Who};
use crate::keys::{SealingKey, SigningSecret};
use crate::link::LinkSecret;
use crate::padding::{self, CLASSES};
use crate::trust::TrustedSafe;

struct Fixture {
    rng: ChaCha20Rng,
    prekey: SealingSecret,
    safe: TrustedSafe,
    device: SigningSecret,
    link: LinkSecret,
}

const PREKEY_UNTIL: Timestamp = Timestamp(1000);

fn fixture() -> Fixture {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let prekey = SealingSecret::generate(&mut rng);
    let offer = PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: SafePin(Fixed([1; 32])),
        epoch: 1,
        id: PrekeyId(Fixed([3; 8])),
        key: prekey.public(),
        pipe_key_hash: None,
        not_before: Timestamp(0),
        not_after: PREKEY_UNTIL,
    };
    let safe = TrustedSafe::unverified_for_tests(InboxId(Fixed([2; 16])), &offer);
    let device = SigningSecret::generate(&mut rng);
    Fixture { prekey, safe, device, link: LinkSecret::from_bytes([5; 32]), rng }
}

impl Fixture {
    fn draft(&mut self, operation: Operation) -> RequestDraft {
        let id = RequestId::generate(&mut self.rng);
        RequestDraft { id, created: Timestamp(100), expires: Timestamp(200), operation }
    }

    fn seal(&mut self, lane: Lane, operation: Operation) -> (Vec<u8>, ExpectReply) {
        let draft = self.draft(operation);
        let author = Author::Device { key: &self.device, sequence: 7 };
        seal_request(&self.safe, lane, &draft, &author, &mut self.rng).unwrap()
    }

    fn open(&self, envelope: &[u8], lane: Lane) -> Result<OpenedRequest, OpenError> {
        let recipient = Recipient { pin: &self.safe.pin(), inbox: &self.safe.inbox(), lane };
        open_request(envelope, &self.prekey, recipient)
    }
}

fn reply_to(id: RequestId) -> Reply {
    Reply {
        request: id,
        status: Status::Done,
        safe_time: Timestamp(150),
        highest_sequence: 7,
        tickets: vec![],
        payload: Payload::None,
    }
}

const DEPOSIT: Lane = Lane::Deposit { ttl: TtlClass::Week, reply_mailbox: Some(Fixed([6; 32])) };

#[test]
fn a_request_and_its_reply_arrive_on_either_lane() {
    for lane in [Lane::Live, DEPOSIT] {
        let mut f = fixture();
        let (envelope, expect) = f.seal(lane, Operation::Status);
        let opened = f.open(&envelope, lane).unwrap();
        assert_eq!(opened.operation, Operation::Status);
        assert!(matches!(opened.who, Proven::Device { key, sequence: 7 } if key == f.device.public()));
        let sealed = opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap();
        assert_eq!(expect.open(&sealed).unwrap(), reply_to(opened.id));
    }
}

#[test]
fn an_enrolment_proves_its_link_and_no_other() {
    let mut f = fixture();
    let operation = Operation::Enrol { pin: Pin::parse("123 456").unwrap(), device_name: "phone".into() };
    let draft = f.draft(operation);
    let author = Author::Enrol { key: &f.device, link: &f.link };
    let (envelope, _) = seal_request(&f.safe, Lane::Live, &draft, &author, &mut f.rng).unwrap();
    let Proven::Enrol { link, key, proof } = f.open(&envelope, Lane::Live).unwrap().who else { panic!("no enrolment") };
    assert_eq!((link, key), (f.link.id(), f.device.public()));
    assert!(proof.holds(&f.link.mac_key()));
    assert!(!proof.holds(&LinkSecret::from_bytes([9; 32]).mac_key()));
}

#[test]
fn a_request_opens_for_its_own_safe_inbox_prekey_and_lane_alone() {
    let mut f = fixture();
    let (envelope, _) = f.seal(DEPOSIT, Operation::Status);
    let (pin, inbox) = (f.safe.pin(), f.safe.inbox());
    let (other_pin, other_inbox) = (SafePin(Fixed([8; 32])), InboxId(Fixed([8; 16])));
    let other_prekey = SealingSecret::generate(&mut f.rng);
    let with = |prekey, pin, inbox, lane| open_request(&envelope, prekey, Recipient { pin, inbox, lane }).is_ok();
    assert!(with(&f.prekey, &pin, &inbox, DEPOSIT));
    assert!(!with(&other_prekey, &pin, &inbox, DEPOSIT));
    assert!(!with(&f.prekey, &other_pin, &inbox, DEPOSIT));
    assert!(!with(&f.prekey, &pin, &other_inbox, DEPOSIT));
    assert!(!with(&f.prekey, &pin, &inbox, Lane::Live));
    for (ttl, reply_mailbox) in
        [(TtlClass::Day, Some(Fixed([6; 32]))), (TtlClass::Week, None), (TtlClass::Week, Some(Fixed([7; 32])))]
    {
        assert!(!with(&f.prekey, &pin, &inbox, Lane::Deposit { ttl, reply_mailbox }));
    }
}

#[test]
fn nothing_is_sealed_to_a_prekey_that_is_over_or_for_longer_than_it_lives() {
    let mut f = fixture();
    let (day, fortnight) = (24 * 3600, 14 * 24 * 3600);
    let mut seal = |created, expires| {
        let draft = RequestDraft { created, expires, ..f.draft(Operation::Status) };
        seal_request(&f.safe, Lane::Live, &draft, &Author::Nobody, &mut f.rng).map(|_| ()).err()
    };
    let (late, latest) = (PREKEY_UNTIL.plus(day), PREKEY_UNTIL.plus(fortnight));
    assert_eq!(seal(late, late.plus(1)), None);
    assert_eq!(seal(late.plus(1), late.plus(2)), Some(SealError::PrekeyOver));
    assert_eq!(seal(late, late), Some(SealError::BadTime));
    assert_eq!(seal(Timestamp(9), Timestamp(8)), Some(SealError::BadTime));
    assert_eq!(seal(Timestamp(9), latest), None);
    assert_eq!(seal(Timestamp(9), latest.plus(1)), Some(SealError::BadTime));
    assert_eq!(seal(Timestamp(9), Timestamp(u64::MAX)), Some(SealError::BadTime));
}

#[test]
fn a_reply_opens_for_its_own_request_alone() {
    let mut f = fixture();
    let (first, _) = f.seal(Lane::Live, Operation::Status);
    let (_, expect_second) = f.seal(Lane::Live, Operation::Status);
    let opened = f.open(&first, Lane::Live).unwrap();
    let sealed = opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap();
    assert_eq!(expect_second.open(&sealed), Err(OpenError));
}

#[test]
fn a_reply_that_names_another_request_is_refused() {
    let mut f = fixture();
    let (envelope, expect) = f.seal(Lane::Live, Operation::Status);
    let opened = f.open(&envelope, Lane::Live).unwrap();
    let sealed = opened.reply.seal(&reply_to(RequestId(Fixed([9; 16]))), &mut f.rng).unwrap();
    assert_eq!(expect.open(&sealed), Err(OpenError));
}

#[test]
fn one_draft_gives_a_new_envelope_each_time() {
    let mut f = fixture();
    let draft = f.draft(Operation::Status);
    let seal = |f: &mut Fixture| seal_request(&f.safe, Lane::Live, &draft, &Author::Nobody, &mut f.rng).unwrap().0;
    let (first, second) = (seal(&mut f), seal(&mut f));
    let (first, second) = (f.open(&first, Lane::Live).unwrap(), f.open(&second, Lane::Live).unwrap());
    assert_eq!(first.id, second.id);
    assert_eq!(first.operation_hash, second.operation_hash);
    assert_ne!(first.envelope, second.envelope);
}

#[test]
fn who_steals_the_prekey_tomorrow_opens_the_request_but_never_its_reply() {
    let mut f = fixture();
    let (envelope, expect) = f.seal(Lane::Live, Operation::Status);
    let opened = f.open(&envelope, Lane::Live).unwrap();
    let sealed = opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap();
    // The thief has both envelopes and the prekey's secret, so everything the request held; only the reply key is not
    // in it.
    let stolen = f.open(&envelope, Lane::Live).unwrap();
    let thief = |secret: &SealingSecret| ExpectReply {
        id: stolen.id,
        secret: secret.clone(),
        psk: stolen.reply.psk.clone(),
        info: expect.info.clone(),
    };
    assert_eq!(thief(&f.prekey).open(&sealed), Err(OpenError));
    assert_eq!(thief(&expect.secret).open(&sealed), Ok(reply_to(opened.id)), "and with it all the rest is right");
}

#[test]
fn a_decoy_has_the_size_and_header_of_the_smallest_reply() {
    let mut f = fixture();
    let (envelope, expect) = f.seal(Lane::Live, Operation::Status);
    let opened = f.open(&envelope, Lane::Live).unwrap();
    let real = opened.reply.seal(&reply_to(opened.id), &mut f.rng).unwrap();
    let decoy = decoy_reply(&mut f.rng).unwrap();
    assert_eq!(decoy.len(), real.len());
    assert_eq!(decoy[..REPLY_HEADER_BYTES], real[..REPLY_HEADER_BYTES]);
    assert_eq!(expect.open(&decoy), Err(OpenError));
}

#[test]
fn envelopes_have_class_sizes_alone() {
    let mut f = fixture();
    let overhead = REQUEST_HEADER_BYTES + ENCAPSULATED_BYTES + 16;
    for name in [0, 3000, 20_000] {
        let operation = Operation::Enrol { pin: Pin::parse("000000").unwrap(), device_name: "x".repeat(name) };
        let (envelope, _) = f.seal(Lane::Live, operation);
        assert!(CLASSES.contains(&(envelope.len() - overhead)), "{}", envelope.len());
    }
}

/// Seals a body as a malicious client could: with an authentication that does not belong to it.
fn forge(f: &mut Fixture, who: Who, authenticate: impl Fn(&[u8]) -> Authentication) -> Vec<u8> {
    let reply_key = f.prekey.public();
    forge_for(f, &reply_key, who, authenticate)
}

fn forge_for(
    f: &mut Fixture,
    reply_key: &SealingKey,
    who: Who,
    authenticate: impl Fn(&[u8]) -> Authentication,
) -> Vec<u8> {
    let info = request_info(&f.safe.pin(), f.safe.prekey_id());
    let (encapsulated, mut context) = context::sender(f.safe.prekey(), &info, None, &mut f.rng).ok().unwrap();
    let aad = Lane::Live.aad(&f.safe.inbox());
    let mut body = codec::encode(&RequestBody {
        id: RequestId(Fixed([4; 16])),
        created: Timestamp(100),
        expires: Timestamp(200),
        reply_key: *reply_key,
        who,
        operation: Operation::Status,
    });
    let transcript = transcript(&f.safe.pin(), &context.export_secret(b"sig"), &aad, &body);
    body.extend(codec::encode(&authenticate(&transcript)));
    let sealed = context.seal(&padding::pad(&body).unwrap(), &aad).unwrap();
    [&[VERSION, SUITE, 1][..], &f.safe.prekey_id().0.0, &encapsulated, &sealed].concat()
}

#[test]
fn an_authentication_that_does_not_fit_who_asks_is_refused() {
    let mut f = fixture();
    let signer = f.device.clone();
    let sign = |transcript: &[u8]| Fixed(signer.signer().sign(transcript).to_bytes());
    let device = Who::Device { key: f.device.public(), sequence: 1 };
    let good = forge(&mut f, device.clone(), |t| Authentication::Device(sign(t)));
    assert!(f.open(&good, Lane::Live).is_ok());
    let other = SigningSecret::generate(&mut f.rng).public();
    let forged = [
        forge(&mut f, device.clone(), |_| Authentication::None),
        forge(&mut f, device.clone(), |_| Authentication::Device(Fixed([0; 64]))),
        forge(&mut f, device, |t| Authentication::Enrol { signature: sign(t), mac: Fixed([0; 32]) }),
        forge(&mut f, Who::Device { key: other, sequence: 1 }, |t| Authentication::Device(sign(t))),
        forge(&mut f, Who::Nobody, |t| Authentication::Device(sign(t))),
    ];
    for envelope in forged {
        assert!(f.open(&envelope, Lane::Live).is_err());
    }
}

/// A request that takes effect and cannot be answered leaves its asker guessing, for ever.
#[test]
fn a_request_with_a_reply_key_that_is_none_is_refused() {
    let mut f = fixture();
    let mut key = f.prekey.public();
    let good = forge_for(&mut f, &key, Who::Nobody, |_| Authentication::None);
    assert!(f.open(&good, Lane::Live).is_ok());
    // A coefficient of 4095, which is not below q (FIPS 203, section 7.2).
    (key.0[0], key.0[1]) = (0xff, key.0[1] | 0x0f);
    let bad = forge_for(&mut f, &key, Who::Nobody, |_| Authentication::None);
    assert!(f.open(&bad, Lane::Live).is_err());
}

#[test]
fn every_reply_key_that_opens_can_be_answered() {
    let mut f = fixture();
    let mut key = f.prekey.public();
    // X25519 points of small order: zero, and one.
    for point in [0, 1] {
        key.0[SEALING_KEY_BYTES - 32..].fill(0);
        key.0[SEALING_KEY_BYTES - 32] = point;
        let envelope = forge_for(&mut f, &key, Who::Nobody, |_| Authentication::None);
        let opened = f.open(&envelope, Lane::Live).unwrap();
        assert!(opened.reply.seal(&reply_to(opened.id), &mut f.rng).is_ok());
    }
}

#[test]
fn a_signature_from_one_envelope_does_not_hold_in_another() {
    let mut f = fixture();
    let signer = f.device.clone();
    let who = Who::Device { key: f.device.public(), sequence: 1 };
    let kept = std::cell::Cell::new(Fixed([0; 64]));
    let first = forge(&mut f, who.clone(), |t| {
        kept.set(Fixed(signer.signer().sign(t).to_bytes()));
        Authentication::Device(kept.get())
    });
    assert!(f.open(&first, Lane::Live).is_ok());
    let second = forge(&mut f, who, |_| Authentication::Device(kept.get()));
    assert!(f.open(&second, Lane::Live).is_err());
}
