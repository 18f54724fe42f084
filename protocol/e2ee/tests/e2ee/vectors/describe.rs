//! Plaintext as it stands in the files, and back.

use rohrpost_e2ee::body::{
    Authentication, DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Pin, Reply, SafeStatus,
    Status, Who,
};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_wire::fixed::Fixed;
use serde_json::Value;

use super::harness::{Fields, Read as _, digits, hex, hex_if_any, object};

pub(super) fn operation(operation: &Operation) -> Value {
    match operation {
        Operation::Enrol { pin, device_name } => object([
            ("kind", "enrol".into()),
            ("pin", String::from_utf8(pin.expose().to_vec()).unwrap().into()),
            ("device_name", device_name.as_str().into()),
        ]),
        Operation::Documents { after } => {
            object([("kind", "documents".into()), ("after", hex_if_any(after.as_ref().map(|id| id.0.as_ref())))])
        }
        Operation::Document { document, offset, version } => object([
            ("kind", "document".into()),
            ("document", hex(&document.0.0)),
            ("offset", digits(*offset)),
            ("version", hex_if_any(version.as_ref().map(|version| version.0.as_ref()))),
        ]),
        Operation::Status => object([("kind", "status".into())]),
    }
}

pub(super) fn read_operation(input: &Fields) -> Operation {
    match input.text("kind").as_str() {
        "enrol" => {
            Operation::Enrol { pin: Pin::parse(&input.text("pin")).unwrap(), device_name: input.text("device_name") }
        }
        "documents" => Operation::Documents { after: input.array_if_any("after").map(|id| DocumentId(Fixed(id))) },
        "document" => Operation::Document {
            document: DocumentId(Fixed(input.array("document"))),
            offset: input.number("offset"),
            version: input.array_if_any("version").map(|version| VersionHash(Fixed(version))),
        },
        "status" => Operation::Status,
        other => panic!("no operation {other}"),
    }
}

pub(super) fn who(who: &Who) -> Value {
    match who {
        Who::Nobody => object([("kind", "nobody".into())]),
        Who::Device { key, sequence } => {
            object([("kind", "device".into()), ("key", hex(&key.0)), ("sequence", digits(*sequence))])
        }
        Who::Enrol { link, key } => object([("kind", "enrol".into()), ("link", hex(&link.0.0)), ("key", hex(&key.0))]),
    }
}

pub(super) fn authentication(authentication: &Authentication) -> Value {
    match authentication {
        Authentication::None => object([("kind", "none".into())]),
        Authentication::Device(signature) => object([("kind", "device".into()), ("signature", hex(&signature.0))]),
        Authentication::Enrol { signature, mac } => {
            object([("kind", "enrol".into()), ("signature", hex(&signature.0)), ("mac", hex(&mac.0))])
        }
    }
}

pub(super) fn reply(reply: &Reply) -> Value {
    let tickets: Vec<Value> = reply.tickets.iter().map(|ticket| hex(&ticket.0.0)).collect();
    object([
        ("request", hex(&reply.request.0.0)),
        ("status", status(reply.status)),
        ("safe_time", digits(reply.safe_time.0)),
        ("highest_sequence", digits(reply.highest_sequence)),
        ("tickets", tickets.into()),
        ("payload", payload(&reply.payload)),
    ])
}

fn status(status: Status) -> Value {
    match status {
        Status::WrongPin { left } => object([("WrongPin", object([("left", left.into())]))]),
        plain @ (Status::Done
        | Status::Repeated
        | Status::NotAllowed
        | Status::LinkUsed
        | Status::LinkExpired
        | Status::LinkDead
        | Status::RequestExpired
        | Status::ClockAhead
        | Status::Changed
        | Status::Conflict
        | Status::OutOfSequence
        | Status::LiveOnly
        | Status::Busy
        | Status::Damaged) => format!("{plain:?}").into(),
    }
}

fn payload(payload: &Payload) -> Value {
    match payload {
        Payload::None => Value::Null,
        Payload::Enrolled(Enrolled { practice, patient }) => {
            let inner = object([("practice", practice.as_str().into()), ("patient", patient.as_str().into())]);
            object([("enrolled", inner)])
        }
        Payload::Documents(page) => object([("documents", describe_page(page))]),
        Payload::Object(described) => object([("object", manifest(described))]),
        Payload::Status(SafeStatus { practice, patient, device_name, documents }) => object([(
            "status",
            object([
                ("practice", practice.as_str().into()),
                ("patient", patient.as_str().into()),
                ("device_name", device_name.as_str().into()),
                ("documents", (*documents).into()),
            ]),
        )]),
    }
}

fn describe_page(page: &DocumentPage) -> Value {
    let documents: Vec<Value> = page.documents.iter().map(entry).collect();
    object([("documents", documents.into()), ("more", page.more.into())])
}

fn entry(entry: &DocumentEntry) -> Value {
    object([
        ("id", hex(&entry.id.0.0)),
        ("version", hex(&entry.version.0.0)),
        ("title", entry.title.as_str().into()),
        ("file_name", entry.file_name.as_str().into()),
        ("media_type", entry.media_type.as_str().into()),
        ("length", digits(entry.length)),
        ("shared", digits(entry.shared.0)),
        ("until", entry.until.map_or(Value::Null, |until| digits(until.0))),
    ])
}

pub(super) fn manifest(manifest: &Manifest) -> Value {
    object([
        ("object", hex(&manifest.object.0)),
        ("key", hex(ObjectKey::from(&manifest.key).expose())),
        ("version", hex(&manifest.version.0.0)),
        ("sha256", hex(&manifest.sha256.0)),
        ("total", digits(manifest.total)),
        ("offset", digits(manifest.offset)),
        ("length", digits(manifest.length)),
        ("padded", digits(manifest.padded)),
        ("title", manifest.title.as_str().into()),
        ("file_name", manifest.file_name.as_str().into()),
        ("media_type", manifest.media_type.as_str().into()),
    ])
}
