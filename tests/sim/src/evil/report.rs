//! What a malicious relay did, told to the oracle: the difference from what the honest one inside would have sent.
#![expect(clippy::wildcard_enum_match_arm, reason = "one kind of message is looked for; all others are alike")]

use rohrpost_wire::Frame;

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

    /// Tells the oracle what is not as an honest relay would have it. Records that are only old are nobody's to find out.
    pub(super) fn confess(&mut self, honest: &FromRelay, out: &[FromRelay], about: &About, stale: bool) {
        if out == std::slice::from_ref(honest) {
            return;
        }
        self.harm += 1;
        self.report.concerned.push(about.conn);
        for action in out {
            if let FromRelay::Answer { conn, stream, .. } = action
                && action != honest
            {
                self.report.concerned.push(*conn);
                if about.asked.binds_its_answer() && !stale {
                    self.report.spoiled.push((*conn, *stream, owed(action)));
                }
            }
        }
        let (FromRelay::Call(safe, at, genuine), Some(stream)) = (honest, about.stream) else { return };
        let changed = |action: &FromRelay| match action {
            FromRelay::Call(conn, stream, bytes) => (conn, stream) == (safe, at) && bytes != genuine,
            _ => false,
        };
        if out.iter().any(changed) {
            // The safe cannot open it, and says so as it says so to anybody.
            self.report.spoiled.push((about.conn, stream, Owed::Failure));
        }
    }
}

/// A refusal is a relay's own to give: nobody need be alarmed.
fn owed(answer: &FromRelay) -> Owed {
    match answer {
        FromRelay::Answer { bytes, .. } if matches!(Reader::new(bytes).frame(), Some(Frame::Refused(_))) => {
            Owed::Failure
        }
        _ => Owed::Alarm,
    }
}
