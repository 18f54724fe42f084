//! Frames, their length fields, and the ids of deposited envelopes.

use rohrpost_wire::address::{EnvelopeId, InboxId, MailboxId, TicketId};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{
    self, Ack, AckIds, Call, Delivery, Deposit, Destination, Fetch, FrameError, Incoming, Login, MailboxProof, TtlClass,
};
use rohrpost_wire::proof::Challenge;
use rohrpost_wire::{ErrorCode, Frame, codec, limits};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex, hex_if_any, object};

pub(super) const VECTORS: Vectors = Vectors { name: "frames.json", write: write_frames, check: check_frame };
pub(super) const LENGTHS: Vectors = Vectors { name: "lengths.json", write: write_lengths, check: check_length };
pub(super) const ENVELOPE_IDS: Vectors = Vectors { name: "envelope-ids.json", write: write_ids, check: check_id };

fn reason(error: FrameError) -> &'static str {
    match error {
        FrameError::Malformed => "malformed",
        FrameError::TooLarge => "too large",
        FrameError::UnknownNumber => "unknown number",
        FrameError::UnknownCode => "unknown code",
    }
}

/// Reads a whole frame: length field, number, body, and nothing behind.
fn check_frame(input: &Fields) -> Outcome {
    let bytes = input.bytes("bytes");
    let (field, rest) = bytes.split_first_chunk::<4>().ok_or("malformed")?;
    let length = frame::frame_length(*field).map_err(reason)?;
    if length != rest.len() {
        return Err("malformed");
    }
    let frame = Frame::decode(rest).map_err(reason)?;
    assert_eq!(frame.encode(), bytes);
    let (name, body) = describe(&frame);
    Ok(fields([("number", frame.number().into()), ("frame", name.into()), ("body", body)]))
}

fn describe(frame: &Frame) -> (&'static str, Value) {
    match frame {
        Frame::Login(login) => ("login", describe_login(login)),
        Frame::Publish => ("publish", Value::Null),
        Frame::Records(inbox) => ("records", object([("inbox", hex(&inbox.0.0))])),
        Frame::Call(call) => ("call", object([("to", hex(&call.to.0.0)), ("ticket", ticket(call.ticket))])),
        Frame::Deposit(deposit) => ("deposit", describe_deposit(deposit)),
        Frame::Fetch(Fetch::Inbox { wait }) => ("fetch", object([("inbox", object([("wait", (*wait).into())]))])),
        Frame::Fetch(Fetch::Mailbox(proof)) => ("fetch", object([("mailbox", describe_proof(proof))])),
        Frame::Ack(ack) => ("ack", describe_ack(ack)),
        Frame::Challenge => ("challenge", Value::Null),
        Frame::Refused(code) => ("refused", object([("code", code.number().into())])),
        Frame::Done => ("done", Value::Null),
        Frame::Queued(id) => ("queued", object([("id", hex(&id.0.0))])),
        Frame::Delivery(delivery) => ("delivery", describe_delivery(delivery)),
        Frame::Drained => ("drained", Value::Null),
        Frame::Challenged(challenge) => ("challenged", object([("challenge", hex(&challenge.0.0))])),
        Frame::Incoming(incoming) => ("incoming", object([("ticket", ticket(incoming.ticket))])),
    }
}

fn describe_login(login: &Login) -> Value {
    object([
        ("route_key", hex(&login.route_key.0)),
        ("counter", digits(login.counter)),
        ("signature", hex(&login.signature.0)),
    ])
}

fn describe_deposit(deposit: &Deposit) -> Value {
    let to = match deposit.to {
        Destination::Inbox(id) => object([("inbox", hex(&id.0.0))]),
        Destination::Mailbox(id) => object([("mailbox", hex(&id.0.0))]),
    };
    object([
        ("to", to),
        ("ticket", ticket(deposit.ticket)),
        ("ttl", (deposit.ttl as u8).into()),
        ("reply_mailbox", key(deposit.reply_mailbox)),
    ])
}

fn describe_proof(proof: &MailboxProof) -> Value {
    object([("mailbox_key", hex(&proof.mailbox_key.0)), ("signature", hex(&proof.signature.0))])
}

fn describe_ack(ack: &Ack) -> Value {
    let ids: Vec<Value> = ack.ids.iter().map(|id| hex(&id.0.0)).collect();
    object([("mailbox", ack.mailbox.as_ref().map_or(Value::Null, describe_proof)), ("ids", ids.into())])
}

fn describe_delivery(delivery: &Delivery) -> Value {
    object([
        ("id", hex(&delivery.id.0.0)),
        ("ttl", (delivery.ttl as u8).into()),
        ("reply_mailbox", key(delivery.reply_mailbox)),
    ])
}

fn ticket(ticket: Option<TicketId>) -> Value {
    hex_if_any(ticket.as_ref().map(|ticket| ticket.0.as_ref()))
}

fn key(key: Option<Fixed<32>>) -> Value {
    hex_if_any(key.as_ref().map(AsRef::as_ref))
}

const INBOX: InboxId = InboxId(Fixed([0x11; 16]));
const MAILBOX: MailboxId = MailboxId(Fixed([0x12; 16]));
const TICKET: TicketId = TicketId(Fixed([0x13; 16]));
const KEY: Fixed<32> = Fixed([0x14; 32]);
const ID: EnvelopeId = EnvelopeId(Fixed([0x15; 32]));

fn proof() -> MailboxProof {
    MailboxProof { mailbox_key: KEY, signature: Fixed([0x16; 64]) }
}

fn deposit(to: Destination, ticket: Option<TicketId>, ttl: TtlClass, reply_mailbox: Option<Fixed<32>>) -> Frame {
    Frame::Deposit(Deposit { to, ticket, ttl, reply_mailbox })
}

fn good_frames() -> Vec<(&'static str, &'static str, Frame)> {
    let login = |counter| Frame::Login(Login { route_key: KEY, counter, signature: Fixed([0x16; 64]) });
    vec![
        ("login", "the counter is a varint", login(300)),
        ("login with the highest counter", "a varint of ten bytes", login(u64::MAX)),
        ("publish", "a frame without a body", Frame::Publish),
        ("records", "", Frame::Records(INBOX)),
        ("call", "no ticket: the option is one zero byte", Frame::Call(Call { to: INBOX, ticket: None })),
        ("call with a ticket", "reserved, carried", Frame::Call(Call { to: INBOX, ticket: Some(TICKET) })),
        (
            "deposit to an inbox",
            "with a reply mailbox",
            deposit(Destination::Inbox(INBOX), None, TtlClass::Week, Some(KEY)),
        ),
        (
            "deposit to a mailbox",
            "as a safe answers",
            deposit(Destination::Mailbox(MAILBOX), None, TtlClass::Fortnight, None),
        ),
        (
            "deposit with a ticket",
            "reserved, carried",
            deposit(Destination::Inbox(INBOX), Some(TICKET), TtlClass::Day, None),
        ),
        ("fetch of an inbox", "at once", Frame::Fetch(Fetch::Inbox { wait: false })),
        ("fetch of an inbox that waits", "", Frame::Fetch(Fetch::Inbox { wait: true })),
        ("fetch of a mailbox", "with a proof", Frame::Fetch(Fetch::Mailbox(proof()))),
        (
            "ack of an inbox",
            "two ids",
            Frame::Ack(Ack { mailbox: None, ids: vec![ID, EnvelopeId(KEY)].try_into().unwrap() }),
        ),
        (
            "ack of a mailbox",
            "with a proof",
            Frame::Ack(Ack { mailbox: Some(proof()), ids: vec![ID].try_into().unwrap() }),
        ),
        ("ack of nothing", "no ids", Frame::Ack(Ack { mailbox: None, ids: AckIds::default() })),
        ("challenge", "", Frame::Challenge),
        ("refused", "a reason by its number", Frame::Refused(ErrorCode::Away)),
        ("done", "", Frame::Done),
        ("queued", "", Frame::Queued(ID)),
        (
            "delivery of a request",
            "with the mailbox for its answer",
            Frame::Delivery(Delivery { id: ID, ttl: TtlClass::Fortnight, reply_mailbox: Some(KEY) }),
        ),
        ("delivery of a reply", "", Frame::Delivery(Delivery { id: ID, ttl: TtlClass::Day, reply_mailbox: None })),
        ("drained", "", Frame::Drained),
        ("challenged", "", Frame::Challenged(Challenge(KEY))),
        ("incoming", "", Frame::Incoming(Incoming { ticket: None })),
        ("incoming with a ticket", "reserved, carried", Frame::Incoming(Incoming { ticket: Some(TICKET) })),
    ]
}

/// A frame from its number and body, its length field right.
fn raw(number: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 2).unwrap();
    [&length.to_be_bytes()[..], &number.to_be_bytes(), body].concat()
}

fn write_frames() -> File {
    let mut file = File::new(
        "frames: length (4, big-endian), number (2, big-endian), body",
        "section 4",
        "accept: the bytes are this frame, and this frame has these bytes and no others. reject: the class is what a \
         relay answers (malformed and too large: codes 1 and 2, unknown number or code: 3)",
    );
    for (name, comment, frame) in good_frames() {
        file = file.case(Case::accept(name, comment).with("bytes", hex(&frame.encode())));
    }
    for (name, _, frame) in good_frames() {
        let body = &frame.encode()[6..];
        let number = frame.number();
        if !body.is_empty() {
            let cut = raw(number, &body[..body.len() - 1]);
            let name = format!("{name}, its last byte missing");
            file = file.case(Case::refuse(&name, "length field right", "malformed").with("bytes", hex(&cut)));
        }
        let longer = raw(number, &[body, &[0]].concat());
        let name = format!("{name}, a byte behind it");
        file = file.case(Case::refuse(&name, "length field right", "malformed").with("bytes", hex(&longer)));
    }
    for (name, comment, class, bytes) in bad_frames() {
        file = file.case(Case::refuse(name, comment, class).with("bytes", hex(&bytes)));
    }
    file
}

fn bad_frames() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    let inbox = [0x11; 16];
    let overlong = [&[0x14; 32][..], &[0xac, 0x82, 0x00], &[0x16; 64]].concat();
    let overflow = [&[0x14; 32][..], &[0xff; 9], &[0x02], &[0x16; 64]].concat();
    vec![
        ("empty", "no number", "malformed", vec![0, 0, 0, 0]),
        ("half a number", "", "malformed", vec![0, 0, 0, 1, 0]),
        ("number 0", "never given", "unknown number", raw(0, &[])),
        ("number 9", "reserved for `pipe`", "unknown number", raw(9, &[])),
        ("number 10", "reserved for `tickets`", "unknown number", raw(10, &[])),
        ("number 11", "reserved for `withdraw tickets`", "unknown number", raw(11, &[])),
        ("number 12", "reserved for `relay key change`", "unknown number", raw(12, &[])),
        ("number 31", "between the two halves", "unknown number", raw(31, &[])),
        ("number 39", "after the last", "unknown number", raw(39, &[])),
        ("number 65535", "the highest", "unknown number", raw(65_535, &[])),
        ("login with an overlong counter", "300 in three bytes", "malformed", raw(1, &overlong)),
        ("login with a counter beyond 64 bits", "", "malformed", raw(1, &overflow)),
        ("call with an option of 2", "an option is 0 or 1", "malformed", raw(4, &[&inbox[..], &[2]].concat())),
        ("call without its option", "", "malformed", raw(4, &inbox)),
        (
            "deposit to a third kind",
            "0 inbox, 1 mailbox",
            "malformed",
            raw(5, &[&[2][..], &inbox, &[0, 0, 0]].concat()),
        ),
        ("deposit of a fourth class", "0, 1, 2", "malformed", raw(5, &[&[0][..], &inbox, &[0, 3, 0]].concat())),
        ("deposit with an overlong class", "", "malformed", raw(5, &[&[0][..], &inbox, &[0, 0x81, 0, 0]].concat())),
        ("fetch with a flag of 2", "a flag is 0 or 1", "malformed", raw(6, &[0, 2])),
        ("fetch of a third kind", "", "malformed", raw(6, &[2, 0])),
        ("ack of more ids than there are bytes", "nothing is allocated", "malformed", raw(7, &[0, 0xff, 0xff, 0x03])),
        (
            "ack of 257 ids",
            "one more than may be",
            "malformed",
            raw(7, &[&[0, 0x81, 0x02][..], &[0x17; 257 * 32]].concat()),
        ),
        ("refused for reason 17", "no such code", "unknown code", raw(32, &[17])),
        ("refused for reason 65535", "no such code", "unknown code", raw(32, &[0xff, 0xff, 0x03])),
        ("refused for an overlong reason", "", "malformed", raw(32, &[0x88, 0x00])),
        ("refused for a reason beyond 16 bits", "", "malformed", raw(32, &[0xff, 0xff, 0x07])),
        ("longer than a frame may be", "16,385; refused by the field alone", "too large", vec![0, 0, 0x40, 1]),
        ("longest length field", "", "too large", vec![0xff; 4]),
        ("shorter than its length field", "done, one byte promised too many", "malformed", vec![0, 0, 0, 3, 0, 33]),
        ("longer than its length field", "done, and a byte", "malformed", vec![0, 0, 0, 2, 0, 33, 0]),
    ]
}

fn write_lengths() -> File {
    let case = |name: &str, field: u32, limit: usize| {
        let case = if u64::from(field) <= limit as u64 {
            Case::accept(name, "")
        } else {
            Case::refuse(name, "nothing is allocated", "too large")
        };
        case.with("field", hex(&field.to_be_bytes())).with("limit", limit)
    };
    File::new(
        "length fields of frames and blobs: 4 bytes, big-endian, against the limit of what is expected",
        "section 4",
        "accept: the length. reject: too large, before anything is read or allocated",
    )
    .case(case("an empty blob", 0, limits::ENVELOPE_BYTES))
    .case(case("the longest frame", 16_384, limits::FRAME_BYTES))
    .case(case("one byte beyond a frame", 16_385, limits::FRAME_BYTES))
    .case(case("the longest envelope", 1_050_624, limits::ENVELOPE_BYTES))
    .case(case("one byte beyond an envelope", 1_050_625, limits::ENVELOPE_BYTES))
    .case(case("the longest record set", 65_536, limits::RECORDS_BYTES))
    .case(case("one byte beyond a record set", 65_537, limits::RECORDS_BYTES))
    .case(case("the longest field", u32::MAX, limits::ENVELOPE_BYTES))
}

fn check_length(input: &Fields) -> Outcome {
    let limit = usize::try_from(input.number("limit")).unwrap();
    let length = frame::blob_length(input.array("field"), limit).map_err(reason)?;
    Ok(fields([("length", length.into())]))
}

fn write_ids() -> File {
    let inbox = object([("inbox", hex(&INBOX.0.0))]);
    let mailbox = object([("mailbox", hex(&INBOX.0.0))]);
    File::new(
        "envelope ids: the hash of what a relay is given of a deposit, but for the ticket",
        "section 4",
        "accept: the header that is hashed and the id. reject: no such class",
    )
    .common("envelope", hex(b"sealed bytes"))
    .case(
        Case::accept("to an inbox", "")
            .with("to", inbox)
            .with("ttl", 0)
            .with("reply_mailbox", Value::Null)
            .with("ticket", Value::Null),
    )
    .case(Case::accept("with a ticket", "the same id").of("to an inbox").with("ticket", hex(&TICKET.0.0)))
    .case(Case::accept("to a mailbox of the same bytes", "another id").of("to an inbox").with("to", mailbox))
    .case(Case::accept("of another class", "another id").of("to an inbox").with("ttl", 2))
    .case(Case::accept("with a reply mailbox", "another id").of("to an inbox").with("reply_mailbox", hex(&KEY.0)))
    .case(Case::reject("of a fourth class", "").of("to an inbox").with("ttl", 3))
    .case(Case::accept("of other bytes", "another id").of("to an inbox").flip("envelope", 0))
    .case(Case::accept("of no bytes", "").of("to an inbox").with("envelope", ""))
}

fn check_id(input: &Fields) -> Outcome {
    let to = input.inner("to").unwrap();
    let to = match to.array_if_any("inbox") {
        Some(id) => Destination::Inbox(InboxId(Fixed(id))),
        None => Destination::Mailbox(MailboxId(Fixed(to.array("mailbox")))),
    };
    let classes = [TtlClass::Day, TtlClass::Week, TtlClass::Fortnight];
    let ttl = *usize::try_from(input.number("ttl")).ok().and_then(|class| classes.get(class)).ok_or("")?;
    let ticket = input.array_if_any("ticket").map(|id| TicketId(Fixed(id)));
    let deposit = Deposit { to, ticket, ttl, reply_mailbox: input.array_if_any("reply_mailbox").map(Fixed) };
    let header = codec::encode(&(&deposit.to, deposit.ttl, &deposit.reply_mailbox));
    let id = deposit.envelope_id(&input.bytes("envelope"));
    Ok(fields([("header", hex(&header)), ("id", hex(&id.0.0))]))
}
