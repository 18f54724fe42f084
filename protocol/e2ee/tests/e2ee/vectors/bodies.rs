//! Plaintext encodings: who asks, for what, the authentication, and every reply.

use rohrpost_e2ee::body::{
    Authentication, DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Pin, Reply, SafeStatus,
    Status, TransferKey, Who,
};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_e2ee::padding::padme;
use rohrpost_e2ee::{DocumentId, LinkId, RequestId, VersionHash};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{TicketId, Timestamp, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, fields, hex};
use super::{describe, reference};

pub(super) const VECTORS: Vectors = Vectors { name: "bodies.json", write, check };

const KEY: Fixed<32> = Fixed([0x41; 32]);
const DOCUMENT: DocumentId = DocumentId(Fixed([0x42; 16]));
const VERSION: VersionHash = VersionHash(Fixed([0x43; 32]));

fn write() -> File {
    let mut file = File::new(
        "parts of sealed bodies: who asks, operations, authentications, replies",
        "section 8",
        "accept: the bytes are this value, and this value has these bytes and no others. reject: not an encoding",
    );
    for (name, who) in askers() {
        file = file.case(good(name, "who", &who));
    }
    for (name, operation) in operations() {
        file = file.case(good(name, "operation", &operation));
    }
    for (name, authentication) in authentications() {
        file = file.case(good(name, "authentication", &authentication));
    }
    for (name, status) in statuses() {
        file = file.case(good(name, "reply", &reply(status, Payload::None)));
    }
    for (name, payload) in payloads() {
        file = file.case(good(name, "reply", &reply(Status::Done, payload)));
    }
    let mut ticketed = reply(Status::Done, Payload::None);
    ticketed.tickets = vec![TicketId(Fixed([0x4a; 16])), TicketId(Fixed([0x4b; 16]))];
    bad(file.case(good("with tickets", "reply", &ticketed)))
}

fn good<T: Serialize>(name: &str, kind: &str, value: &T) -> Case {
    Case::accept(name, "").with("kind", kind).with("bytes", hex(&codec::encode(value)))
}

fn bad(file: File) -> File {
    let raw = |name: &str, kind: &str, bytes: &[u8]| {
        Case::reject(name, "no such number").with("kind", kind).with("bytes", hex(bytes))
    };
    file.case(raw("a fourth kind of asker", "who", &[3]))
        .case(raw("a fifth operation", "operation", &[4]))
        .case(raw("a fourth authentication", "authentication", &[3]))
        .case(Case::reject("a PIN cut", "").of("enrol").cut("bytes", 4))
        .case(raw("a PIN with a letter", "operation", b"\x0012345a\x01x"))
        .case(raw("a PIN of zero bytes", "operation", b"\x00\0\0\0\0\0\0\x01x"))
        .case(
            Case::accept("a device name of 64 characters", "of two bytes each")
                .with("kind", "operation")
                .with("bytes", named(64)),
        )
        .case(Case::reject("a device name of 65 characters", "").with("kind", "operation").with("bytes", named(65)))
        .case(Case::accept("a title of 120 characters", "").with("kind", "reply").with("bytes", titled(1, 120)))
        .case(Case::reject("a title of 121 characters", "").with("kind", "reply").with("bytes", titled(1, 121)))
        .case(Case::reject("a page of 101 documents", "").with("kind", "reply").with("bytes", titled(101, 1)))
        .case(Case::reject("an operation with a byte behind it", "").of("status").append("bytes", &[0]))
        .case(Case::reject("an overlong operation", "").with("kind", "operation").with("bytes", "8300"))
        .case(Case::reject("a signature cut", "").of("a device's").cut("bytes", 64))
        .case(Case::reject("a reply with a byte behind it", "").of("Done").append("bytes", &[0]))
        .case(Case::reject("a reply cut", "").of("an object").cut("bytes", 150))
        .case(Case::reject("a reply of a sixteenth status", "").with("kind", "reply").with("bytes", sixteenth_status()))
}

fn named(chars: usize) -> Value {
    let device_name = "\u{e4}".repeat(chars);
    hex(&codec::encode(&Operation::Enrol { pin: Pin::parse("012345").unwrap(), device_name }))
}

fn titled(documents: usize, chars: usize) -> Value {
    let entry = DocumentEntry {
        id: DOCUMENT,
        version: VERSION,
        title: "\u{e4}".repeat(chars),
        file_name: String::new(),
        media_type: String::new(),
        length: 1,
        shared: Timestamp(1),
        until: None,
    };
    let page = DocumentPage { documents: vec![entry; documents], more: false };
    hex(&codec::encode(&reply(Status::Done, Payload::Documents(page))))
}

fn sixteenth_status() -> Value {
    let mut bytes = codec::encode(&reply(Status::Damaged, Payload::None));
    assert_eq!(bytes[16], 14);
    bytes[16] = 15;
    hex(&bytes)
}

fn askers() -> Vec<(&'static str, Who)> {
    vec![
        ("nobody", Who::Nobody),
        ("a device", Who::Device { key: KEY, sequence: 300 }),
        ("a new device", Who::Enrol { link: LinkId(Fixed([0x44; 16])), key: KEY }),
    ]
}

fn operations() -> Vec<(&'static str, Operation)> {
    vec![
        ("enrol", Operation::Enrol { pin: Pin::parse("012345").unwrap(), device_name: "Ger\u{e4}t von Erika".into() }),
        ("the first documents", Operation::Documents { after: None }),
        ("further documents", Operation::Documents { after: Some(DOCUMENT) }),
        ("a document", Operation::Document { document: DOCUMENT, offset: 0, version: None }),
        ("the rest of a document", Operation::Document { document: DOCUMENT, offset: 1 << 40, version: Some(VERSION) }),
        ("status", Operation::Status),
    ]
}

fn authentications() -> Vec<(&'static str, Authentication)> {
    vec![
        ("none", Authentication::None),
        ("a device's", Authentication::Device(Fixed([0x45; 64]))),
        ("a new device's", Authentication::Enrol { signature: Fixed([0x45; 64]), mac: Fixed([0x46; 32]) }),
    ]
}

pub(super) fn reply(status: Status, payload: Payload) -> Reply {
    Reply {
        request: RequestId(Fixed([0x47; 16])),
        status,
        safe_time: Timestamp(1_800_000_000),
        highest_sequence: 300,
        tickets: vec![],
        payload,
    }
}

fn statuses() -> Vec<(&'static str, Status)> {
    vec![
        ("Done", Status::Done),
        ("Repeated", Status::Repeated),
        ("NotAllowed", Status::NotAllowed),
        ("WrongPin", Status::WrongPin { left: 4 }),
        ("LinkUsed", Status::LinkUsed),
        ("LinkExpired", Status::LinkExpired),
        ("LinkDead", Status::LinkDead),
        ("RequestExpired", Status::RequestExpired),
        ("ClockAhead", Status::ClockAhead),
        ("Changed", Status::Changed),
        ("Conflict", Status::Conflict),
        ("OutOfSequence", Status::OutOfSequence),
        ("LiveOnly", Status::LiveOnly),
        ("Busy", Status::Busy),
        ("Damaged", Status::Damaged),
    ]
}

pub(super) fn payloads() -> Vec<(&'static str, Payload)> {
    let (practice, patient) = ("Praxis Dr. Beispiel".to_owned(), "Erika Muster".to_owned());
    let entry = |title: &str, until| DocumentEntry {
        id: DOCUMENT,
        version: VERSION,
        title: title.into(),
        file_name: "befund.pdf".into(),
        media_type: "application/pdf".into(),
        length: 48_213,
        shared: Timestamp(1_799_000_000),
        until,
    };
    let documents = vec![entry("Laborbefund", None), entry("R\u{f6}ntgenbild", Some(Timestamp(1_900_000_000)))];
    let status = SafeStatus {
        practice: practice.clone(),
        patient: patient.clone(),
        device_name: "Telefon".into(),
        documents: 2,
    };
    vec![
        ("an enrolment", Payload::Enrolled(Enrolled { practice, patient })),
        ("documents", Payload::Documents(DocumentPage { documents, more: true })),
        ("no documents", Payload::Documents(DocumentPage { documents: vec![], more: false })),
        ("an object", Payload::Object(Box::new(manifest(48_213, 16_384)))),
        ("a status", Payload::Status(status)),
    ]
}

pub(super) fn manifest(total: u64, offset: u64) -> Manifest {
    let length = total - offset;
    Manifest {
        object: Fixed([0x48; 16]),
        key: TransferKey::from(&ObjectKey::from_bytes(reference::bytes(48))),
        version: VERSION,
        sha256: Fixed([0x49; 32]),
        total,
        offset,
        length,
        padded: padme(length),
        title: "Laborbefund".into(),
        file_name: "befund.pdf".into(),
        media_type: "application/pdf".into(),
    }
}

fn check(input: &Fields) -> Outcome {
    let bytes = input.bytes("bytes");
    let value = match input.text("kind").as_str() {
        "who" => read(&bytes, describe::who)?,
        "operation" => read(&bytes, describe::operation)?,
        "authentication" => read(&bytes, describe::authentication)?,
        "reply" => read(&bytes, describe::reply)?,
        other => panic!("no kind {other}"),
    };
    Ok(fields([("value", value)]))
}

fn read<T: Serialize + DeserializeOwned>(bytes: &[u8], describe: impl Fn(&T) -> Value) -> Result<Value, &'static str> {
    let value: T = codec::decode(bytes).map_err(|_| "")?;
    assert_eq!(codec::encode(&value), bytes);
    Ok(describe(&value))
}
