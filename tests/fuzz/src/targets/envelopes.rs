//! Sealed requests and replies: what opens is, to the last bit, what was sealed, where and as what it was sealed.

use std::sync::OnceLock;

use rohrpost_e2ee::body::{DocumentId, Operation, Payload, Pin, RequestId};
use rohrpost_e2ee::exchange::{
    Author, ExpectReply, Lane, Recipient, RequestDraft, RequestHeader, decoy_reply, open_request, seal_request,
};
use rohrpost_e2ee::keys::{SealingSecret, SigningSecret};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;
use rohrpost_wire::records::{PrekeyId, PrekeyRecord};
use rohrpost_wire::{InboxId, SUITE, SafePin, Timestamp, VERSION};

use super::samples;
use crate::edits;
use crate::input::Input;
use crate::target::Verdict;

const LANES: [Lane; 4] = [
    Lane::Live,
    Lane::Deposit { ttl: TtlClass::Week, reply_mailbox: Some(Fixed([6; 32])) },
    Lane::Deposit { ttl: TtlClass::Week, reply_mailbox: None },
    Lane::Deposit { ttl: TtlClass::Day, reply_mailbox: Some(Fixed([6; 32])) },
];
/// Lanes on which there is a genuine envelope: of a device, of nobody, and of a device to be enrolled.
const SEALED: usize = 3;

struct Sealed {
    prekey: SealingSecret,
    pin: SafePin,
    inbox: InboxId,
    requests: Vec<Vec<u8>>,
    expected: ExpectReply,
    replies: Vec<Vec<u8>>,
}

fn sealed() -> &'static Sealed {
    static SEALED: OnceLock<Sealed> = OnceLock::new();
    SEALED.get_or_init(seal)
}

fn seal() -> Sealed {
    let mut rng = samples::rng(1);
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
        not_after: Timestamp(1000),
    };
    let (pin, inbox) = (offer.safe_pin, InboxId(Fixed([2; 16])));
    let safe = TrustedSafe::unverified_for_tests(inbox, &offer);
    let (device, link) = (SigningSecret::generate(&mut rng), LinkSecret::from_bytes([5; 32]));
    let enrolling = Operation::Enrol { pin: Pin::parse("012345").unwrap(), device_name: "laptop".into() };
    let reading = Operation::Document { document: DocumentId(Fixed([1; 16])), offset: 0, version: None };
    let cases = [
        (Author::Device { key: &device, sequence: 7 }, reading),
        (Author::Nobody, Operation::Status),
        (Author::Enrol { key: &device, link: &link }, enrolling),
    ];
    let mut requests = Vec::new();
    let mut expected = None;
    for ((author, operation), lane) in cases.into_iter().zip(LANES) {
        let id = RequestId::generate(&mut rng);
        let draft = RequestDraft { id, created: Timestamp(100), expires: Timestamp(200), operation };
        let (envelope, expect) = seal_request(&safe, lane, &draft, &author, &mut rng).unwrap();
        requests.push(envelope);
        expected.get_or_insert((expect, id));
    }
    let (expected, id) = expected.unwrap();
    let recipient = Recipient { pin: &pin, inbox: &inbox, lane: Lane::Live };
    let mut reply = |payload| {
        let opened = open_request(&requests[0], &prekey, recipient).unwrap();
        let mut reply = samples::reply(payload);
        reply.request = id;
        opened.reply.seal(&reply, &mut rng).unwrap()
    };
    let manifest = samples::manifest(&rohrpost_e2ee::object::ObjectKey::from_bytes([4; 32]), 1, 40_000);
    let replies = vec![reply(Payload::None), reply(Payload::Object(Box::new(manifest)))];
    Sealed { prekey, pin, inbox, requests, expected, replies }
}

/// A request opens unchanged, at its safe, in its inbox and on its lane, and in no other way.
pub(super) fn request(bytes: &[u8]) -> Verdict {
    let sealed = sealed();
    let mut input = Input::new(bytes);
    let (which, lane, safe) = (input.choice(SEALED + 1), input.choice(LANES.len()), input.choice(8));
    let envelope = spoiled(&sealed.requests, which, &mut input);
    let header = RequestHeader::parse(&envelope);
    let (pin, inbox) = match safe {
        1 => (SafePin(Fixed([9; 32])), sealed.inbox),
        2 => (sealed.pin, InboxId(Fixed([9; 16]))),
        _ => (sealed.pin, sealed.inbox),
    };
    let recipient = Recipient { pin: &pin, inbox: &inbox, lane: LANES[lane] };
    let opened = open_request(&envelope, &sealed.prekey, recipient);
    let unchanged = sealed.requests.get(lane).is_some_and(|genuine| *genuine == envelope);
    let here = (pin, inbox) == (sealed.pin, sealed.inbox);
    assert_eq!(opened.is_ok(), unchanged && here, "a request opens that was not sealed so, or the reverse");
    assert!(opened.is_err() || header.is_ok_and(|header| header.prekey == PrekeyId(Fixed([3; 8]))));
    Verdict::taken(opened.is_ok())
}

/// A reply opens unchanged and for its own request; another's reply, a decoy or the request itself do not.
pub(super) fn reply(bytes: &[u8]) -> Verdict {
    let sealed = sealed();
    let mut input = Input::new(bytes);
    let which = input.choice(sealed.replies.len() + 1);
    let envelope = spoiled(&sealed.replies, which, &mut input);
    let opened = sealed.expected.open(&envelope);
    let unchanged = sealed.replies.contains(&envelope);
    assert_eq!(opened.is_ok(), unchanged, "a reply opens that was not sealed so, or the reverse");
    Verdict::taken(opened.is_ok())
}

/// One of the genuine ones with changes; behind the last of them the input's own bytes.
fn spoiled(genuine: &[Vec<u8>], which: usize, input: &mut Input<'_>) -> Vec<u8> {
    let Some(envelope) = genuine.get(which) else { return input.rest().to_vec() };
    let mut envelope = envelope.clone();
    edits::apply(&mut envelope, &genuine[(which + 1) % genuine.len()], input, 4);
    envelope
}

pub(super) fn request_seeds() -> Vec<Vec<u8>> {
    let raw = [&[3, 0, 0][..], &sealed().requests[0]].concat();
    let header = vec![3, 0, 0, VERSION, SUITE, 1, 3, 3, 3, 3, 3, 3, 3, 3];
    let crossed = vec![0, 0, 0, 5, 4, 120, 63];
    vec![vec![0, 0, 0], vec![1, 1, 0], vec![2, 2, 0], vec![1, 3, 0], vec![0, 0, 1], vec![0, 0, 2], raw, header, crossed]
}

pub(super) fn reply_seeds() -> Vec<Vec<u8>> {
    let decoy = decoy_reply(&mut samples::rng(2)).unwrap();
    let request = &sealed().requests[0];
    vec![vec![0], vec![1], [&[2][..], &decoy].concat(), [&[2][..], request].concat(), vec![0, 0, 0, 2, 1]]
}
