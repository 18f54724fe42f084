//! Field by field: what of each row may reach a patient, and what each answer consists of.
//!
//! Rows and answers are taken apart without `..`: a new field does not compile until it is decided here who may see it.

use rohrpost_e2ee::body::{
    DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Reply, SafeStatus, Status, TransferKey,
};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_figures::Figures;
use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{RelayAddress, Timestamp};

use crate::rows::{DeviceRow, DocumentRow, GrantRow, LinkRow, PatientRow, PracticeRow, Rights};
use crate::testing::{Device, Got, LISTING, START, Who, World, enrolling, reading};

/// The bytes of one field of a row, and in which answers to its own patient they may stand.
struct Field {
    name: &'static str,
    bytes: Vec<u8>,
    shown: &'static [Kind],
}

/// A kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Enrolled,
    Documents,
    Object,
    Status,
    Refused,
}

const NEVER: &[Kind] = &[];
const OWNER: &[Kind] = &[Kind::Enrolled, Kind::Status];

fn field(name: &'static str, bytes: impl AsRef<[u8]>, shown: &'static [Kind]) -> Field {
    Field { name, bytes: bytes.as_ref().to_vec(), shown }
}

fn of_practice(row: &PracticeRow) -> Vec<Field> {
    let PracticeRow { name, relay, created } = row;
    let RelayAddress { host, port: _, key_hash } = relay;
    vec![
        field("practice name", name, OWNER),
        field("relay host", host, NEVER),
        field("relay key", key_hash.0.0, NEVER),
        field("safe founded", codec::encode(created), NEVER),
    ]
}

fn of_patient(row: &PatientRow) -> Vec<Field> {
    let PatientRow { id, name, birth_date, number, added } = row;
    vec![
        field("patient id", id.0.0, NEVER),
        field("patient name", name, OWNER),
        field("birth date", birth_date.as_ref().unwrap(), NEVER),
        field("patient number", number.as_ref().unwrap(), NEVER),
        field("patient added", codec::encode(added), NEVER),
    ]
}

fn of_document(row: &DocumentRow) -> Vec<Field> {
    const BOTH: &[Kind] = &[Kind::Documents, Kind::Object];
    let DocumentRow { id, patient, content, content_key, title, file_name, media_type, length, sha256, added } = row;
    vec![
        field("document id", id.0.0, &[Kind::Documents]),
        field("document's patient", patient.0.0, NEVER),
        field("content id", content.0, NEVER),
        field("content key", codec::encode(content_key), NEVER),
        field("title", title, BOTH),
        field("file name", file_name, BOTH),
        field("media type", media_type, BOTH),
        field("length", codec::encode(length), BOTH),
        field("hash of the content", sha256.0, &[Kind::Object]),
        field("document added", codec::encode(added), NEVER),
    ]
}

fn of_grant(row: &GrantRow) -> Vec<Field> {
    let GrantRow { subject, document: _, rights: _, shared, not_after } = row;
    vec![
        field("grant's subject", subject.0.0, NEVER),
        field("shared since", codec::encode(shared), &[Kind::Documents]),
        field("shared until", codec::encode(&not_after.unwrap()), &[Kind::Documents]),
    ]
}

fn of_device(row: &DeviceRow) -> Vec<Field> {
    let DeviceRow { id, key, patient, name, enrolled, revoked } = row;
    assert_eq!(*revoked, None);
    vec![
        field("device id", id.0.0, NEVER),
        field("device key", key.0, NEVER),
        field("device's patient", patient.0.0, NEVER),
        field("device name", name, &[Kind::Status]),
        field("device enrolled", codec::encode(enrolled), NEVER),
    ]
}

/// The link's own fields are private; its encoding holds its id, its key and its PIN.
fn of_link(row: &LinkRow) -> Vec<Field> {
    vec![
        field("link id", row.id.0.0, NEVER),
        field("link key", row.mac_key().expose(), NEVER),
        field("PIN", row.pin.expose(), NEVER),
        field("link's end", codec::encode(&row.expires), NEVER),
    ]
}

/// The kind of an answer, and the names of everything in it.
fn taken_apart(reply: &Reply) -> (Kind, Vec<&'static str>) {
    let Reply { request: _, status, safe_time: _, highest_sequence: _, tickets, payload } = reply;
    assert!(tickets.is_empty(), "reserved");
    let (kind, fields) = match payload {
        Payload::None => (Kind::Refused, vec![]),
        Payload::Enrolled(Enrolled { practice: _, patient: _ }) => (Kind::Enrolled, vec!["practice", "patient"]),
        Payload::Documents(DocumentPage { documents, more: _ }) => {
            for DocumentEntry {
                id: _,
                version: _,
                title: _,
                file_name: _,
                media_type: _,
                length: _,
                shared: _,
                until: _,
            } in documents
            {}
            (Kind::Documents, vec!["id", "version", "title", "file name", "media type", "length", "shared", "until"])
        }
        Payload::Object(manifest) => {
            let Manifest {
                object: _,
                key: _,
                version: _,
                sha256: _,
                total: _,
                offset: _,
                length: _,
                padded: _,
                title: _,
                file_name: _,
                media_type: _,
            } = &**manifest;
            let names = ["object", "key", "version", "sha256", "total", "offset", "length", "padded", "title"];
            (Kind::Object, [&names[..], &["file name", "media type"]].concat())
        }
        Payload::Status(SafeStatus { practice: _, patient: _, device_name: _, documents: _ }) => {
            (Kind::Status, vec!["practice", "patient", "device name", "documents"])
        }
    };
    assert_eq!(*status == Status::Done, kind != Kind::Refused);
    (kind, fields)
}

/// One person's everything, in words and numbers that stand nowhere else.
struct Person {
    fields: Vec<Field>,
    device: Device,
    document: rohrpost_e2ee::body::DocumentId,
}

fn person(world: &mut World, mark: &str, number: u8) -> Person {
    let id = world.patient("");
    let at = |offset: u64| Timestamp(1_700_000_000 + u64::from(number) * 1_000_003 + offset);
    let (birth_date, patient_number) = (Some(format!("born-{mark}")), Some(format!("number-{mark}")));
    let patient = PatientRow { id, name: format!("name-{mark}"), birth_date, number: patient_number, added: at(1) };
    let document = world.document(id, "");
    let template: DocumentRow = world.load(&DocumentRow::key_of(&id, &document)).unwrap();
    let row = DocumentRow {
        content: Fixed([number ^ 0x51; 16]),
        content_key: TransferKey::from(&ObjectKey::generate(&mut world.rng)),
        title: format!("title-{mark}"),
        file_name: format!("file-{mark}"),
        media_type: format!("media/{mark}"),
        length: 1_234_567 + u64::from(number),
        sha256: Fixed([number ^ 0xa7; 32]),
        added: at(2),
        ..template
    };
    let (rights, not_after) = (Rights::SHARED, Some(START.plus(1_000_000 + u64::from(number))));
    let grant = GrantRow { subject: id, document, rights, shared: at(3), not_after };
    let device = world.device(id);
    let device_row: DeviceRow = world.load(&device.id.0.0).unwrap();
    let device_row = DeviceRow { name: format!("device-{mark}"), enrolled: at(4), ..device_row };
    world.save(&patient);
    world.save(&row);
    world.save(&grant);
    world.save(&device_row);
    let invitation = world.invite(id);
    let link = world.link(&invitation);
    let fields = [of_patient(&patient), of_document(&row), of_grant(&grant), of_device(&device_row), of_link(&link)];
    Person { fields: fields.into_iter().flatten().collect(), device, document }
}

/// The practice, founded at a time that stands in no answer by itself.
fn practice(world: &mut World) -> Vec<Field> {
    let row = PracticeRow { created: Timestamp(1_712_345_678), ..world.load(PracticeRow::KEY).unwrap() };
    world.save(&row);
    of_practice(&row)
}

fn stands(needle: &[u8], reply: &[u8]) -> bool {
    reply.windows(needle.len()).any(|window| window == needle)
}

/// Checks an answer against every field that there is; how many were looked for.
fn check(got: &Got, own: &[&[Field]], others: &[&[Field]]) -> u64 {
    let (kind, fields) = taken_apart(&got.reply);
    assert_eq!(fields.is_empty(), kind == Kind::Refused);
    let reply = codec::encode(&got.reply);
    let mut looked_for = 0;
    for field in own.iter().flat_map(|fields| fields.iter()) {
        assert_eq!(stands(&field.bytes, &reply), field.shown.contains(&kind), "{} in {kind:?}", field.name);
        looked_for += 1;
    }
    for field in others.iter().flat_map(|fields| fields.iter()) {
        assert!(!stands(&field.bytes, &reply), "another patient's {} in {kind:?}", field.name);
        looked_for += 1;
    }
    looked_for
}

#[test]
fn every_answer_shows_the_fields_it_may_and_no_other_of_its_own_or_another_patient() {
    let mut world = World::found();
    let practice = practice(&mut world);
    let mut people = [("first", 1), ("second", 2), ("third", 3)].map(|(mark, number)| person(&mut world, mark, number));
    let mut looked_for = 0;
    for asking in 0..people.len() {
        let foreign = people[(asking + 1) % people.len()].document;
        let own = people[asking].document;
        for operation in [LISTING, reading(own), reading(foreign), Operation::Status] {
            let got = world.ask(&mut people[asking].device, operation);
            let others: Vec<&[Field]> =
                (1..people.len()).map(|far| &people[(asking + far) % people.len()].fields[..]).collect();
            looked_for += check(&got, &[&practice, &people[asking].fields], &others);
        }
    }
    Figures::of("access.fields")
        .count("fields looked for in answers", looked_for)
        .none("shown and not allowed")
        .publish();
}

#[test]
fn an_enrolment_tells_the_names_of_practice_and_patient_and_nothing_else() {
    let mut world = World::found();
    let practice = practice(&mut world);
    let other = person(&mut world, "other", 5);
    let id = world.patient("name-own");
    let (birth_date, number) = (Some("born-own".to_owned()), Some("number-own".to_owned()));
    let patient = PatientRow { birth_date, number, added: Timestamp(1_711_111_111), ..world.load(&id.0.0).unwrap() };
    world.save(&patient);
    let invitation = world.invite(id);
    let mut own = of_patient(&patient);
    own.extend(of_link(&world.link(&invitation)));
    for (pin, status) in
        [(invitation.wrong_pin(0), Status::WrongPin { left: 4 }), (invitation.pin.clone(), Status::Done)]
    {
        let draft = world.draft(enrolling(&pin));
        let who = Who::Enrol(world.key(), invitation.secret.clone());
        let sealed = world.seal(&draft, who);
        let got = world.deliver(&sealed);
        assert_eq!(got.status(), status);
        check(&got, &[&practice, &own], &[&other.fields]);
    }
}

#[test]
fn the_search_for_fields_finds_one_that_is_planted() {
    let mut world = World::found();
    let mut someone = person(&mut world, "someone", 7);
    let mut got = world.ask(&mut someone.device, Operation::Status);
    let Payload::Status(status) = &mut got.reply.payload else { panic!("no status") };
    status.patient.push_str("number-someone");
    let reply = codec::encode(&got.reply);
    let leaked: Vec<_> =
        someone.fields.iter().filter(|field| field.shown.is_empty() && stands(&field.bytes, &reply)).collect();
    assert_eq!(leaked.len(), 1);
    assert_eq!(leaked[0].name, "patient number");
}
