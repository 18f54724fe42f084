//! Sealed replies: to one request, and to no other.

use rohrpost_e2ee::body::{Payload, Reply, Status};
use rohrpost_e2ee::keys::SealingSecret;
use rohrpost_wire::codec;
use serde_json::Value;

use super::bodies::{payloads, reply};
use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, fields, hex, object};
use super::reference::{self, Played, encapsulation};
use super::{describe, requests};

pub(super) const VECTORS: Vectors = Vectors { name: "replies.json", write, check };

/// The request that all replies answer: its number is the reply's request id.
const REQUEST: u8 = 0x47;

fn request(number: u8) -> Fields {
    let mut request = requests::safe_fields();
    let operation = object([("kind", "status".into())]);
    request.insert("sealing".into(), requests::sealing(number, requests::device(), operation));
    let (envelope, _) = requests::seal(&request);
    request.insert("envelope".into(), hex(&envelope));
    request
}

fn write() -> File {
    let request = request(REQUEST);
    let seal = |name: &str, number: u8, payload: Payload| {
        let mut rng = Played::new(&[&encapsulation(number)]);
        let sealed = requests::open(&request).unwrap().reply.seal(&reply(Status::Done, payload), &mut rng).unwrap();
        Case::accept(name, "").with("encapsulation_seed", hex(&encapsulation(number))).with("envelope", hex(&sealed))
    };
    let mut file = File::new(
        "sealed replies, HPKE PSK to the request's reply key, all to one request",
        "section 8",
        "accept: what the client learns, the padded body's content, and what its HPKE context was made from; the safe \
         that opens `request` and seals the same reply with the encapsulation's 64 random bytes gives the same \
         envelope. reject: does not open, without a reason",
    );
    file = file.common("request", Value::Object(request.clone().into_iter().collect()));
    file = file.case(seal("nothing", 11, Payload::None));
    for (number, (name, payload)) in (12..).zip(payloads()) {
        if name != "no documents" {
            file = file.case(seal(name, number, payload));
        }
    }
    forged(damaged(file), &request)
}

fn damaged(file: File) -> File {
    let of = |name: &str| Case::reject(name, "").of("a status");
    let other = Value::Object(request(0x46).into_iter().collect());
    file.case(of("version changed").flip("envelope", 0))
        .case(of("suite changed").flip("envelope", 1))
        .case(of("kind changed").flip("envelope", 2))
        .case(of("encapsulated key changed, ML-KEM").flip("envelope", 3))
        .case(of("encapsulated key changed, X25519").flip("envelope", 3 + 1088))
        .case(of("body changed").flip("envelope", 3 + 1120))
        .case(of("tag changed").flip("envelope", 3 + 1120 + 4096 + 15))
        .case(of("last byte missing").cut("envelope", 3 + 1120 + 4096 + 15))
        .case(of("header alone").cut("envelope", 3))
        .case(of("empty").cut("envelope", 0))
        .case(of("a byte behind it").append("envelope", &[0]))
        .case(of("the answer to another request").with("request", other))
}

/// Envelopes sealed by somebody who has the reply key, and perhaps the secret, and does not follow the protocol.
fn forged(file: File, request: &Fields) -> File {
    let context = Context::of(request);
    let good = codec::encode(&reply(Status::Done, Payload::None));
    let mut other = reply(Status::Done, Payload::None);
    other.request.0.0[0] ^= 1;
    let longer = [&good[..], &[0]].concat();
    let id = [REQUEST; 16];
    let psk = context.psk;
    let class = |body: &[u8]| reference::pad(body, 4096);
    let case = |name: &str, comment: &str, psk: reference::Psk<'_>, aad: &[u8], plaintext: Vec<u8>| {
        let sealed = reference::seal(&context.reply_key, &encapsulation(19), (&context.info, aad), psk, |_| plaintext);
        Case::reject(name, comment).with("envelope", hex(&[&[1, 1, 3][..], &sealed].concat()))
    };
    file.case(case("sealed without the secret", "HPKE Base", None, &[1, 1, 3], class(&good)))
        .case(case("another secret", "", Some((&[7; 32], &id)), &[1, 1, 3], class(&good)))
        .case(case("another name of the secret", "", Some((&psk, &[7; 16])), &[1, 1, 3], class(&good)))
        .case(case("no additional data", "", Some((&psk, &id)), &[], class(&good)))
        .case(case(
            "naming another request",
            "rightly sealed",
            Some((&psk, &id)),
            &[1, 1, 3],
            class(&codec::encode(&other)),
        ))
        .case(case("a byte behind the body", "rightly sealed", Some((&psk, &id)), &[1, 1, 3], class(&longer)))
        .case(case("no padding", "rightly sealed", Some((&psk, &id)), &[1, 1, 3], reference::pad(&good, 0)))
}

/// What a client keeps of a request.
struct Context {
    info: Vec<u8>,
    psk: [u8; 32],
    reply_key: Vec<u8>,
}

impl Context {
    fn of(request: &Fields) -> Self {
        let envelope = request.bytes("envelope");
        let pin = request.bytes("pin");
        let info = reference::request_info(&pin, &request.bytes("prekey_id"));
        let aad = reference::request_aad(&request.bytes("inbox"), None);
        let (_, exports) = reference::open(&request.array("prekey_seed"), &envelope[11..], (&info, &aad), None);
        let seed = request.inner("sealing").unwrap().array("reply_seed");
        Self {
            info: reference::reply_info(&pin, &envelope),
            psk: exports.reply_psk,
            reply_key: SealingSecret::from_bytes(seed).public().0.to_vec(),
        }
    }
}

fn check(input: &Fields) -> Outcome {
    let request = input.inner("request").unwrap();
    let (request_envelope, expect) = requests::seal(&request);
    assert_eq!(request_envelope, request.bytes("envelope"));
    let envelope = input.bytes("envelope");
    let reply: Reply = expect.open(&envelope).map_err(|_| "")?;

    let mut rng = Played::new(&[&input.bytes("encapsulation_seed")]);
    assert_eq!(requests::open(&request)?.reply.seal(&reply, &mut rng).unwrap(), envelope);
    assert!(rng.is_over(), "sealing draws less than is written down");

    let context = Context::of(&request);
    let seed = request.inner("sealing").unwrap().array("reply_seed");
    let psk = Some((&context.psk[..], &reply.request.0.0[..]));
    let (padded, _) = reference::open(&seed, &envelope[3..], (&context.info, &[1, 1, 3]), psk);
    let body = reference::unpad(&padded);
    assert_eq!(reference::pad(&body, padded.len()), padded);
    Ok(fields([
        ("reply", describe::reply(&reply)),
        ("body", hex(&body)),
        ("info", hex(&context.info)),
        ("psk", hex(&context.psk)),
    ]))
}
