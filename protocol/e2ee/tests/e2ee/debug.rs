//! What is printed of every type that holds a secret or plaintext: its name, perhaps lengths and public ids.
//!
//! Every secret here is made of one canary, in bytes and in letters. A new field that prints turns the test red.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rohrpost_e2ee::body::{
    Authentication, DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Pin, Reply, SafeStatus,
    Status, TransferKey, Who,
};
use rohrpost_e2ee::exchange::{
    Author, ExpectReply, Lane, OpenedRequest, Proven, Recipient, RequestDraft, open_request, seal_request,
};
use rohrpost_e2ee::keys::{SealingSecret, SigningSecret};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::object::{ObjectKey, ObjectOpener, ObjectSealer};
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_e2ee::{DocumentId, Link, RequestId, Secret, VersionHash};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::proof::Exporter;
use rohrpost_wire::records::{PrekeyId, PrekeyRecord, RootChain, StatementHash};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SafePin, Timestamp};

/// The canary's letters and its byte; 0xc5 is 197 in decimal.
const NAME: &str = "Kanarienvogel";
const BYTE: u8 = 0xc5;
const PIN: &str = "197197";

fn name() -> String {
    NAME.to_owned()
}

/// Fails if a text shows a canary: its letters, its PIN, or two of its bytes in a row, in any of the usual forms.
fn assert_silent(text: &str) {
    for canary in [NAME, PIN, "c5c5", "C5C5", "197, 197", "0xc5"] {
        assert!(!text.contains(canary), "a canary in {text}");
    }
}

/// One value as it prints, behind the name of its type, so that the lines below can be read.
fn line(name: &str, value: &impl std::fmt::Debug) -> String {
    let (short, long) = (format!("{value:?}"), format!("{value:#?}"));
    assert_silent(&short);
    assert_silent(&long);
    format!("{name}: {short}\n")
}

fn enrol() -> Operation {
    Operation::Enrol { pin: Pin::parse(PIN).unwrap(), device_name: name() }
}

fn manifest() -> Manifest {
    Manifest {
        object: Fixed([1; 16]),
        key: TransferKey::from(&ObjectKey::from_bytes([BYTE; 32])),
        version: VersionHash(Fixed([2; 32])),
        sha256: Fixed([BYTE; 32]),
        total: 10,
        offset: 0,
        length: 10,
        padded: 10,
        title: name(),
        file_name: name(),
        media_type: name(),
    }
}

fn entry() -> DocumentEntry {
    DocumentEntry {
        id: DocumentId(Fixed([3; 16])),
        version: VersionHash(Fixed([BYTE; 32])),
        title: name(),
        file_name: name(),
        media_type: name(),
        length: 10,
        shared: Timestamp(4),
        until: None,
    }
}

fn page() -> DocumentPage {
    DocumentPage { documents: vec![entry()], more: false }
}

fn status() -> SafeStatus {
    SafeStatus { practice: name(), patient: name(), device_name: name(), documents: 1 }
}

fn reply(payload: Payload) -> Reply {
    let request = RequestId(Fixed([5; 16]));
    Reply { request, status: Status::Done, safe_time: Timestamp(6), highest_sequence: 7, tickets: vec![], payload }
}

fn link() -> Link {
    Link {
        expires: Timestamp(8),
        pin: SafePin(Fixed([BYTE; 32])),
        epoch: 9,
        inbox: InboxId(Fixed([BYTE; 16])),
        secret: LinkSecret::from_bytes([BYTE; 32]),
        ticket: None,
        relay: RelayAddress { host: name(), port: 10, key_hash: RelayKeyHash(Fixed([BYTE; 32])) },
        chain: RootChain { length: 1, newest: StatementHash(Fixed([BYTE; 32])) },
    }
}

#[test]
fn keys_and_links_print_their_names() {
    let object_key = ObjectKey::from_bytes([BYTE; 32]);
    let sealer = ObjectSealer::new(&object_key, [BYTE; 24], NAME.as_bytes());
    let opener = ObjectOpener::new(&object_key, sealer.header(), NAME.as_bytes()).unwrap();
    let lines = [
        line("Secret", &Secret::from_bytes([BYTE; 32])),
        line("SealingSecret", &SealingSecret::from_bytes([BYTE; 32])),
        line("SigningSecret", &SigningSecret::from_bytes(&[BYTE; 32])),
        line("ObjectKey", &object_key),
        line("ObjectSealer", &sealer),
        line("ObjectOpener", &opener),
        line("TransferKey", &TransferKey::from(&object_key)),
        line("LinkSecret", &LinkSecret::from_bytes([BYTE; 32])),
        line("LinkMacKey", &LinkSecret::from_bytes([BYTE; 32]).mac_key()),
        line("Link", &link()),
        line("Pin", &Pin::parse(PIN).unwrap()),
        line("Exporter", &Exporter([BYTE; 32])),
    ];
    insta::assert_snapshot!(lines.concat(), @r"
    Secret: Secret(32 bytes)
    SealingSecret: SealingSecret
    SigningSecret: SigningSecret
    ObjectKey: ObjectKey
    ObjectSealer: ObjectSealer(chunk 0)
    ObjectOpener: ObjectOpener(chunk 0)
    TransferKey: TransferKey(Secret(32 bytes))
    LinkSecret: LinkSecret
    LinkMacKey: LinkMacKey
    Link: Link
    Pin: Pin
    Exporter: Exporter
    ");
}

#[test]
fn plaintext_prints_names_lengths_and_ids() {
    let authentications = [
        Authentication::Device(Fixed([BYTE; 64])),
        Authentication::Enrol { signature: Fixed([BYTE; 64]), mac: Fixed([BYTE; 32]) },
    ];
    let payloads = [
        Payload::None,
        Payload::Enrolled(Enrolled { practice: name(), patient: name() }),
        Payload::Documents(page()),
        Payload::Object(Box::new(manifest())),
        Payload::Status(status()),
    ];
    let mut lines = vec![line("Operation", &enrol())];
    lines.extend(authentications.iter().map(|one| line("Authentication", one)));
    lines.extend(payloads.iter().map(|payload| line("Payload", payload)));
    lines.extend(payloads.into_iter().map(|payload| line("Reply", &reply(payload))));
    lines.push(line("Enrolled", &Enrolled { practice: name(), patient: name() }));
    lines.push(line("DocumentPage", &page()));
    lines.push(line("DocumentEntry", &entry()));
    lines.push(line("Manifest", &manifest()));
    lines.push(line("SafeStatus", &status()));
    insta::assert_snapshot!(lines.concat(), @r"
    Operation: Operation(enrol)
    Authentication: Authentication
    Authentication: Authentication
    Payload: Payload(none)
    Payload: Payload(enrolled)
    Payload: Payload(1 documents)
    Payload: Payload(object of 10 bytes)
    Payload: Payload(status)
    Reply: Reply(0505050505, Done, Payload(none))
    Reply: Reply(0505050505, Done, Payload(enrolled))
    Reply: Reply(0505050505, Done, Payload(1 documents))
    Reply: Reply(0505050505, Done, Payload(object of 10 bytes))
    Reply: Reply(0505050505, Done, Payload(status))
    Enrolled: Enrolled
    DocumentPage: DocumentPage(1 documents)
    DocumentEntry: DocumentEntry(0303030303)
    Manifest: Manifest(10 bytes)
    SafeStatus: SafeStatus
    ");
}

/// One enrolment, as its client sealed it and as its safe opened it.
fn exchange() -> (RequestDraft, ExpectReply, OpenedRequest) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let prekey = SealingSecret::generate(&mut rng);
    let offer = PrekeyRecord {
        version: rohrpost_wire::VERSION,
        suite: rohrpost_wire::SUITE,
        safe_pin: SafePin(Fixed([11; 32])),
        epoch: 1,
        id: PrekeyId(Fixed([14; 8])),
        key: prekey.public(),
        pipe_key_hash: None,
        not_before: Timestamp(0),
        not_after: Timestamp(16),
    };
    let safe = TrustedSafe::unverified_for_tests(InboxId(Fixed([12; 16])), &offer);
    let id = RequestId(Fixed([5; 16]));
    let draft = RequestDraft { id, created: Timestamp(16), expires: Timestamp(17), operation: enrol() };
    let (key, link) = (SigningSecret::from_bytes(&[BYTE; 32]), LinkSecret::from_bytes([BYTE; 32]));
    let author = Author::Enrol { key: &key, link: &link };
    let (envelope, expect) = seal_request(&safe, Lane::Live, &draft, &author, &mut rng).unwrap();
    let recipient = Recipient { pin: &safe.pin(), inbox: &safe.inbox(), lane: Lane::Live };
    (draft, expect, open_request(&envelope, &prekey, recipient).unwrap())
}

#[test]
fn both_ends_of_an_exchange_print_ids_and_names() {
    let (draft, expect, opened) = exchange();
    let (key, link) = (SigningSecret::from_bytes(&[BYTE; 32]), LinkSecret::from_bytes([BYTE; 32]));
    let body = rohrpost_e2ee::body::RequestBody {
        id: draft.id,
        created: draft.created,
        expires: draft.expires,
        reply_key: SealingSecret::from_bytes([BYTE; 32]).public(),
        who: Who::Nobody,
        operation: enrol(),
    };
    assert!(!format!("{opened:#?}").contains(&format!("{:?}", opened.operation_hash)), "guessable: a hash of the PIN");
    let Proven::Enrol { proof, .. } = &opened.who else { panic!("an enrolment was sealed") };
    let lines = [
        line("RequestDraft", &draft),
        line("RequestBody", &body),
        line("Author", &Author::Nobody),
        line("Author", &Author::Device { key: &key, sequence: 18 }),
        line("Author", &Author::Enrol { key: &key, link: &link }),
        line("ExpectReply", &expect),
        line("OpenedRequest", &opened),
        line("Proven", &opened.who),
        line("EnrolProof", proof),
        line("ReplySealer", &opened.reply),
    ];
    insta::assert_snapshot!(lines.concat(), @r"
    RequestDraft: RequestDraft { id: RequestId(0505050505), created: Timestamp(16), expires: Timestamp(17), operation: Operation(enrol) }
    RequestBody: RequestBody(0505050505, enrol)
    Author: Nobody
    Author: Device { key: SigningSecret, sequence: 18 }
    Author: Enrol { key: SigningSecret, link: LinkSecret }
    ExpectReply: ExpectReply(0505050505)
    OpenedRequest: OpenedRequest(0505050505, enrol, Enrol { link: LinkId(0a440e0b7a), key: 2db797636e, proof: EnrolProof })
    Proven: Enrol { link: LinkId(0a440e0b7a), key: 2db797636e, proof: EnrolProof }
    EnrolProof: EnrolProof
    ReplySealer: ReplySealer(0505050505)
    ");
}
