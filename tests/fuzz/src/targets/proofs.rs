//! The two handshakes as a relay sees them: a proof holds for the one connection, place and purpose it was made for.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Login, MailboxProof};
use rohrpost_wire::proof::{self, Challenge, Exporter, MailboxVerb};
use rohrpost_wire::{EnvelopeId, RelayKeyHash, codec};

use crate::edits;
use crate::input::Input;
use crate::target::Verdict;

const COUNTER: u64 = 300;

fn route() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn relay(byte: u8) -> RelayKeyHash {
    RelayKeyHash(Fixed([byte; 32]))
}

fn login_sample() -> &'static Login {
    static SAMPLE: OnceLock<Login> = OnceLock::new();
    SAMPLE.get_or_init(|| proof::sign_login(&route(), &relay(0), &Exporter([0; 32]), COUNTER))
}

/// Of all logins made of a genuine one, the genuine one alone holds, at its relay and on its connection alone.
pub(super) fn login(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let (at, on) = (input.byte(), input.byte());
    let Ok(login) = codec::decode::<Login>(&spoiled(&codec::encode(login_sample()), &mut input)) else {
        return Verdict::Refused;
    };
    let holds = proof::verify_login(&login, &relay(at), &Exporter([on; 32])).is_ok();
    let genuine = login == *login_sample() && (at, on) == (0, 0);
    assert_eq!(holds, genuine, "a login holds where it should not, or the reverse");
    Verdict::taken(holds)
}

/// The seed of everything about mailboxes: the ids that were acknowledged.
const IDS: [EnvelopeId; 2] = [EnvelopeId(Fixed([5; 32])), EnvelopeId(Fixed([6; 32]))];

fn mailbox_sample() -> &'static MailboxProof {
    static SAMPLE: OnceLock<MailboxProof> = OnceLock::new();
    SAMPLE.get_or_init(|| proof::sign_mailbox(&route(), &relay(0), MailboxVerb::Ack, &Challenge(Fixed([0; 32])), &IDS))
}

/// As [`login`], of a mailbox proof: for its verb, challenge and ids alone.
pub(super) fn mailbox_proof(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let (at, challenge, verb, ids) = (input.byte(), input.byte(), input.choice(2), input.choice(4));
    let Ok(given) = codec::decode::<MailboxProof>(&spoiled(&codec::encode(mailbox_sample()), &mut input)) else {
        return Verdict::Refused;
    };
    let named: Vec<EnvelopeId> = match ids {
        0 => IDS.to_vec(),
        1 => IDS[..1].to_vec(),
        2 => IDS.iter().rev().copied().collect(),
        _ => vec![],
    };
    let purpose = if verb == 0 { MailboxVerb::Ack } else { MailboxVerb::Fetch };
    let held = proof::verify_mailbox(&given, &relay(at), purpose, &Challenge(Fixed([challenge; 32])), &named);
    let genuine = given == *mailbox_sample() && (at, challenge, verb, ids) == (0, 0, 0, 0);
    assert_eq!(held.is_ok(), genuine, "a mailbox proof holds where it should not, or the reverse");
    Verdict::taken(genuine)
}

/// The genuine bytes with changes, or bytes of the input's own.
fn spoiled(genuine: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    if input.byte() >= 0xf0 {
        return input.rest().to_vec();
    }
    let mut bytes = genuine.to_vec();
    // Another key of its owner's, and one of small order, to be laid over.
    let other = [&route().verifying_key().to_bytes()[..], &[1], &[0; 96]].concat();
    edits::apply(&mut bytes, &other, input, 4);
    bytes
}

pub(super) fn login_seeds() -> Vec<Vec<u8>> {
    let whole = [&[0, 0, 0xff], &codec::encode(login_sample())[..]].concat();
    vec![vec![0, 0, 0], vec![1, 0, 0], vec![0, 1, 0], vec![0, 0, 0, 0, 0, 40, 3], whole]
}

pub(super) fn mailbox_proof_seeds() -> Vec<Vec<u8>> {
    let whole = [&[0, 0, 0, 0, 0xff], &codec::encode(mailbox_sample())[..]].concat();
    vec![vec![0, 0, 0, 0, 0], vec![0, 0, 1, 0, 0], vec![0, 0, 0, 2, 0], vec![0, 1, 0, 0, 0], whole]
}
