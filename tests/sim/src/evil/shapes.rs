//! Wrong shapes for right messages: cut, flipped, of another version, of another kind.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame, limits};

use super::{AnswerPower, answer};
use crate::message::{self, Reader};
use crate::port::FromRelay;

pub(super) fn cross(power: AnswerPower) -> Vec<u8> {
    match power {
        AnswerPower::Refuse(number) => {
            let code = ErrorCode::from_number(u16::from(number)).unwrap_or(ErrorCode::Unavailable);
            message::frame(&Frame::Refused(code))
        }
        AnswerPower::CrossProtocol(0) => message::frame(&Frame::Drained),
        AnswerPower::CrossProtocol(1) => message::frame(&Frame::Done),
        AnswerPower::CrossProtocol(2) => message::frame(&Frame::Queued(EnvelopeId(Fixed([1; 32])))),
        AnswerPower::CrossProtocol(3) => message::frame(&Frame::Challenge),
        AnswerPower::CrossProtocol(_) => vec![0, 0, 0, 3, 0, 99, 1],
    }
}

/// The version or suite of a signed record.
pub(super) fn spoil_record(mut set: RecordSet, place: u8, byte: u8) -> RecordSet {
    let target = match place % 3 {
        0 => set.roots.first_mut().map(|signed| &mut signed.bytes),
        1 => Some(&mut set.identity.bytes),
        _ => set.prekeys.first_mut().map(|signed| &mut signed.bytes),
    };
    if let Some(bytes) = target {
        self::set(bytes, usize::from(place / 3 % 2), byte);
    }
    set
}

/// The version, suite or kind of what is sealed behind the frame of this message.
pub(super) fn spoil_sealed(mut bytes: Vec<u8>, place: u8, byte: u8) -> Vec<u8> {
    if let Some(sealed) = sealed_at(&bytes) {
        set(&mut bytes, sealed + usize::from(place % 3), byte);
    }
    bytes
}

/// Where the envelope begins in a message: behind a frame and the envelope's length, whatever these take.
fn sealed_at(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    reader.frame().ok()?;
    let envelope = reader.blob(limits::ENVELOPE_BYTES).ok()?;
    Some(bytes.len() - reader.rest().len() - envelope.len())
}

/// Cuts so many bytes off, and one more.
pub(super) fn truncate(bytes: &mut Vec<u8>, count: u16) {
    bytes.truncate(bytes.len().saturating_sub(1 + usize::from(count)));
}

/// Flips one bit so far from the end.
pub(super) fn flip(bytes: &mut [u8], place: u16) {
    let from_end = bytes.len().saturating_sub(1 + usize::from(place) % bytes.len().max(1));
    if let Some(byte) = bytes.get_mut(from_end) {
        *byte ^= 1 << (place % 8);
    }
}

/// The same message with other bytes; what they are then may be anything.
pub(super) fn changed(action: FromRelay, change: impl FnOnce(&mut Vec<u8>)) -> FromRelay {
    match action {
        FromRelay::Answer { conn, stream, mut bytes, whole } => {
            change(&mut bytes);
            answer(conn, stream, bytes, whole)
        }
        FromRelay::Call(conn, stream, mut bytes) => {
            change(&mut bytes);
            FromRelay::Call(conn, stream, bytes)
        }
        other @ (FromRelay::Close(..) | FromRelay::Timer(..)) => other,
    }
}

fn set(bytes: &mut [u8], place: usize, byte: u8) {
    if let Some(at) = bytes.get_mut(place) {
        *at = byte;
    }
}

pub(super) fn pick<T>(all: &[T], which: usize) -> Option<&T> {
    all.get(which.checked_rem(all.len())?)
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::frame::Incoming;

    use super::*;

    /// The sealed bytes of a message, whatever stands before them.
    fn spoilt(frame: &Frame) -> Vec<u8> {
        let message = message::frame_and_blob(frame, &[1, 1, 1, 1]);
        let bytes = spoil_sealed(message.clone(), 2, 9);
        assert_eq!(bytes.len(), message.len());
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.frame().as_ref(), Ok(frame));
        reader.blob(limits::ENVELOPE_BYTES).map(<[u8]>::to_vec).unwrap_or_default()
    }

    #[test]
    fn a_byte_is_set_in_what_is_sealed_and_not_before_it() {
        assert_eq!(spoilt(&Frame::Incoming(Incoming { ticket: None })), [1, 1, 9, 1]);
        assert_eq!(spoilt(&Frame::Done), [1, 1, 9, 1]);
    }

    #[test]
    fn a_message_with_nothing_sealed_stays() {
        let refused = message::frame(&Frame::Refused(ErrorCode::Away));
        assert_eq!(spoil_sealed(refused.clone(), 0, 9), refused);
    }
}
