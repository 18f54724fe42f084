//! Sealed requests: on both lanes, for every kind of author, and everything that does not open.

use ed25519_dalek::Signer as _;
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Authentication, RequestBody, Who};
use rohrpost_e2ee::exchange::{
    Author, ExpectReply, Lane, OpenedRequest, Proven, Recipient, RequestDraft, RequestHeader, open_request,
    seal_request,
};
use rohrpost_e2ee::keys::{SealingSecret, SigningSecret};
use rohrpost_e2ee::link::{LinkMacKey, LinkSecret};
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;
use rohrpost_wire::records::{PrekeyId, PrekeyRecord};
use rohrpost_wire::{InboxId, SafePin, Timestamp, codec};
use serde_json::Value;

use super::describe;
use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex, hex_if_any, object};
use super::reference::{self, Played, bytes, encapsulation};

pub(super) const VECTORS: Vectors = Vectors { name: "requests.json", write, check };

const DEVICE: u8 = 82;
const LINK: u8 = 83;
const MAILBOX: [u8; 32] = [0x84; 32];

/// What every case knows of its safe.
pub(super) fn safe_fields() -> Fields {
    fields([
        ("prekey_seed", hex(&bytes(81))),
        ("prekey_id", hex(&[0x81; 8])),
        ("pin", hex(&[0x82; 32])),
        ("inbox", hex(&[0x83; 16])),
        ("lane", object([("kind", "live".into())])),
    ])
}

fn deposit(ttl: u8, mailbox: Option<&[u8]>) -> Value {
    object([("kind", "deposit".into()), ("ttl", ttl.into()), ("reply_mailbox", hex_if_any(mailbox))])
}

/// What a client draws and decides for one envelope.
pub(super) fn sealing(number: u8, author: Value, operation: Value) -> Value {
    object([
        ("encapsulation_seed", hex(&encapsulation(number))),
        ("reply_seed", hex(&bytes(number ^ 0x40))),
        ("author", author),
        ("id", hex(&[number; 16])),
        ("created", digits(1_800_000_000)),
        ("expires", digits(1_800_086_400)),
        ("operation", operation),
    ])
}

pub(super) fn device() -> Value {
    object([("kind", "device".into()), ("seed", hex(&bytes(DEVICE))), ("sequence", digits(300))])
}

fn status() -> Value {
    object([("kind", "status".into())])
}

fn good(name: &str, lane: Option<Value>, sealing: Value) -> Case {
    let mut inputs = safe_fields();
    let mut case = Case::accept(name, "").with("sealing", sealing.clone());
    inputs.insert("sealing".into(), sealing);
    if let Some(lane) = lane {
        inputs.insert("lane".into(), lane.clone());
        case = case.with("lane", lane);
    }
    case.with("envelope", hex(&seal(&inputs).0))
}

fn write() -> File {
    let mut file = File::new(
        "sealed requests, HPKE Base to a prekey",
        "section 8",
        "accept: what the safe learns, the padded body's content, the bytes under the authentication, and the secret \
         under the reply; sealing with `sealing` (the encapsulation's 64 random bytes, the reply key's seed) gives the \
         same envelope. reject: does not open, without a reason",
    );
    file.common = safe_fields();
    let nobody = object([("kind", "nobody".into())]);
    let enrol = object([("kind", "enrol".into()), ("seed", hex(&bytes(DEVICE))), ("link_secret", hex(&bytes(LINK)))]);
    let pin = object([("kind", "enrol".into()), ("pin", "012345".into()), ("device_name", "Telefon".into())]);
    let read = object([
        ("kind", "document".into()),
        ("document", hex(&[0x85; 16])),
        ("offset", digits(16_384)),
        ("version", hex(&[0x86; 32])),
    ]);
    let list = object([("kind", "documents".into()), ("after", Value::Null)]);
    let mac_key = LinkSecret::from_bytes(bytes(LINK)).mac_key();
    let file = file
        .case(good("nobody, live", None, sealing(1, nobody, status())))
        .case(good("a device, live", None, sealing(2, device(), read)))
        .case(good("a device, deposited", Some(deposit(1, None)), sealing(3, device(), list)))
        .case(good(
            "a device, deposited with a mailbox",
            Some(deposit(2, Some(&MAILBOX))),
            sealing(4, device(), status()),
        ))
        .case(
            good("a new device, live", None, sealing(5, enrol.clone(), pin.clone()))
                .with("link_mac_key", hex(mac_key.expose())),
        )
        .case(
            good("a new device, deposited", Some(deposit(0, Some(&MAILBOX))), sealing(6, enrol, pin))
                .with("link_mac_key", hex(mac_key.expose())),
        )
        .case(
            Case::accept("a new device without the link", "opens, and its proof does not hold")
                .of("a new device, live")
                .with("link_mac_key", hex(LinkSecret::from_bytes(bytes(84)).mac_key().expose())),
        );
    forged(misdirected(damaged(file)))
}

fn damaged(file: File) -> File {
    let of = |name: &str| Case::reject(name, "").of("a device, live");
    file.case(of("version changed").flip("envelope", 0))
        .case(of("suite changed").flip("envelope", 1))
        .case(of("kind changed").flip("envelope", 2))
        .case(of("prekey id changed").flip("envelope", 3))
        .case(of("encapsulated key changed, ML-KEM").flip("envelope", 11))
        .case(of("encapsulated key changed, X25519").flip("envelope", 11 + 1088))
        .case(of("body changed").flip("envelope", 11 + 1120))
        .case(of("padding changed").flip("envelope", 11 + 1120 + 4000))
        .case(of("tag changed").flip("envelope", 11 + 1120 + 4096 + 15))
        .case(of("last byte missing").cut("envelope", 11 + 1120 + 4096 + 15))
        .case(of("body missing").cut("envelope", 11 + 1120))
        .case(of("header alone").cut("envelope", 11))
        .case(of("header cut").cut("envelope", 10))
        .case(of("empty").cut("envelope", 0))
        .case(of("a byte behind it").append("envelope", &[0]))
}

fn misdirected(file: File) -> File {
    let of = |name: &str, base: &str| Case::reject(name, "").of(base);
    let mailbox = "a device, deposited with a mailbox";
    file.case(of("another safe's pin", "a device, live").flip("pin", 31))
        .case(of("another inbox", "a device, live").flip("inbox", 0))
        .case(of("another prekey", "a device, live").flip("prekey_seed", 0))
        .case(of("a call taken for a deposit", "a device, live").with("lane", deposit(0, None)))
        .case(of("a deposit taken for a call", mailbox).with("lane", object([("kind", "live".into())])))
        .case(of("a deposit in another class", mailbox).with("lane", deposit(1, Some(&MAILBOX))))
        .case(of("a deposit with another mailbox", mailbox).with("lane", deposit(2, Some(&[0x87; 32]))))
        .case(of("a deposit without its mailbox", mailbox).with("lane", deposit(2, None)))
}

/// Envelopes rightly sealed by a client that does not follow the protocol.
fn forged(file: File) -> File {
    let key = SigningSecret::from_bytes(&bytes(DEVICE));
    let other = SigningSecret::from_bytes(&bytes(85));
    let sign = |key: &SigningSecret, transcript: &[u8]| Fixed(key.signer().sign(transcript).to_bytes());
    let by_device = |transcript: &[u8]| codec::encode(&Authentication::Device(sign(&key, transcript)));
    let device = || Who::Device { key: key.public(), sequence: 300 };
    let enrolled = |t: &[u8]| codec::encode(&Authentication::Enrol { signature: sign(&key, t), mac: Fixed([0; 32]) });
    let case = |name: &str, envelope: Vec<u8>| Case::reject(name, "rightly sealed").with("envelope", hex(&envelope));
    let class = |body: Vec<u8>| reference::pad(&body, 4096);
    let mut overlong = body(Who::Nobody);
    // The creation time stands behind the id, in five bytes; here in six.
    overlong.splice(20..21, [overlong[20] | 0x80, 0]);
    let mut bad_key = body(Who::Nobody);
    // The reply key stands behind the id and two times of five bytes; its first coefficient becomes 4095, beyond q.
    (bad_key[26], bad_key[27]) = (0xff, bad_key[27] | 0x0f);
    file.case(case("a reply key that is none", forge(&bad_key, |_| vec![0], class)))
        .case(case("a device without authentication", forge(&body(device()), |_| vec![0], class)))
        .case(case(
            "a device by another's signature",
            forge(&body(device()), |t| codec::encode(&Authentication::Device(sign(&other, t))), class),
        ))
        .case(case("a device by a signature over other bytes", forge(&body(device()), |t| by_device(&t[1..]), class)))
        .case(case("a device with a new device's authentication", forge(&body(device()), enrolled, class)))
        .case(case("nobody with a signature", forge(&body(Who::Nobody), by_device, class)))
        .case(case("an overlong creation time", forge(&overlong, |_| vec![0], class)))
        .case(case("a byte behind the authentication", forge(&body(Who::Nobody), |_| vec![0, 0], class)))
        .case(case(
            "a padding that is not zero",
            forge(
                &body(Who::Nobody),
                |_| vec![0],
                |body| {
                    let mut padded = class(body);
                    padded[4095] = 1;
                    padded
                },
            ),
        ))
        .case(case("no padding", forge(&body(Who::Nobody), |_| vec![0], |body| reference::pad(&body, 0))))
        .case(case("nothing inside", forge(&[], |_| vec![], |_| vec![])))
}

fn body(who: Who) -> Vec<u8> {
    codec::encode(&RequestBody {
        id: RequestId(Fixed([0x88; 16])),
        created: Timestamp(1_800_000_000),
        expires: Timestamp(1_800_086_400),
        reply_key: SealingSecret::from_bytes(bytes(86)).public(),
        who,
        operation: rohrpost_e2ee::body::Operation::Status,
    })
}

/// A live request with any body, authentication and padding.
fn forge(body: &[u8], authenticate: impl Fn(&[u8]) -> Vec<u8>, pad: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let safe = safe_fields();
    let (pin, prekey_id) = (safe.bytes("pin"), safe.bytes("prekey_id"));
    let public = SealingSecret::from_bytes(safe.array("prekey_seed")).public();
    let info = reference::request_info(&pin, &prekey_id);
    let aad = reference::request_aad(&safe.bytes("inbox"), None);
    let sealed = reference::seal(&public.0, &encapsulation(9), (&info, &aad), None, |exports| {
        let transcript = reference::transcript(&pin, exports, &aad, body);
        pad([body, &authenticate(&transcript)].concat())
    });
    [&[1, 1, 1][..], &prekey_id, &sealed].concat()
}

fn lane(input: &Fields) -> Lane {
    let lane = input.inner("lane").unwrap();
    if lane.text("kind") == "live" {
        return Lane::Live;
    }
    let classes = [TtlClass::Day, TtlClass::Week, TtlClass::Fortnight];
    let ttl = classes[usize::try_from(lane.number("ttl")).unwrap()];
    Lane::Deposit { ttl, reply_mailbox: lane.array_if_any("reply_mailbox").map(Fixed) }
}

/// Seals with the randomness that `sealing` names.
pub(super) fn seal(input: &Fields) -> (Vec<u8>, ExpectReply) {
    let sealing = input.inner("sealing").unwrap();
    let offer = PrekeyRecord {
        version: rohrpost_wire::VERSION,
        suite: rohrpost_wire::SUITE,
        safe_pin: SafePin(Fixed(input.array("pin"))),
        epoch: 1,
        id: PrekeyId(Fixed(input.array("prekey_id"))),
        key: SealingSecret::from_bytes(input.array("prekey_seed")).public(),
        pipe_key_hash: None,
        not_before: Timestamp(0),
        not_after: Timestamp(u64::MAX),
    };
    let safe = TrustedSafe::unverified_for_tests(InboxId(Fixed(input.array("inbox"))), &offer);
    let draft = RequestDraft {
        id: RequestId(Fixed(sealing.array("id"))),
        created: Timestamp(sealing.number("created")),
        expires: Timestamp(sealing.number("expires")),
        operation: describe::read_operation(&sealing.inner("operation").unwrap()),
    };
    let author = sealing.inner("author").unwrap();
    let key = author.array_if_any("seed").map(|seed| SigningSecret::from_bytes(&seed));
    let link = author.array_if_any("link_secret").map(LinkSecret::from_bytes);
    let author = match (&key, &link) {
        (None, _) => Author::Nobody,
        (Some(key), None) => Author::Device { key, sequence: author.number("sequence") },
        (Some(key), Some(link)) => Author::Enrol { key, link },
    };
    let mut rng = Played::new(&[&sealing.bytes("encapsulation_seed"), &sealing.bytes("reply_seed")]);
    let sealed = seal_request(&safe, lane(input), &draft, &author, &mut rng).unwrap();
    assert!(rng.is_over(), "sealing draws less than is written down");
    sealed
}

/// Opens as the safe does.
pub(super) fn open(input: &Fields) -> Result<OpenedRequest, &'static str> {
    let envelope = input.bytes("envelope");
    let (pin, inbox) = (SafePin(Fixed(input.array("pin"))), InboxId(Fixed(input.array("inbox"))));
    let prekey = SealingSecret::from_bytes(input.array("prekey_seed"));
    let recipient = Recipient { pin: &pin, inbox: &inbox, lane: lane(input) };
    open_request(&envelope, &prekey, recipient).map_err(|_| "")
}

fn check(input: &Fields) -> Outcome {
    let opened = open(input)?;
    let envelope = input.bytes("envelope");
    assert_eq!(RequestHeader::parse(&envelope).unwrap().prekey.0.0, input.array("prekey_id"));
    if input.contains_key("sealing") {
        assert_eq!(seal(input).0, envelope);
    }
    let mut output = fields([
        ("id", hex(&opened.id.0.0)),
        ("created", digits(opened.created.0)),
        ("expires", digits(opened.expires.0)),
        ("operation", describe::operation(&opened.operation)),
        ("operation_hash", hex(&opened.operation_hash.0)),
        ("envelope_hash", hex(&opened.envelope.0.0)),
    ]);
    output.extend(describe_who(&opened.who, input));
    output.extend(look_inside(input));
    Ok(output)
}

fn describe_who(who: &Proven, input: &Fields) -> Fields {
    match who {
        Proven::Nobody => fields([("who", describe::who(&Who::Nobody))]),
        Proven::Device { key, sequence } => {
            fields([("who", describe::who(&Who::Device { key: *key, sequence: *sequence }))])
        }
        Proven::Enrol { link, key, proof } => {
            let holds = proof.holds(&LinkMacKey::from_bytes(input.array("link_mac_key")));
            fields([("who", describe::who(&Who::Enrol { link: *link, key: *key })), ("link_holds", holds.into())])
        }
    }
}

/// What a second implementation needs to find its fault: the body, what is signed, and what the reply hangs on.
fn look_inside(input: &Fields) -> Fields {
    let pin = input.bytes("pin");
    let info = reference::request_info(&pin, &input.bytes("prekey_id"));
    let deposit = match lane(input) {
        Lane::Live => None,
        Lane::Deposit { ttl, reply_mailbox } => Some((ttl as u8, reply_mailbox.map(|key| key.0))),
    };
    let aad = reference::request_aad(&input.bytes("inbox"), deposit);
    let envelope = input.bytes("envelope");
    let (padded, exports) = reference::open(&input.array("prekey_seed"), &envelope[11..], (&info, &aad), None);
    let body = reference::unpad(&padded);
    let (_, authentication) = codec::decode_prefix::<RequestBody>(&body).unwrap();
    let signed = body.strip_suffix(authentication).unwrap();
    assert_eq!(reference::pad(&body, padded.len()), padded);
    fields([
        ("body", hex(&body)),
        ("transcript", hex(&reference::transcript(&pin, &exports, &aad, signed))),
        ("reply_psk", hex(&exports.reply_psk)),
    ])
}
