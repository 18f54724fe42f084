//! `call`: a live request to a connected safe, spliced.

use std::time::Duration;

use quinn::Connection;
use rohrpost_wire::{ErrorCode, Frame, frame};
use tokio::time::timeout;

use crate::connection::Session;
use crate::splice::{End, splice};
use crate::stream::{self, StreamEnd};

/// How long a safe that has all the streams it allows may take to let another one in.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn answer(session: &Session, end: &mut End, call: frame::Call) -> Result<(), StreamEnd> {
    let house = &session.house;
    let found = house.board.call(session.id, call.to);
    let (safe, _under_way) = found.map_err(|code| count(session, code))?;
    let _wide = session.widen();
    let mut there = open(&safe).await.map_err(|code| count(session, code))?;
    let incoming = Frame::Incoming(frame::Incoming { ticket: call.ticket });
    if stream::write_frame(&mut there.send, &incoming).await.is_err() {
        return Err(count(session, ErrorCode::Away));
    }
    house.metrics.calls.add();
    stream::write_frame(&mut end.send, &Frame::Done).await?;
    splice(end, &mut there, Duration::from_secs(house.limits.call_idle_seconds)).await;
    Ok(())
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
