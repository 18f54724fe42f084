//! What a malicious relay did, told to the oracle: the difference from what the honest one inside would have sent.

use rohrpost_client::AskError;
use rohrpost_wire::{Frame, limits};

use super::EvilRelay;
use super::seen::Asked;
use crate::message::Reader;
use crate::port::{Conn, FromRelay, Owed, Peer, Stream};

/// Whom a message concerns, and what it answers.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) conn: Conn,
    /// The stream of whoever asked; none for what nobody asked for.
    stream: Option<Stream>,
    pub(super) asked: Asked,
    /// Whoever asked, and the safe that is asked: either can be singled out.
    pub(super) parties: Vec<Peer>,
}

/// What goes out in the place of one message.
#[derive(Debug)]
pub(super) struct Instead {
    pub(super) out: Vec<FromRelay>,
    pub(super) age: Age,
}

/// What a client can find out of records by the time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// A safe never said this.
    New,
    /// A safe once said all of it and its time is not over, so that it is nobody's to find out: no client owes anything.
    Old,
    /// A safe once said all of it, and whoever knows the time knows that it is over.
    Over,
}

impl From<Vec<FromRelay>> for Instead {
    fn from(out: Vec<FromRelay>) -> Self {
        Self { out, age: Age::New }
    }
}

impl EvilRelay {
    pub(super) fn about(&mut self, action: &FromRelay) -> Option<About> {
        let (conn, stream, asked) = match action {
            FromRelay::Timer(..) => return None,
            FromRelay::Close(conn, _) => (*conn, None, Asked::Other),
            FromRelay::Answer { conn, stream, .. } => (*conn, Some(*stream), self.seen.take_asked(*conn, *stream)),
            FromRelay::Call(conn, stream, _) => {
                let (conn, stream) = self.inner.caller_of(*conn, *stream)?;
                (conn, Some(stream), self.seen.asked(conn, stream))
            }
        };
        Some(About { conn, stream, parties: self.parties(conn, &asked), asked })
    }

    /// Whoever asks, and the safe that is asked.
    pub(super) fn parties(&self, conn: Conn, asked: &Asked) -> Vec<Peer> {
        let safe = asked.inbox().and_then(|inbox| self.seen.safes.get(&inbox));
        std::iter::once(conn.peer).chain(safe.map(|safe| safe.peer)).collect()
    }

    /// Tells the oracle what is not as an honest relay would have it.
    pub(super) fn confess(&mut self, honest: &FromRelay, instead: &Instead, about: &About) {
        if instead.out == std::slice::from_ref(honest) {
            return;
        }
        self.harm += 1;
        // Whose own message passed as it was has nothing to complain of, whatever else was sent.
        if !instead.out.contains(honest) {
            self.report.concerned.push(about.conn);
        }
        for action in instead.out.iter().filter(|action| *action != honest) {
            if let FromRelay::Answer { conn, stream, bytes, .. } = action {
                self.report.concerned.push(*conn);
                let owed = match instead.age {
                    Age::New => about.asked.binds_its_answer().then(|| owed(&about.asked, honest, bytes)),
                    Age::Old => None,
                    Age::Over => Some(Owed::Lateness),
                };
                self.report.spoiled.extend(owed.map(|owed| (*conn, *stream, owed)));
            }
        }
        let (FromRelay::Call(safe, at, genuine), Some(stream)) = (honest, about.stream) else { return };
        let changed = |action: &FromRelay| match action {
            FromRelay::Call(conn, stream, bytes) => (conn, stream) == (safe, at) && bytes != genuine,
            FromRelay::Answer { .. } | FromRelay::Close(..) | FromRelay::Timer(..) => false,
        };
        if instead.out.iter().any(changed) {
            // The safe cannot open it, and says so as it says so to anybody.
            self.report.spoiled.push((about.conn, stream, Owed::Failure));
        }
    }
}

/// For an answer like this, where the honest one would have been another. A refusal is a relay's own to give, and what ends
/// too early looks like a line that broke: nobody need be alarmed. To a lie of the relay's own the program puts an end; what
/// stands in the place of a safe's reply it may ask for again.
fn owed(asked: &Asked, honest: &FromRelay, answer: &[u8]) -> Owed {
    let mut reader = Reader::new(answer);
    match (reader.frame(), asked) {
        (Err(AskError::Lost) | Ok(Frame::Refused(_)), _) => return Owed::Failure,
        (Ok(Frame::Done), Asked::Call(..) | Asked::Records(_)) => {}
        _ => return Owed::End,
    }
    let limit = if matches!(asked, Asked::Call(..)) { limits::ENVELOPE_BYTES } else { limits::RECORDS_BYTES };
    match (reader.blob(limit), asked) {
        (Err(AskError::Lost), _) => Owed::Failure,
        (Ok(reply), Asked::Call(..)) if is_cut_short(honest, reply, reader.rest()) => Owed::Failure,
        (Ok(_), Asked::Call(..)) => Owed::Alarm,
        _ => Owed::End,
    }
}

/// Whether this is the safe's reply with an object that is too short.
fn is_cut_short(honest: &FromRelay, reply: &[u8], object: &[u8]) -> bool {
    let FromRelay::Answer { bytes, .. } = honest else { return false };
    let mut reader = Reader::new(bytes);
    let genuine = reader.frame().and_then(|_| reader.blob(limits::ENVELOPE_BYTES));
    genuine == Ok(reply) && object.len() < reader.rest().len()
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::{ErrorCode, InboxId};

    use super::*;
    use crate::evil::answer;
    use crate::message;

    const CONN: Conn = Conn { peer: Peer::Client(1), number: 1 };

    #[test]
    fn what_is_owed_follows_from_what_could_be_known_of_an_answer() {
        let (call, records) =
            (Asked::Call(InboxId(Fixed([1; 16])), Vec::new()), Asked::Records(InboxId(Fixed([1; 16]))));
        let reply = |sealed: &[u8], object: &[u8]| [&message::frame_and_blob(&Frame::Done, sealed), object].concat();
        let honest = answer(CONN, Stream(0), reply(b"sealed", b"object"), true);
        let of_call = |answer: &[u8]| owed(&call, &honest, answer);
        assert_eq!(of_call(&message::frame(&Frame::Refused(ErrorCode::Away))), Owed::Failure);
        assert_eq!(of_call(&reply(b"sealed", b"obj")), Owed::Failure, "as a broken line");
        assert_eq!(of_call(&reply(b"sealed", b"")[..9]), Owed::Failure, "too");
        assert_eq!(of_call(&reply(b"sealed", b"abject")), Owed::Alarm);
        assert_eq!(of_call(&reply(b"settled", b"obj")), Owed::Alarm);
        assert_eq!(of_call(&message::frame(&Frame::Drained)), Owed::End);
        assert_eq!(owed(&records, &honest, &reply(b"other", b"")), Owed::End);
    }
}
