//! What a malicious relay did, told to the oracle: the difference from what the honest one inside would have sent.

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

/// What goes out in the place of one message.
#[derive(Debug)]
pub(super) struct Instead {
    pub(super) out: Vec<FromRelay>,
    /// Whether a safe once said all of it, so that it is nobody's to find out: no client owes anything for it.
    pub(super) is_old: bool,
}

impl From<Vec<FromRelay>> for Instead {
    fn from(out: Vec<FromRelay>) -> Self {
        Self { out, is_old: false }
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
                if about.asked.binds_its_answer() && !instead.is_old {
                    self.report.spoiled.push((*conn, *stream, owed(bytes)));
                }
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

/// For an answer like this. A refusal is a relay's own to give: nobody need be alarmed.
fn owed(answer: &[u8]) -> Owed {
    if matches!(Reader::new(answer).frame(), Some(Frame::Refused(_))) { Owed::Failure } else { Owed::Alarm }
}
