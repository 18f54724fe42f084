//! Genuine values with invented content, the same in every run: what targets spoil.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rohrpost_e2ee::body::{
    DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Pin, Reply, SafeStatus, Status, TransferKey,
};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_e2ee::{DocumentId, Link, LinkId, RequestId, VersionHash};
use rohrpost_patient::account::{Account, Pending, Safe};
use rohrpost_safe_agent::audit::{Action, Actor, Event, Refusal};
use rohrpost_safe_agent::rows::{PatientId, PatientRow};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{
    IdentityRecord, PREKEY_SECONDS, PrekeyId, PrekeyRecord, RecordKind, RecordSet, RootChain, RootStatement,
    SEALING_KEY_BYTES, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SUITE, SafePin, Timestamp, VERSION, codec, time};

/// When everything here happens.
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000);

/// Randomness that is the same in every run.
pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn relay() -> RelayAddress {
    RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) }
}

pub(super) fn link() -> Link {
    Link {
        expires: NOW,
        pin: SafePin(Fixed([1; 32])),
        epoch: 3,
        inbox: InboxId(Fixed([2; 16])),
        secret: LinkSecret::from_bytes([3; 32]),
        ticket: None,
        relay: relay(),
        chain: RootChain { length: 2, newest: StatementHash(Fixed([5; 32])) },
    }
}

pub(super) fn pending() -> Pending {
    Pending::begin(LinkId(Fixed([1; 16])), Safe::of_link(&link()), "laptop", &mut rng(1))
}

pub(super) fn account() -> Account {
    Account::new(&pending(), "Praxis Beispiel", "Erika Muster")
}

pub(super) fn entry(title: &str, file_name: &str) -> DocumentEntry {
    DocumentEntry {
        id: DocumentId(Fixed([1; 16])),
        version: VersionHash(Fixed([2; 32])),
        title: title.into(),
        file_name: file_name.into(),
        media_type: "application/pdf".into(),
        length: 130_068,
        shared: NOW,
        until: Some(NOW.plus(time::DAY)),
    }
}

/// An object of this content: its manifest, as a reply carries it.
pub(super) fn manifest(key: &ObjectKey, object: u8, length: u64) -> Manifest {
    Manifest {
        object: Fixed([object; 16]),
        key: TransferKey::from(key),
        version: VersionHash(Fixed([2; 32])),
        sha256: Fixed([3; 32]),
        total: length,
        offset: 0,
        length,
        padded: rohrpost_e2ee::padding::padme(length),
        title: "Laboratory finding".into(),
        file_name: "finding.pdf".into(),
        media_type: "application/pdf".into(),
    }
}

/// What stands inside seals and rows.
pub(super) fn bodies() -> Vec<Vec<u8>> {
    let key = ObjectKey::from_bytes([4; 32]);
    let payloads = [
        Payload::None,
        Payload::Enrolled(Enrolled { practice: "Praxis Beispiel".into(), patient: "Erika Muster".into() }),
        Payload::Documents(DocumentPage { documents: vec![entry("Finding", "finding.pdf"); 2], more: true }),
        Payload::Object(Box::new(manifest(&key, 1, 40_000))),
        Payload::Status(SafeStatus {
            practice: "Praxis Beispiel".into(),
            patient: "Erika Muster".into(),
            device_name: "laptop".into(),
            documents: 2,
        }),
    ];
    let pin = Pin::parse("012345").unwrap();
    let operations = [
        Operation::Enrol { pin, device_name: "laptop".into() },
        Operation::Documents { after: Some(DocumentId(Fixed([1; 16]))) },
        Operation::Document { document: DocumentId(Fixed([1; 16])), offset: 300, version: None },
        Operation::Status,
    ];
    let event = Event::new(NOW, Actor::Safe, Action::Listed { documents: 3 }).refused(Refusal::NotAllowed);
    let patient = PatientRow {
        id: PatientId(Fixed([1; 16])),
        name: "Erika Muster".into(),
        birth_date: Some("1980-04-23".into()),
        number: None,
        added: NOW,
    };
    let mut bodies: Vec<Vec<u8>> = payloads.map(reply).iter().map(codec::encode).collect();
    bodies.extend(operations.iter().map(codec::encode));
    bodies.extend([codec::encode(&event), codec::encode(&patient)]);
    bodies
}

pub(super) fn reply(payload: Payload) -> Reply {
    Reply {
        request: RequestId(Fixed([1; 16])),
        status: Status::Done,
        safe_time: NOW,
        highest_sequence: 7,
        tickets: vec![],
        payload,
    }
}

fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

fn public(byte: u8) -> Fixed<32> {
    Fixed(key(byte).verifying_key().to_bytes())
}

/// A statement of root key `root`, which commits to `next`.
pub(super) fn statement(root: u8, next: u8, previous: Option<&Signed>) -> Signed {
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: public(root),
        next_root_hash: next_root_hash(&public(next).0),
        previous: previous.map(|signed| StatementHash::of_statement(&signed.bytes)),
    };
    Signed::sign(RecordKind::Root, &statement, &key(root))
}

/// A published set: the last root signs an identity of this epoch, which began so many days ago, and three prekeys.
pub(super) fn set(roots: Vec<Signed>, root: u8, epoch: u32, days: u64) -> RecordSet {
    let safe_pin = SafePin::of_statement(&roots[0].bytes);
    let online = 100 + u8::try_from(epoch).unwrap();
    let identity = IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin,
        epoch,
        online_key: public(online),
        audit_key: public(31),
        inbox: InboxId(Fixed([5; 16])),
        relays: vec![relay()],
        not_before: NOW.minus(days * time::DAY),
        not_after: NOW.plus(90 * time::DAY),
    };
    let prekey = |number: u64| {
        let not_before = NOW.minus(time::DAY).plus(number * PREKEY_SECONDS);
        let record = PrekeyRecord {
            version: VERSION,
            suite: SUITE,
            safe_pin,
            epoch,
            id: PrekeyId(Fixed([u8::try_from(number).unwrap(); 8])),
            key: Fixed([9; SEALING_KEY_BYTES]),
            pipe_key_hash: None,
            not_before,
            not_after: not_before.plus(PREKEY_SECONDS),
        };
        Signed::sign(RecordKind::Prekey, &record, &key(online))
    };
    let identity = Signed::sign(RecordKind::Identity, &identity, &key(root));
    RecordSet { roots, identity, prekeys: (0..3).map(prekey).collect() }
}

/// What one safe has published in the course of time: two records in its first epoch, then another root key and epoch.
pub(super) fn published() -> &'static [RecordSet; 4] {
    static PUBLISHED: OnceLock<[RecordSet; 4]> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let first = statement(1, 2, None);
        let second = statement(2, 3, Some(&first));
        let (one, two) = (vec![first.clone()], vec![first, second]);
        [set(one.clone(), 1, 1, 30), set(one, 1, 1, 20), set(two.clone(), 2, 2, 10), set(two, 2, 2, 5)]
    })
}
