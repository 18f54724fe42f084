//! Wrong shapes for right messages: cut, flipped, of another version, of another kind.
#![expect(clippy::wildcard_enum_match_arm, reason = "a power is looked for by what it works on; all others pass")]

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame};

use super::{Power, answer};
use crate::message;
use crate::port::FromRelay;

pub(super) fn cross(power: Power) -> Vec<u8> {
    match power {
        Power::Refuse(number) => {
            let code = ErrorCode::from_number(u16::from(number)).unwrap_or(ErrorCode::Unavailable);
            message::frame(&Frame::Refused(code))
        }
        Power::CrossProtocol(0) => message::frame(&Frame::Drained),
        Power::CrossProtocol(1) => message::frame(&Frame::Done),
        Power::CrossProtocol(2) => message::frame(&Frame::Queued(EnvelopeId(Fixed([1; 32])))),
        Power::CrossProtocol(3) => message::frame(&Frame::Challenge),
        _ => vec![0, 0, 0, 3, 0, 99, 1],
    }
}

/// A version, suite or kind byte of a signed record.
pub(super) fn spoil_record(mut set: RecordSet, power: Power) -> RecordSet {
    let Power::Version(place, byte) = power else { return set };
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

/// Cuts or flips; what remains may be anything.
pub(super) fn spoil(action: FromRelay, power: Power) -> FromRelay {
    let spoiled = |mut bytes: Vec<u8>| {
        match power {
            Power::Truncate(count) => bytes.truncate(bytes.len().saturating_sub(1 + usize::from(count))),
            Power::Flip(place) => {
                let from_end = bytes.len().saturating_sub(1 + usize::from(place) % bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(from_end) {
                    *byte ^= 1 << (place % 8);
                }
            }
            _ => {}
        }
        bytes
    };
    match action {
        FromRelay::Answer { conn, stream, bytes, whole } => answer(conn, stream, spoiled(bytes), whole),
        FromRelay::Call(conn, stream, bytes) => FromRelay::Call(conn, stream, spoiled(bytes)),
        other @ (FromRelay::Close(..) | FromRelay::Timer(..)) => other,
    }
}

pub(super) fn set(bytes: &mut [u8], place: usize, byte: u8) {
    if let Some(at) = bytes.get_mut(place) {
        *at = byte;
    }
}

pub(super) fn pick<T>(all: &[T], which: usize) -> Option<&T> {
    all.get(which.checked_rem(all.len())?)
}
