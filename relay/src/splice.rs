//! Two streams made one: what a call is to a relay.
//!
//! Bytes go both ways as they come, through one fixed buffer per direction, so memory is bounded however long a call
//! is; QUIC's flow control carries a slow reader back to the writer. Ends and aborts are passed on. Invariant: a call in
//! which nothing moves for the time allowed is ended for both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quinn::{RecvStream, SendStream};
use rohrpost_wire::ErrorCode;
use tokio::time::{MissedTickBehavior, interval};

use crate::stream::{abandon, number};

/// One end of a call.
pub(crate) struct End {
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
}

/// A few packets' worth: larger buffers were not measurably cheaper.
const BUFFER_BYTES: usize = 32 * 1024;

/// How many times a stall is looked for within the time allowed; it is noticed at most one such part late.
const LOOKS: u32 = 4;

/// Forwards until both directions have ended, or nothing moves for `idle`.
pub(crate) async fn splice(caller: &mut End, safe: &mut End, idle: Duration) {
    let moved = AtomicU64::new(0);
    let stalled = {
        let there = forward(&mut caller.recv, &mut safe.send, &moved);
        let back = forward(&mut safe.recv, &mut caller.send, &moved);
        tokio::select! {
            ((), ()) = async { tokio::join!(there, back) } => false,
            () = stall(&moved, idle) => true,
        }
    };
    if stalled {
        abandon(&mut caller.send, &mut caller.recv, ErrorCode::TimedOut);
        abandon(&mut safe.send, &mut safe.recv, ErrorCode::TimedOut);
    }
}

async fn forward(source: &mut RecvStream, sink: &mut SendStream, moved: &AtomicU64) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let stopped = sink.stopped();
    tokio::pin!(stopped);
    loop {
        // A reader that has stopped must be noticed even while there is nothing to write to it.
        let read = tokio::select! {
            biased;
            read = source.read(&mut buffer) => read,
            _ = &mut stopped => return drop(source.stop(number(ErrorCode::Interrupted))),
        };
        let piece = match read {
            Ok(Some(length)) => buffer.get(..length).unwrap_or_default(),
            Ok(None) => return drop(sink.finish()),
            Err(_) => return drop(sink.reset(number(ErrorCode::Interrupted))),
        };
        if sink.write_all(piece).await.is_err() {
            return drop(source.stop(number(ErrorCode::Interrupted)));
        }
        moved.fetch_add(1, Ordering::Relaxed);
    }
}

/// Comes back when `moved` has not changed for `idle`.
async fn stall(moved: &AtomicU64, idle: Duration) {
    let mut looks = interval(idle / LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut still) = (moved.load(Ordering::Relaxed), 0);
    looks.tick().await;
    while still < LOOKS {
        looks.tick().await;
        let now = moved.load(Ordering::Relaxed);
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
}
