//! `call`: a live request to a connected safe, spliced.

use std::sync::Arc;
use std::time::Duration;

use quinn::Connection;
use rohrpost_wire::{ErrorCode, Frame, InboxId, frame};
use tokio::time::timeout;

use crate::connection::Session;
use crate::line::Line;
use crate::sources::Kind;
use crate::splice::{End, Room, splice};
use crate::stream::{self, StreamEnd};
use crate::switchboard::CallGuard;
use crate::windows::STREAM_WINDOW;

/// How long a safe that has all the streams it allows may take to let another one in.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn answer(session: &Session, end: &mut End, call: frame::Call) -> Result<(), StreamEnd> {
    let house = &session.house;
    let turn = house.turns.take(session.source, Kind::Call);
    let _turn = turn.ok_or_else(|| count(session, ErrorCode::Busy))?;
    let reached = reach(session, call.to).await;
    let (safe, _under_way, opened) = reached.map_err(|code| count(session, code))?;
    let mut there = SafeEnd { end: opened, settled: false };
    let incoming = Frame::Incoming(frame::Incoming { ticket: call.ticket });
    if stream::write_frame(&mut there.end.send, &incoming).await.is_err() {
        return Err(count(session, ErrorCode::Away));
    }
    house.metrics.calls.add();
    stream::write_frame(&mut end.send, &Frame::Done).await?;
    let room = Room {
        asking: || session.line.leave_unread(STREAM_WINDOW),
        answering: || (safe.leave_unread(STREAM_WINDOW), session.line.send_bulk()),
    };
    splice(end, &mut there.end, room, Duration::from_secs(house.limits.call_idle_seconds)).await;
    there.settled = true;
    Ok(())
}

/// The safe's end of a call. A caller that vanishes takes this task with it, and a stream that is merely dropped ends as
/// if all had been said: half an upload must not look whole.
struct SafeEnd {
    end: End,
    settled: bool,
}

impl Drop for SafeEnd {
    fn drop(&mut self) {
        if !self.settled {
            stream::abandon(&mut self.end.send, &mut self.end.recv, ErrorCode::Interrupted);
        }
    }
}

/// Finds the safe and opens a stream to it; if it has logged in anew in between, to where it is now.
async fn reach(session: &Session, to: InboxId) -> Result<(Arc<Line>, CallGuard, End), ErrorCode> {
    let board = &session.house.board;
    let (safe, under_way) = board.call(session.id, to)?;
    match open(&safe.connection).await {
        Ok(end) => Ok((safe, under_way, end)),
        Err(ErrorCode::Away) => {
            drop(under_way);
            let (newer, under_way) = board.call(session.id, to)?;
            if Arc::ptr_eq(&newer, &safe) {
                return Err(ErrorCode::Away);
            }
            let end = open(&newer.connection).await?;
            Ok((newer, under_way, end))
        }
        Err(code) => Err(code),
    }
}

async fn open(safe: &Connection) -> Result<End, ErrorCode> {
    match timeout(OPEN_LIMIT, safe.open_bi()).await {
        Ok(Ok((send, recv))) => Ok(End { send, recv }),
        Ok(Err(_)) => Err(ErrorCode::Away),
        Err(_) => Err(ErrorCode::Busy),
    }
}

fn count(session: &Session, code: ErrorCode) -> StreamEnd {
    let metrics = &session.house.metrics;
    if code == ErrorCode::Away {
        metrics.away.add();
    } else {
        metrics.busy.add();
    }
    StreamEnd::Refused(code)
}
