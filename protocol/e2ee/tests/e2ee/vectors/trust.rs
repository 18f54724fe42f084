//! Verdicts over published records, each class of refusal among them.

use rohrpost_e2ee::keys::{SealingKey, SealingSecret, SigningSecret};
use rohrpost_e2ee::trust::{Known, TrustError, verify};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{
    IDENTITY_SECONDS, IdentityRecord, PREKEY_EARLY_SECONDS, PREKEY_LATE_SECONDS, PREKEY_SECONDS, PrekeyId,
    PrekeyRecord, RecordKind, RecordSet, RootChain, RootStatement, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SUITE, SafePin, Timestamp, VERSION};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};
use super::reference::bytes;

pub(super) const VECTORS: Vectors = Vectors { name: "trust.json", write, check };

const NOW: Timestamp = Timestamp(1_800_000_000);
const ROOT: u8 = 71;
const NEXT_ROOT: u8 = 72;
const ONLINE: u8 = 73;

fn key(number: u8) -> SigningSecret {
    SigningSecret::from_bytes(&bytes(number))
}

fn root(number: u8, next: u8) -> RootStatement {
    let next_root_hash = next_root_hash(&key(next).public().0);
    let root_key = key(number).public();
    RootStatement { version: VERSION, suite_floor: SUITE, root_key, next_root_hash, previous: None }
}

/// The statement that stands behind the first.
fn successor(number: u8, next: u8) -> RootStatement {
    RootStatement { previous: Some(first_hash()), ..root(number, next) }
}

fn first() -> Signed {
    sign_root(&root(ROOT, NEXT_ROOT), ROOT)
}

fn first_hash() -> StatementHash {
    StatementHash::of_statement(&first().bytes)
}

fn sign_root(statement: &RootStatement, number: u8) -> Signed {
    Signed::sign(RecordKind::Root, statement, key(number).signer())
}

fn pin() -> SafePin {
    SafePin::of_statement(&first().bytes)
}

fn relay(host: &str) -> RelayAddress {
    RelayAddress { host: host.into(), port: 4433, key_hash: RelayKeyHash(Fixed([0x74; 32])) }
}

fn identity() -> IdentityRecord {
    IdentityRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin(),
        epoch: 2,
        online_key: key(ONLINE).public(),
        audit_key: key(74).public(),
        inbox: InboxId(Fixed([0x75; 16])),
        relays: vec![relay("relay.example")],
        not_before: NOW,
        not_after: NOW.plus(IDENTITY_SECONDS),
    }
}

fn sealing_key() -> SealingKey {
    SealingSecret::from_bytes(bytes(75)).public()
}

fn prekey(id: u8, not_before: Timestamp) -> PrekeyRecord {
    PrekeyRecord {
        version: VERSION,
        suite: SUITE,
        safe_pin: pin(),
        epoch: 2,
        id: PrekeyId(Fixed([id; 8])),
        key: sealing_key(),
        pipe_key_hash: None,
        not_before,
        not_after: not_before.plus(PREKEY_SECONDS),
    }
}

fn set(identity: &IdentityRecord, prekeys: &[PrekeyRecord]) -> RecordSet {
    RecordSet {
        roots: vec![first()],
        identity: Signed::sign(RecordKind::Identity, identity, key(ROOT).signer()),
        prekeys: prekeys.iter().map(|one| Signed::sign(RecordKind::Prekey, one, key(ONLINE).signer())).collect(),
    }
}

fn with_identity(change: impl FnOnce(&mut IdentityRecord)) -> Value {
    let mut changed = identity();
    change(&mut changed);
    hex(&set(&changed, &[prekey(1, NOW)]).encode())
}

fn with_prekey(change: impl FnOnce(&mut PrekeyRecord)) -> Value {
    let mut changed = prekey(1, NOW);
    change(&mut changed);
    hex(&set(&identity(), &[changed]).encode())
}

fn with_set(change: impl FnOnce(&mut RecordSet)) -> Value {
    let mut changed = set(&identity(), &[prekey(1, NOW)]);
    change(&mut changed);
    hex(&changed.encode())
}

fn prekey_by_root() -> Value {
    with_set(|set| set.prekeys = vec![Signed::sign(RecordKind::Prekey, &prekey(1, NOW), key(ROOT).signer())])
}

/// A set whose identity record is signed by the successor, which `statement` says it is.
fn succeeded(statement: &RootStatement, number: u8) -> Value {
    with_set(|set| {
        set.roots.push(sign_root(statement, number));
        set.identity = Signed::sign(RecordKind::Identity, &identity(), key(number).signer());
    })
}

fn second_hash(next: u8) -> StatementHash {
    StatementHash::of_statement(&sign_root(&successor(NEXT_ROOT, next), NEXT_ROOT).bytes)
}

fn write() -> File {
    let file = File::new(
        "verdicts over published records, for a client that knows pin, epoch, root chain (its length and the hash of its \
         last statement) and the beginning of the newest identity record, at `now`",
        "section 7",
        "accept: what is to be remembered, and the prekey to seal to. reject: the class, for the client's own use; no \
         relay hears it",
    )
    .common("pin", hex(&pin().0.0))
    .common("epoch", 2)
    .common("roots", 1)
    .common("last_root", hex(&first_hash().0.0))
    .common("identity_from", digits(0))
    .common("now", digits(NOW.0));
    refused_times(refused_records(accepted(file)))
}

fn accepted(file: File) -> File {
    let three = [prekey(1, NOW.minus(PREKEY_SECONDS + 1)), prekey(2, NOW.minus(60)), prekey(3, NOW.plus(60))];
    file.case(Case::accept("good", "").with("records", with_set(|_| ())))
        .case(Case::accept("a known epoch that is lower", "").of("good").with("epoch", 1))
        .case(
            Case::accept("the prekey whose time it is", "the one before has ended, the next has not begun")
                .with("records", hex(&set(&identity(), &three).encode())),
        )
        .case(
            Case::accept("the successor that was committed to", "")
                .with("records", succeeded(&successor(NEXT_ROOT, 79), NEXT_ROOT)),
        )
        .case(
            Case::accept("a chain that is known", "")
                .of("the successor that was committed to")
                .with("roots", 2)
                .with("last_root", hex(&second_hash(79).0.0)),
        )
        .case(Case::accept("the record that is known", "").of("good").with("identity_from", digits(NOW.0)))
        .case(
            Case::accept("an earlier record of a later epoch", "")
                .of("good")
                .with("epoch", 1)
                .with("identity_from", digits(NOW.0 + 1)),
        )
        .case(at(Case::accept("an hour early", "both records"), NOW.minus(PREKEY_EARLY_SECONDS)))
        .case(at(Case::accept("a day late", "the prekey"), NOW.plus(PREKEY_SECONDS + PREKEY_LATE_SECONDS)))
}

fn at(case: Case, now: Timestamp) -> Case {
    case.of("good").with("now", digits(now.0))
}

fn refused_records(file: File) -> File {
    let no = |name: &str, reason: &str, records: Value| Case::refuse(name, "", reason).with("records", records);
    let of = |name: &str, reason: &str| Case::refuse(name, "", reason).of("good");
    let floor = |number, floor| RootStatement { suite_floor: floor, ..successor(number, 79) };
    file.case(of("another safe", "not this safe").flip("pin", 0))
        .case(no(
            "an identity signed by the online key",
            "not this safe",
            with_set(|set| {
                set.identity = Signed::sign(RecordKind::Identity, &identity(), key(ONLINE).signer());
            }),
        ))
        .case(no("a prekey signed by the root key", "not this safe", prekey_by_root()))
        .case(no(
            "a root statement not signed",
            "not this safe",
            with_set(|set| {
                set.roots[0].signature = Fixed([0; 64]);
            }),
        ))
        .case(no("an identity of another safe", "not this safe", with_identity(|i| i.safe_pin.0.0[0] ^= 1)))
        .case(no("a prekey of another safe", "not this safe", with_prekey(|p| p.safe_pin.0.0[0] ^= 1)))
        .case(no("a successor nobody committed to", "not this safe", succeeded(&successor(78, 79), 78)))
        .case(no("a successor that names no predecessor", "not this safe", succeeded(&root(NEXT_ROOT, 79), NEXT_ROOT)))
        .case(no(
            "a successor that names another predecessor",
            "not this safe",
            succeeded(&RootStatement { previous: Some(second_hash(79)), ..root(NEXT_ROOT, 79) }, NEXT_ROOT),
        ))
        .case(
            Case::refuse(
                "another statement of a retired root key",
                "of the same length as the known chain",
                "not this safe",
            )
            .with("records", succeeded(&successor(NEXT_ROOT, 79), NEXT_ROOT))
            .with("roots", 2)
            .with("last_root", hex(&second_hash(80).0.0)),
        )
        .case(of("another first statement than the known one", "not this safe").flip("last_root", 0))
        .case(
            of("a record older than the known one of its epoch", "rolled back")
                .with("identity_from", digits(NOW.0 + 1)),
        )
        .case(of("an epoch below the known one", "rolled back").with("epoch", 3))
        .case(of("a chain shorter than the known one", "rolled back").with("roots", 2))
        .case(no("a prekey of an earlier epoch", "rolled back", with_prekey(|p| p.epoch = 1)))
        .case(no("a successor with a lower floor", "rolled back", succeeded(&floor(NEXT_ROOT, 0), NEXT_ROOT)))
        .case(no("a successor with a floor not known", "unsupported", succeeded(&floor(NEXT_ROOT, 2), NEXT_ROOT)))
        .case(no("an identity of version 2", "unsupported", with_identity(|i| i.version = 2)))
        .case(no("an identity of suite 2", "unsupported", with_identity(|i| i.suite = 2)))
        .case(no("an identity of suite 0", "unsupported", with_identity(|i| i.suite = 0)))
        .case(no("a prekey of version 0", "unsupported", with_prekey(|p| p.version = 0)))
        .case(no("a prekey of suite 2", "unsupported", with_prekey(|p| p.suite = 2)))
        .case(no("no relay", "malformed", with_identity(|i| i.relays = vec![])))
        .case(no("five relays", "malformed", with_identity(|i| i.relays = vec![relay("relay.example"); 5])))
        .case(no("a relay with a space in its name", "malformed", with_identity(|i| i.relays = vec![relay("a b")])))
        .case(no(
            "an identity that is none",
            "malformed",
            with_set(|set| {
                set.identity = Signed::sign(RecordKind::Identity, &7u32, key(ROOT).signer());
            }),
        ))
        .case(no(
            "a prekey that is none",
            "malformed",
            with_set(|set| {
                set.prekeys = vec![Signed::sign(RecordKind::Prekey, &7u32, key(ONLINE).signer())];
            }),
        ))
        .case(Case::refuse("a set cut", "", "malformed").of("good").cut("records", 1500))
}

fn refused_times(file: File) -> File {
    let early = NOW.minus(PREKEY_EARLY_SECONDS + 1);
    let after = NOW.plus(PREKEY_SECONDS + PREKEY_LATE_SECONDS + 1);
    let ended = NOW.plus(IDENTITY_SECONDS + 1);
    let no = |name: &str, reason: &str, now| at(Case::refuse(name, "", reason), now);
    file.case(no("more than an hour early", "outdated", early))
        .case(no("after the identity's end", "outdated", ended))
        .case(
            Case::refuse("after the identity's end, a prekey of another key", "", "not this safe")
                .with("records", prekey_by_root())
                .with("now", digits(ended.0)),
        )
        .case(no("more than a day after the prekey's end", "no prekey", after))
        .case(Case::refuse("no prekeys at all", "", "no prekey").with("records", hex(&set(&identity(), &[]).encode())))
}

fn check(input: &Fields) -> Outcome {
    let known = Known {
        pin: SafePin(Fixed(input.array("pin"))),
        epoch: input.number("epoch").try_into().unwrap(),
        chain: RootChain {
            length: input.number("roots").try_into().unwrap(),
            newest: StatementHash(Fixed(input.array("last_root"))),
        },
        identity_from: Timestamp(input.number("identity_from")),
    };
    let records = RecordSet::decode(&input.bytes("records")).map_err(|_| "malformed")?;
    let safe = verify(&records, &known, Timestamp(input.number("now"))).map_err(reason)?;
    assert_eq!(*safe.prekey(), sealing_key());
    let relays: Vec<Value> = safe.relays().iter().map(|relay| relay.to_string().into()).collect();
    Ok(fields([
        ("epoch", safe.known().epoch.into()),
        ("roots", safe.known().chain.length.into()),
        ("last_root", hex(&safe.known().chain.newest.0.0)),
        ("identity_from", digits(safe.known().identity_from.0)),
        ("inbox", hex(&safe.inbox().0.0)),
        ("relays", relays.into()),
        ("identity_until", digits(safe.identity_until().0)),
        ("prekey_id", hex(&safe.prekey_id().0.0)),
        ("prekey_until", digits(safe.prekey_until().0)),
    ]))
}

fn reason(error: TrustError) -> &'static str {
    match error {
        TrustError::Malformed => "malformed",
        TrustError::NotThisSafe => "not this safe",
        TrustError::RolledBack => "rolled back",
        TrustError::Unsupported => "unsupported",
        TrustError::Outdated => "outdated",
        TrustError::NoPrekey => "no prekey",
    }
}
