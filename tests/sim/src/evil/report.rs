//! What a malicious relay did, told to the oracle: the difference from what the honest one inside would have sent.

use super::EvilRelay;
use super::seen::Asked;
use crate::port::{Conn, FromRelay, Stream};

/// Whom a message concerns, and what it answers.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) conn: Conn,
    /// The stream of whoever asked; none for what nobody asked for.
    pub(super) stream: Option<Stream>,
    pub(super) asked: Asked,
}

impl EvilRelay {
    pub(super) fn about(&mut self, action: &FromRelay) -> Option<About> {
        match action {
            FromRelay::Timer(..) => None,
            FromRelay::Close(conn, _) => Some(About { conn: *conn, stream: None, asked: Asked::Other }),
            FromRelay::Answer { conn, stream, .. } => {
                let asked = self.seen.take_asked(*conn, *stream);
                Some(About { conn: *conn, stream: Some(*stream), asked })
            }
            FromRelay::Call(conn, stream, _) => {
                let (conn, stream) = self.inner.caller_of(*conn, *stream)?;
                Some(About { conn, stream: Some(stream), asked: self.seen.asked(conn, stream) })
            }
        }
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
                    self.report.spoiled.push((*conn, *stream));
                }
            }
        }
        let (FromRelay::Call(safe, at, genuine), Some(stream)) = (honest, about.stream) else { return };
        let changed = |action: &FromRelay| matches!(action, FromRelay::Call(conn, stream, bytes) if (conn, stream) == (safe, at) && bytes != genuine);
        if out.iter().any(changed) {
            self.report.spoiled.push((about.conn, stream));
        }
    }
}
