//! Frames, alone and in a row: what a relay reads from anybody before it knows who that is.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{
    self, Ack, Call, Delivery, Deposit, Destination, Fetch, Frame, FrameError, Incoming, Login, MailboxProof, TtlClass,
};
use rohrpost_wire::proof::Challenge;
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId, MailboxId, TicketId, limits};

use crate::memory::bounded;
use crate::target::Verdict;

/// Any bytes are one frame or none; a frame has one encoding, fits its limit and costs memory by its length.
pub(super) fn frame(bytes: &[u8]) -> Verdict {
    let Ok(decoded) = bounded(bytes.len(), || Frame::decode(bytes)) else { return Verdict::Refused };
    let encoded = decoded.encode();
    let (length, body) = encoded.split_first_chunk::<4>().unwrap();
    assert_eq!(body, bytes, "a frame has two encodings");
    assert_eq!(frame::frame_length(*length), Ok(bytes.len()), "a frame does not fit its own limit");
    Verdict::Taken
}

pub(super) fn frame_seeds() -> Vec<Vec<u8>> {
    samples().iter().map(|frame| frame.encode().split_off(4)).collect()
}

/// A stream of frames and blobs splits in one way only, and nothing is made room for that its limit does not allow.
pub(super) fn stream(bytes: &[u8]) -> Verdict {
    let mut rest = bytes;
    let mut again = Vec::new();
    let mut frames = 0;
    while let Ok((frame, blob)) = bounded(rest.len(), || next(&mut rest)) {
        again.extend(frame.encode());
        if let Some(blob) = blob {
            again.extend(frame::blob_prefix(blob));
            again.extend_from_slice(blob);
        }
        frames += 1;
    }
    assert_eq!(again, bytes[..again.len()], "what was read is not what was sent");
    Verdict::taken(frames > 0)
}

/// What a driver does with a stream, over bytes that have all arrived.
fn next<'a>(stream: &mut &'a [u8]) -> Result<(Frame, Option<&'a [u8]>), FrameError> {
    let mut left = *stream;
    let body = take(&mut left, frame::frame_length)?;
    let frame = Frame::decode(body)?;
    let limit = match frame {
        Frame::Call(_) | Frame::Deposit(_) | Frame::Delivery(_) | Frame::Incoming(_) => Some(limits::ENVELOPE_BYTES),
        Frame::Publish => Some(limits::RECORDS_BYTES),
        Frame::Login(_)
        | Frame::Records(_)
        | Frame::Fetch(_)
        | Frame::Ack(_)
        | Frame::Challenge
        | Frame::Refused(_)
        | Frame::Done
        | Frame::Queued(_)
        | Frame::Drained
        | Frame::Challenged(_) => None,
    };
    let blob = limit.map(|limit| take(&mut left, |field| frame::blob_length(field, limit))).transpose()?;
    *stream = left;
    Ok((frame, blob))
}

fn take<'a>(
    left: &mut &'a [u8],
    length: impl FnOnce([u8; 4]) -> Result<usize, FrameError>,
) -> Result<&'a [u8], FrameError> {
    let (field, rest) = left.split_first_chunk::<4>().ok_or(FrameError::Malformed)?;
    let (taken, rest) = rest.split_at_checked(length(*field)?).ok_or(FrameError::Malformed)?;
    *left = rest;
    Ok(taken)
}

pub(super) fn stream_seeds() -> Vec<Vec<u8>> {
    let deposit = Frame::Deposit(deposit(None));
    let blob: &[u8] = b"sealed";
    let with_blob = [&deposit.encode()[..], &frame::blob_prefix(blob), blob].concat();
    let all: Vec<u8> = samples().iter().filter(|frame| frame.number() != 4).flat_map(Frame::encode).collect();
    vec![[&with_blob[..], &with_blob].concat(), all, Frame::Challenge.encode()]
}

/// One frame of each kind, and of each shape within a kind.
pub(super) fn samples() -> Vec<Frame> {
    let (inbox, ticket) = (InboxId(Fixed([2; 16])), TicketId(Fixed([3; 16])));
    let proof = MailboxProof { mailbox_key: Fixed([4; 32]), signature: Fixed([5; 64]) };
    let ids = |many: usize| vec![EnvelopeId(Fixed([6; 32])); many].try_into().unwrap();
    vec![
        Frame::Login(Login { route_key: Fixed([1; 32]), counter: 300, signature: Fixed([7; 64]) }),
        Frame::Publish,
        Frame::Records(inbox),
        Frame::Call(Call { to: inbox, ticket: None }),
        Frame::Call(Call { to: inbox, ticket: Some(ticket) }),
        Frame::Deposit(deposit(Some(ticket))),
        Frame::Fetch(Fetch::Inbox { wait: true }),
        Frame::Fetch(Fetch::Mailbox(proof.clone())),
        Frame::Ack(Ack { mailbox: None, ids: ids(2) }),
        Frame::Ack(Ack { mailbox: Some(proof), ids: ids(0) }),
        Frame::Challenge,
        Frame::Refused(ErrorCode::Busy),
        Frame::Done,
        Frame::Queued(EnvelopeId(Fixed([8; 32]))),
        Frame::Delivery(Delivery { id: EnvelopeId(Fixed([8; 32])), ttl: TtlClass::Day, reply_mailbox: None }),
        Frame::Drained,
        Frame::Challenged(Challenge(Fixed([9; 32]))),
        Frame::Incoming(Incoming { ticket: Some(ticket) }),
    ]
}

fn deposit(ticket: Option<TicketId>) -> Deposit {
    let to = Destination::Mailbox(MailboxId(Fixed([2; 16])));
    Deposit { to, ticket, ttl: TtlClass::Week, reply_mailbox: Some(Fixed([4; 32])) }
}
