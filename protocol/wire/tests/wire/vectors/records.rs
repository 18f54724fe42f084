//! Signed records, one by one and as a published set.

use ed25519_dalek::SigningKey;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{
    IDENTITY_SECONDS, IdentityRecord, PREKEY_SECONDS, PrekeyId, PrekeyRecord, RecordKind, RecordSet, RootStatement,
    Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SUITE, SafePin, Timestamp, VERSION, codec, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex, hex_if_any, object};

pub(super) const RECORDS: Vectors = Vectors { name: "records.json", write: write_records, check: check_record };
pub(super) const SETS: Vectors = Vectors { name: "record-sets.json", write: write_sets, check: check_set };

const ROOT_SEED: [u8; 32] = [0x31; 32];
const NEXT_SEED: [u8; 32] = [0x32; 32];
const ONLINE_SEED: [u8; 32] = [0x33; 32];
const NOW: Timestamp = Timestamp(1_800_000_000);

fn public(seed: &[u8; 32]) -> Fixed<32> {
    Fixed(SigningKey::from_bytes(seed).verifying_key().to_bytes())
}

fn statement() -> RootStatement {
    let next_root_hash = next_root_hash(&public(&NEXT_SEED).0);
    let root_key = public(&ROOT_SEED);
    RootStatement { version: VERSION, suite_floor: SUITE, root_key, next_root_hash, previous: None }
}

/// The statement behind it.
fn successor() -> RootStatement {
    let previous = Some(StatementHash::of_statement(&codec::encode(&statement())));
    RootStatement { root_key: public(&NEXT_SEED), previous, ..statement() }
}

fn identity() -> IdentityRecord {
    let relay = |host: &str, port| RelayAddress { host: host.into(), port, key_hash: RelayKeyHash(Fixed([0x34; 32])) };
    IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: SafePin::of_statement(&codec::encode(&statement())),
        epoch: 300,
        online_key: public(&ONLINE_SEED),
        audit_key: Fixed([0x35; 32]),
        inbox: InboxId(Fixed([0x36; 16])),
        relays: vec![relay("relay.example", 4433), relay("2001:db8::1", 443)],
        not_before: NOW,
        not_after: NOW.plus(IDENTITY_SECONDS),
    }
}

fn prekey(pipe_key_hash: Option<Fixed<32>>) -> PrekeyRecord {
    PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: identity().safe_pin,
        epoch: 300,
        id: PrekeyId(Fixed([0x37; 8])),
        key: Fixed([0x38; 1216]),
        pipe_key_hash,
        not_before: NOW,
        not_after: NOW.plus(PREKEY_SECONDS),
    }
}

fn good<T: Serialize>(name: &str, kind: RecordKind, record: &T, seed: &[u8; 32]) -> Case {
    let signed = Signed::sign(kind, record, &SigningKey::from_bytes(seed));
    Case::accept(name, "the seed is the signing key's secret half")
        .with("kind", kind_name(kind))
        .with("seed", hex(seed))
        .with("key", hex(&public(seed).0))
        .with("bytes", hex(&signed.bytes))
        .with("signature", hex(&signed.signature.0))
}

fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Root => "root",
        RecordKind::Identity => "identity",
        RecordKind::Prekey => "prekey",
    }
}

/// Bytes that are no record, rightly signed, so that nothing but the encoding is wrong.
fn signed_bytes(name: &str, comment: &str, kind: RecordKind, bytes: &[u8], seed: &[u8; 32]) -> Case {
    let signature = Signed::sign(kind, &Bytes(bytes), &SigningKey::from_bytes(seed)).signature;
    Case::reject(name, comment).with("bytes", hex(bytes)).with("signature", hex(&signature.0))
}

/// Bytes that are encoded as themselves.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

fn write_records() -> File {
    let root = codec::encode(&statement());
    let mut overlong = codec::encode(&identity());
    // The epoch, 300, stands behind version, suite and pin, in two bytes; here in three.
    overlong.splice(34..36, [0xac, 0x82, 0x00]);
    let trailing = [&root[..], &[0]].concat();
    let mut option = codec::encode(&prekey(None));
    let at = option.len() - 11;
    assert_eq!(option[at], 0);
    option[at] = 2;
    File::new(
        "signed records: root statement, identity record, prekey record",
        "section 7",
        "accept: the signature of the key holds over label and bytes, and the bytes are this record. reject: it does \
         not hold, or the bytes are not the one encoding of a record",
    )
    .case(good("root statement", RecordKind::Root, &statement(), &ROOT_SEED))
    .case(good("root statement of a successor", RecordKind::Root, &successor(), &NEXT_SEED))
    .case(good("identity record", RecordKind::Identity, &identity(), &ROOT_SEED))
    .case(good("prekey record", RecordKind::Prekey, &prekey(None), &ONLINE_SEED))
    .case(good("prekey record with a pipe key", RecordKind::Prekey, &prekey(Some(Fixed([0x39; 32]))), &ONLINE_SEED))
    .case(
        Case::reject("root statement as an identity record", "labels differ")
            .of("root statement")
            .with("kind", "identity"),
    )
    .case(Case::reject("identity record as a prekey record", "").of("identity record").with("kind", "prekey"))
    .case(Case::reject("root statement, a byte changed", "").of("root statement").flip("bytes", 40))
    .case(Case::reject("prekey record, a byte changed", "").of("prekey record").flip("bytes", 700))
    .case(Case::reject("identity record, signature changed", "").of("identity record").flip("signature", 10))
    .case(
        Case::reject("identity record, another key", "")
            .of("identity record")
            .with("key", hex(&public(&ONLINE_SEED).0)),
    )
    .case(
        signed_bytes("root statement with a byte behind it", "rightly signed", RecordKind::Root, &trailing, &ROOT_SEED)
            .of("root statement"),
    )
    .case(
        signed_bytes("root statement cut", "rightly signed", RecordKind::Root, &root[..66], &ROOT_SEED)
            .of("root statement"),
    )
    .case(
        signed_bytes(
            "identity record with an overlong epoch",
            "rightly signed",
            RecordKind::Identity,
            &overlong,
            &ROOT_SEED,
        )
        .of("identity record"),
    )
    .case(
        signed_bytes("prekey record with an option of 2", "rightly signed", RecordKind::Prekey, &option, &ONLINE_SEED)
            .of("prekey record"),
    )
}

fn check_record(input: &Fields) -> Outcome {
    let signed = Signed { bytes: input.bytes("bytes"), signature: Fixed(input.array("signature")) };
    let (key, seed) = (Fixed(input.array("key")), input.array("seed"));
    match input.text("kind").as_str() {
        "root" => read(RecordKind::Root, &signed, &key, &seed, describe_root),
        "identity" => read(RecordKind::Identity, &signed, &key, &seed, describe_identity),
        "prekey" => read(RecordKind::Prekey, &signed, &key, &seed, describe_prekey),
        other => panic!("no kind {other}"),
    }
}

fn read<T: Serialize + DeserializeOwned>(
    kind: RecordKind,
    signed: &Signed,
    key: &Fixed<32>,
    seed: &[u8; 32],
    describe: impl Fn(&T) -> Value,
) -> Outcome {
    signed.verify(kind, key).map_err(|_| "")?;
    let record: T = codec::decode(&signed.bytes).map_err(|_| "")?;
    assert_eq!(Signed::sign(kind, &record, &SigningKey::from_bytes(seed)), *signed);
    Ok(fields([("record", describe(&record))]))
}

fn describe_root(record: &RootStatement) -> Value {
    object([
        ("version", record.version.into()),
        ("suite_floor", record.suite_floor.into()),
        ("root_key", hex(&record.root_key.0)),
        ("next_root_hash", hex(&record.next_root_hash.0)),
        ("previous", hex_if_any(record.previous.as_ref().map(|hash| hash.0.as_ref()))),
        ("hash", hex(&StatementHash::of_statement(&codec::encode(record)).0.0)),
        ("pin", hex(&SafePin::of_statement(&codec::encode(record)).0.0)),
    ])
}

fn describe_identity(record: &IdentityRecord) -> Value {
    let relays: Vec<Value> = record.relays.iter().map(|relay| relay.to_string().into()).collect();
    object([
        ("version", record.version.into()),
        ("suite", record.suite.into()),
        ("safe_pin", hex(&record.safe_pin.0.0)),
        ("epoch", record.epoch.into()),
        ("online_key", hex(&record.online_key.0)),
        ("audit_key", hex(&record.audit_key.0)),
        ("inbox", hex(&record.inbox.0.0)),
        ("relays", relays.into()),
        ("not_before", digits(record.not_before.0)),
        ("not_after", digits(record.not_after.0)),
    ])
}

fn describe_prekey(record: &PrekeyRecord) -> Value {
    object([
        ("version", record.version.into()),
        ("suite", record.suite.into()),
        ("safe_pin", hex(&record.safe_pin.0.0)),
        ("epoch", record.epoch.into()),
        ("id", hex(&record.id.0.0)),
        ("key", hex(&record.key.0)),
        ("pipe_key_hash", hex_if_any(record.pipe_key_hash.as_ref().map(AsRef::as_ref))),
        ("not_before", digits(record.not_before.0)),
        ("not_after", digits(record.not_after.0)),
    ])
}

fn write_sets() -> File {
    let short = |byte| Signed { bytes: vec![byte; 3], signature: Fixed([byte; 64]) };
    let set = |roots: usize, prekeys: usize| {
        hex(&RecordSet { roots: vec![short(1); roots], identity: short(2), prekeys: vec![short(3); prekeys] }.encode())
    };
    File::new(
        "published record sets, their bounds alone; the records inside are no records",
        "section 7",
        "accept: the number of roots and prekeys. reject: malformed, without a root, or more than may be",
    )
    .case(Case::accept("the smallest", "").with("bytes", set(1, 0)))
    .case(
        Case::accept("the most of everything", "").with("bytes", set(limits::ROOT_STATEMENTS, limits::PREKEY_RECORDS)),
    )
    .case(Case::reject("no root", "").with("bytes", set(0, 1)))
    .case(Case::reject("a root too many", "").with("bytes", set(limits::ROOT_STATEMENTS + 1, 0)))
    .case(Case::reject("a prekey too many", "").with("bytes", set(1, limits::PREKEY_RECORDS + 1)))
    .case(Case::reject("a byte behind it", "").of("the smallest").append("bytes", &[0]))
    .case(Case::reject("cut", "").of("the smallest").cut("bytes", 100))
    .case(Case::reject("nothing", "").with("bytes", ""))
}

fn check_set(input: &Fields) -> Outcome {
    let set = RecordSet::decode(&input.bytes("bytes")).map_err(|_| "")?;
    assert_eq!(set.encode(), input.bytes("bytes"));
    Ok(fields([("roots", set.roots.len().into()), ("prekeys", set.prekeys.len().into())]))
}
