//! Login and mailbox proofs: transcripts and signatures.

use ed25519_dalek::SigningKey;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Login, MailboxProof};
use rohrpost_wire::proof::{self, Challenge, Exporter, MailboxVerb};
use rohrpost_wire::{EnvelopeId, MailboxId, RelayKeyHash};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};

pub(super) const LOGIN: Vectors = Vectors { name: "login-proofs.json", write: write_login, check: check_login };
pub(super) const KEYS: Vectors = Vectors { name: "signing-keys.json", write: write_keys, check: check_key };
pub(super) const MAILBOX: Vectors = Vectors { name: "mailbox-proofs.json", write: write_mailbox, check: check_mailbox };

const RELAY: RelayKeyHash = RelayKeyHash(Fixed([0x21; 32]));
const EXPORTER: Exporter = Exporter([0x22; 32]);
const CHALLENGE: Challenge = Challenge(Fixed([0x23; 32]));
const SEED: [u8; 32] = [0x24; 32];

fn write_login() -> File {
    let login = proof::sign_login(&SigningKey::from_bytes(&SEED), &RELAY, &EXPORTER, 300);
    let mut identity_point = [0; 32];
    identity_point[0] = 1;
    let of = |name: &str, comment: &str| Case::reject(name, comment).of("good");
    File::new(
        "login proofs",
        "section 6",
        "accept: the transcript, under which the signature of the seed's key is this one. reject: does not hold",
    )
    .case(
        Case::accept("good", "the seed is the route key's secret half")
            .with("seed", hex(&SEED))
            .with("relay", hex(&RELAY.0.0))
            .with("exporter", hex(&EXPORTER.0))
            .with("route_key", hex(&login.route_key.0))
            .with("counter", digits(login.counter))
            .with("signature", hex(&login.signature.0)),
    )
    .case(of("another relay", "").flip("relay", 0))
    .case(of("another connection", "").flip("exporter", 31))
    .case(of("another counter", "").with("counter", digits(301)))
    .case(of("another route key", "").with("route_key", hex(&key(&[0x25; 32]))))
    .case(of("a damaged signature", "its first half").flip("signature", 0))
    .case(of("a damaged signature scalar", "its second half").flip("signature", 32))
    .case(
        of("a key of small order", "under lax verification it signs everything")
            .with("route_key", hex(&identity_point))
            .with("signature", hex(&[&identity_point[..], &[0; 32]].concat())),
    )
}

fn write_keys() -> File {
    let with = |first: u8, rest: u8, last: u8| {
        let mut bytes = [rest; 32];
        (bytes[0], bytes[31]) = (first, last);
        hex(&bytes)
    };
    let no = |name: &str, comment: &str, bytes: Value| Case::reject(name, comment).with("key", bytes);
    File::new(
        "Ed25519 keys, wherever one is read: route, mailbox, device, root, online",
        "section 2",
        "accept: a key under which signatures are looked at. reject: one under which none holds",
    )
    .case(Case::accept("a key", "").with("key", hex(&key(&SEED))))
    .case(Case::accept("y = 3", "on the curve, in its one encoding").with("key", with(3, 0, 0)))
    .case(no("y = 3 + p", "the same point in another encoding", with(0xf0, 0xff, 0x7f)))
    .case(no("y = 2^255 - 1", "that is 18 + p", with(0xff, 0xff, 0x7f)))
    .case(no("y = 2", "not on the curve", with(2, 0, 0)))
    .case(no("y = 1", "the neutral point, of order 1", with(1, 0, 0)))
    .case(no("y = 1 with the sign of x set", "x is 0 and has no sign", with(1, 0, 0x80)))
    .case(no("y = 0", "of order 4", with(0, 0, 0)))
    .case(no("y = -1", "of order 2", with(0xec, 0xff, 0x7f)))
}

fn check_key(input: &Fields) -> Outcome {
    proof::verifying_key(&Fixed(input.array("key"))).map(|_| Fields::new()).map_err(|_| "")
}

fn key(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

fn check_login(input: &Fields) -> Outcome {
    let login = Login {
        route_key: Fixed(input.array("route_key")),
        counter: input.number("counter"),
        signature: Fixed(input.array("signature")),
    };
    let relay = RelayKeyHash(Fixed(input.array("relay")));
    let exporter = Exporter(input.array("exporter"));
    proof::verify_login(&login, &relay, &exporter).map_err(|_| "")?;
    let signer = SigningKey::from_bytes(&input.array("seed"));
    assert_eq!(proof::sign_login(&signer, &relay, &exporter, login.counter), login);
    let transcript = proof::login_transcript(&relay, &exporter, &login.route_key.0, login.counter);
    Ok(fields([("transcript", hex(&transcript))]))
}

fn write_mailbox() -> File {
    let signer = SigningKey::from_bytes(&SEED);
    let ids = [EnvelopeId(Fixed([0x26; 32])), EnvelopeId(Fixed([0x27; 32]))];
    let listed: Vec<Value> = ids.iter().map(|id| hex(&id.0.0)).collect();
    let sign = |verb, ids: &[EnvelopeId]| proof::sign_mailbox(&signer, &RELAY, verb, &CHALLENGE, ids);
    let good = |name: &str, verb: &str, proof: MailboxProof, ids: Vec<Value>| {
        Case::accept(name, "the seed is the mailbox key's secret half")
            .with("seed", hex(&SEED))
            .with("relay", hex(&RELAY.0.0))
            .with("verb", verb)
            .with("challenge", hex(&CHALLENGE.0.0))
            .with("mailbox_key", hex(&proof.mailbox_key.0))
            .with("ids", ids)
            .with("signature", hex(&proof.signature.0))
    };
    let of = |name: &str, comment: &str| Case::reject(name, comment).of("ack");
    File::new(
        "mailbox proofs",
        "section 6",
        "accept: the mailbox's id and the transcript, under which the signature of the seed's key is this one. reject: \
         does not hold",
    )
    .case(good("fetch", "fetch", sign(MailboxVerb::Fetch, &[]), vec![]))
    .case(good("ack", "ack", sign(MailboxVerb::Ack, &ids), listed.clone()))
    .case(of("another relay", "").flip("relay", 5))
    .case(of("another verb", "").with("verb", "fetch"))
    .case(of("another challenge", "as a second connection has one").flip("challenge", 0))
    .case(of("fewer ids", "").with("ids", vec![listed[0].clone()]))
    .case(of("ids in another order", "").with("ids", vec![listed[1].clone(), listed[0].clone()]))
    .case(of("another mailbox key", "").with("mailbox_key", hex(&key(&[0x25; 32]))))
    .case(of("a damaged signature", "").flip("signature", 63))
}

fn check_mailbox(input: &Fields) -> Outcome {
    let verb = if input.text("verb") == "fetch" { MailboxVerb::Fetch } else { MailboxVerb::Ack };
    let ids: Vec<EnvelopeId> = input["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| EnvelopeId(Fixed::from_hex(id.as_str().unwrap()).unwrap()))
        .collect();
    let mailbox_key = Fixed(input.array("mailbox_key"));
    let proof = MailboxProof { mailbox_key, signature: Fixed(input.array("signature")) };
    let relay = RelayKeyHash(Fixed(input.array("relay")));
    let challenge = Challenge(Fixed(input.array("challenge")));
    let id = proof::verify_mailbox(&proof, &relay, verb, &challenge, &ids).map_err(|_| "")?;
    let signer = SigningKey::from_bytes(&input.array("seed"));
    assert_eq!(proof::sign_mailbox(&signer, &relay, verb, &challenge, &ids), proof);
    assert_eq!(id, MailboxId::of_key(&mailbox_key.0));
    let transcript = proof::mailbox_transcript(&relay, verb, &id, &challenge, &ids);
    Ok(fields([("mailbox", hex(&id.0.0)), ("transcript", hex(&transcript))]))
}
