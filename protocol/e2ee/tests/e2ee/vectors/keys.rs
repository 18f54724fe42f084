//! Key pairs from their seeds, and names that are hashes.

use rohrpost_e2ee::body::Operation;
use rohrpost_e2ee::exchange::{Author, Lane, RequestDraft, seal_request};
use rohrpost_e2ee::keys::{SealingKey, SealingSecret, SigningSecret};
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_e2ee::{DeviceId, DocumentId, RequestId, VersionHash};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{PrekeyId, PrekeyRecord};
use rohrpost_wire::{InboxId, SafePin, Timestamp};

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};
use super::reference::{Played, bytes, encapsulation};

pub(super) const VECTORS: Vectors = Vectors { name: "keys.json", write, check };
pub(super) const NAMES: Vectors = Vectors { name: "names.json", write: write_names, check: check_name };

fn write() -> File {
    let good = SealingSecret::from_bytes(bytes(1)).public();
    let mut unreduced = good.0;
    // The first coefficient, 12 bits, little-endian, set to 4095, which is not below q = 3329.
    unreduced[0] = 0xff;
    unreduced[1] |= 0x0f;
    File::new(
        "key pairs from 32-byte seeds; sealing keys that are none",
        "section 3",
        "accept: the public half of the seed, or nothing for a sealing key that can be sealed to. reject: a sealing \
         key to which nothing is sealed",
    )
    .case(Case::accept("sealing", "X-Wing").with("kind", "sealing").with("seed", hex(&bytes(1))))
    .case(Case::accept("sealing from zeros", "").with("kind", "sealing").with("seed", hex(&[0; 32])))
    .case(Case::accept("signing", "Ed25519").with("kind", "signing").with("seed", hex(&bytes(1))))
    .case(Case::accept("a sealing key", "").with("kind", "public").with("public", hex(&good.0)))
    .case(
        Case::reject("a sealing key with an unreduced coefficient", "FIPS 203, section 7.2")
            .with("kind", "public")
            .with("public", hex(&unreduced)),
    )
}

fn check(input: &Fields) -> Outcome {
    match input.text("kind").as_str() {
        "sealing" => Ok(fields([("public", hex(&SealingSecret::from_bytes(input.array("seed")).public().0))])),
        "signing" => Ok(fields([("public", hex(&SigningSecret::from_bytes(&input.array("seed")).public().0))])),
        "public" => seal_to(&Fixed(input.array("public"))),
        other => panic!("no kind {other}"),
    }
}

fn seal_to(key: &SealingKey) -> Outcome {
    let offer = PrekeyRecord {
        version: rohrpost_wire::VERSION,
        suite: rohrpost_wire::SUITE,
        safe_pin: SafePin(Fixed([0; 32])),
        epoch: 1,
        id: PrekeyId(Fixed([0; 8])),
        key: *key,
        pipe_key_hash: None,
        not_before: Timestamp(0),
        not_after: Timestamp(0),
    };
    let safe = TrustedSafe::unverified_for_tests(InboxId(Fixed([0; 16])), &offer);
    let id = RequestId(Fixed([0; 16]));
    let draft = RequestDraft { id, created: Timestamp(0), expires: Timestamp(1), operation: Operation::Status };
    let mut rng = Played::new(&[&encapsulation(1), &bytes(2)]);
    seal_request(&safe, Lane::Live, &draft, &Author::Nobody, &mut rng).map(|_| Fields::new()).map_err(|_| "")
}

fn write_names() -> File {
    let version = |name: &str, length| {
        Case::accept(name, "document, length, SHA-256 of the content")
            .with("kind", "version")
            .with("document", hex(&[5; 16]))
            .with("length", digits(length))
            .with("sha256", hex(&bytes(3)))
    };
    File::new("names of devices and of versions", "section 8", "accept: the name. reject: no key")
        .case(Case::accept("a device", "").with("kind", "device").with("key", hex(&bytes(3))))
        .case(Case::reject("a device key of 33 bytes", "").of("a device").append("key", &[0]))
        .case(version("a version", 4096))
        .case(version("a version of another length", 4097))
        .case(version("a version of the greatest length", u64::MAX))
        .case(Case::accept("a version of another document", "").of("a version").flip("document", 15))
        .case(Case::accept("a version with another hash", "").of("a version").flip("sha256", 0))
}

fn check_name(input: &Fields) -> Outcome {
    let name = if input.text("kind") == "device" {
        hex(&DeviceId::of_key(&Fixed::from_slice(&input.bytes("key")).ok_or("")?).0.0)
    } else {
        let document = DocumentId(Fixed(input.array("document")));
        hex(&VersionHash::of_content(&document, input.number("length"), &Fixed(input.array("sha256"))).0.0)
    };
    Ok(fields([("name", name)]))
}
