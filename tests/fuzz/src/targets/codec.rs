//! The one encoding, for every type that is encoded with it: on the wire, inside a seal, in a row or in a file.

use rohrpost_e2ee::body::{
    Authentication, DocumentEntry, DocumentPage, Enrolled, Manifest, Operation, Payload, Pin, Reply, RequestBody,
    SafeStatus, Status, TransferKey, Who,
};
use rohrpost_e2ee::trust::Known;
use rohrpost_e2ee::window::SequenceWindow;
use rohrpost_e2ee::{DeviceId, DocumentId, LinkId, RequestId, VersionHash};
use rohrpost_patient::account::{self, Account, Owner, Pending};
use rohrpost_patient::partial::Kept;
use rohrpost_patient::sequence::Sequence;
use rohrpost_safe_agent::audit::{Action, Actor, Decision, Event, Leaf, Refusal};
use rohrpost_safe_agent::rows::{
    Attempt, AuditHead, DeviceRow, DocumentRow, GrantRow, IdentityRow, LinkRow, LoginCounter, OutcomeRow, PatientId,
    PatientRow, PracticeRow, PrekeyRow, Rights, SeenRow, SequenceRow,
};
use rohrpost_wire::frame::{
    Ack, AckIds, Call, Delivery, Deposit, Destination, Fetch, Incoming, Login, MailboxProof, TtlClass,
};
use rohrpost_wire::proof::Challenge;
use rohrpost_wire::records::{
    IdentityRecord, PrekeyId, PrekeyRecord, RecordSet, RootChain, RootStatement, Signed, StatementHash,
};
use rohrpost_wire::{EnvelopeId, InboxId, MailboxId, RelayAddress, RelayKeyHash, SafePin, TicketId, Timestamp, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::samples;
use crate::memory::bounded;
use crate::target::Verdict;

/// A type that is encoded, by its name, and the promise for it.
type Kind = (&'static str, fn(&[u8]) -> bool);

/// Every type of the project that is decoded with the one encoding.
pub const KINDS: &[Kind] = &[
    ("Account", whole::<Account>),
    ("Ack", whole::<Ack>),
    ("AckIds", whole::<AckIds>),
    ("Action", whole::<Action>),
    ("Actor", whole::<Actor>),
    ("Attempt", whole::<Attempt>),
    ("AuditHead", whole::<AuditHead>),
    ("Authentication", whole::<Authentication>),
    ("Call", whole::<Call>),
    ("Challenge", whole::<Challenge>),
    ("Decision", whole::<Decision>),
    ("Delivery", whole::<Delivery>),
    ("Deposit", whole::<Deposit>),
    ("Destination", whole::<Destination>),
    ("DeviceId", whole::<DeviceId>),
    ("DeviceRow", whole::<DeviceRow>),
    ("DocumentEntry", whole::<DocumentEntry>),
    ("DocumentId", whole::<DocumentId>),
    ("DocumentPage", whole::<DocumentPage>),
    ("DocumentRow", whole::<DocumentRow>),
    ("Enrolled", whole::<Enrolled>),
    ("EnvelopeId", whole::<EnvelopeId>),
    ("Event", whole::<Event>),
    ("Fetch", whole::<Fetch>),
    ("GrantRow", whole::<GrantRow>),
    ("IdentityRecord", whole::<IdentityRecord>),
    ("IdentityRow", whole::<IdentityRow>),
    ("InboxId", whole::<InboxId>),
    ("Incoming", whole::<Incoming>),
    ("Kept", whole::<Kept>),
    ("Known", whole::<Known>),
    ("Leaf", whole::<Leaf>),
    ("LinkId", whole::<LinkId>),
    ("LinkRow", whole::<LinkRow>),
    ("Login", whole::<Login>),
    ("LoginCounter", whole::<LoginCounter>),
    ("MailboxId", whole::<MailboxId>),
    ("MailboxProof", whole::<MailboxProof>),
    ("Manifest", whole::<Manifest>),
    ("Operation", whole::<Operation>),
    ("OutcomeRow", whole::<OutcomeRow>),
    ("Owner", whole::<Owner>),
    ("PatientId", whole::<PatientId>),
    ("PatientRow", whole::<PatientRow>),
    ("Payload", whole::<Payload>),
    ("Pending", whole::<Pending>),
    ("Pin", whole::<Pin>),
    ("PracticeRow", whole::<PracticeRow>),
    ("PrekeyId", whole::<PrekeyId>),
    ("PrekeyRecord", whole::<PrekeyRecord>),
    ("PrekeyRow", whole::<PrekeyRow>),
    ("RecordSet", whole::<RecordSet>),
    ("Refusal", whole::<Refusal>),
    ("RelayAddress", whole::<RelayAddress>),
    ("RelayKeyHash", whole::<RelayKeyHash>),
    ("Reply", whole::<Reply>),
    ("RequestBody", whole::<RequestBody>),
    ("RequestId", whole::<RequestId>),
    ("Rights", whole::<Rights>),
    ("RootChain", whole::<RootChain>),
    ("RootStatement", whole::<RootStatement>),
    ("Safe", whole::<account::Safe>),
    ("SafePin", whole::<SafePin>),
    ("SafeStatus", whole::<SafeStatus>),
    ("SeenRow", whole::<SeenRow>),
    ("Sequence", whole::<Sequence>),
    ("SequenceRow", whole::<SequenceRow>),
    ("SequenceWindow", whole::<SequenceWindow>),
    ("Signed", whole::<Signed>),
    ("StatementHash", whole::<StatementHash>),
    ("Status", whole::<Status>),
    ("TicketId", whole::<TicketId>),
    ("Timestamp", whole::<Timestamp>),
    ("TransferKey", whole::<TransferKey>),
    ("TtlClass", whole::<TtlClass>),
    ("VersionHash", whole::<VersionHash>),
    ("Who", whole::<Who>),
];

/// The bytes are taken for each type in turn: a corpus needs no word on which type it is for.
pub(super) fn codec(bytes: &[u8]) -> Verdict {
    let taken = KINDS.iter().filter(|(_, whole)| whole(bytes)).count();
    Verdict::taken(taken > 0)
}

/// A value has one encoding, both decoders agree on it, and neither takes memory for what is not there.
fn whole<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    let decoded = bounded(bytes.len(), || codec::decode::<T>(bytes)).ok();
    let front = bounded(bytes.len(), || codec::decode_prefix::<T>(bytes)).ok();
    if let Some(value) = &decoded {
        assert_eq!(codec::encode(value), bytes, "a value has two encodings");
        assert_eq!(*codec::encode_secret(value), bytes, "a secret is encoded otherwise");
    }
    if let Some((value, rest)) = &front {
        assert_eq!([&codec::encode(value), *rest].concat(), bytes, "a value in front has two encodings");
    }
    let alone = front.is_some_and(|(_, rest)| rest.is_empty());
    assert_eq!(decoded.is_some(), alone, "the decoders differ");
    alone
}

pub(super) fn codec_seeds() -> Vec<Vec<u8>> {
    let mut seeds = samples::bodies();
    seeds.extend(super::frames::frame_seeds().into_iter().map(|mut frame| frame.split_off(2)));
    seeds.extend(samples::published().iter().map(RecordSet::encode));
    seeds.push(codec::encode(&samples::account()));
    seeds.push(codec::encode(&samples::pending()));
    seeds
}
