//! Two streams made one: what a call is to a relay.
//!
//! Bytes go both ways as they come, through one fixed buffer per direction, so memory is bounded however long a call
//! is; QUIC's flow control carries a slow reader back to the writer. Ends and aborts are passed on. Invariant: a call in
//! which nothing moves for the time allowed, or in which one end has something to read and reads none of it, is ended for
//! both, whatever moves the other way.

use std::future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quinn::{RecvStream, SendStream, WriteError};
use rohrpost_wire::ErrorCode;
use tokio::time::{sleep, timeout};

use crate::stream::{abandon, number};
use crate::windows::SMALL_WINDOW;

/// One end of a call.
pub(crate) struct End {
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
}

/// A few packets' worth: larger buffers were not measurably cheaper.
const BUFFER_BYTES: usize = 32 * 1024;

/// Half of what a connection may have in flight before it gets more room.
const BULK_BYTES: usize = SMALL_WINDOW as usize / 2;

/// How many times a stall is looked for within the time allowed; it is noticed at most one such part late.
const LOOKS: u32 = 4;

/// How a direction gets room, once it has shown that it carries bulk or is held up by its reader: most calls do neither,
/// and to move a window costs a packet. What is returned is kept until the direction ends.
pub(crate) struct Room<A, B> {
    pub(crate) asking: A,
    pub(crate) answering: B,
}

/// Why a direction ended before its source had.
enum Cut {
    /// Its reader is gone.
    Gone,
    /// Its reader has read nothing for the time allowed.
    Stalled,
}

/// Forwards until both directions have ended, or nothing moves for `idle`.
pub(crate) async fn splice<A, B>(
    caller: &mut End,
    safe: &mut End,
    room: Room<impl FnOnce() -> A, impl FnOnce() -> B>,
    idle: Duration,
) {
    let moved = AtomicU64::new(0);
    let stalled = {
        let there = Direction::new(&mut caller.recv, &mut safe.send, room.asking).forward(&moved, idle);
        let back = Direction::new(&mut safe.recv, &mut caller.send, room.answering).forward(&moved, idle);
        tokio::select! {
            ended = async { tokio::try_join!(there, back) } => ended.is_err(),
            () = stall(&moved, idle) => true,
        }
    };
    if stalled {
        abandon(&mut caller.send, &mut caller.recv, ErrorCode::TimedOut);
        abandon(&mut safe.send, &mut safe.recv, ErrorCode::TimedOut);
    }
}

/// One way through a call.
struct Direction<'a, T, F> {
    source: &'a mut RecvStream,
    sink: &'a mut SendStream,
    make_room: Option<F>,
    room: Option<T>,
}

/// A direction has stood still for too long.
struct Stalled;

impl<'a, T, F: FnOnce() -> T> Direction<'a, T, F> {
    fn new(source: &'a mut RecvStream, sink: &'a mut SendStream, make_room: F) -> Self {
        Self { source, sink, make_room: Some(make_room), room: None }
    }

    async fn forward(mut self, moved: &AtomicU64, idle: Duration) -> Result<(), Stalled> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut forwarded = 0;
        let stopped = self.sink.stopped();
        tokio::pin!(stopped);
        loop {
            // A reader that has stopped must be noticed even while there is nothing to write to it.
            let read = tokio::select! {
                biased;
                read = self.source.read(&mut buffer) => read,
                _ = &mut stopped => {
                    self.take_back();
                    return Ok(());
                }
            };
            let Ok(Some(length)) = read else {
                self.pass_on(read.is_ok());
                return Ok(());
            };
            let piece = buffer.get(..length).unwrap_or_default();
            match self.write(piece, idle).await {
                Ok(()) => {}
                Err(Cut::Stalled) => return Err(Stalled),
                Err(Cut::Gone) => {
                    self.take_back();
                    return Ok(());
                }
            }
            moved.fetch_add(1, Ordering::Relaxed);
            forwarded += piece.len();
            if forwarded > BULK_BYTES {
                self.make_room();
            }
        }
    }

    async fn write(&mut self, mut piece: &[u8], idle: Duration) -> Result<(), Cut> {
        while !piece.is_empty() {
            let at_once = tokio::select! {
                biased;
                written = self.sink.write(piece) => Some(written),
                () = future::ready(()) => None,
            };
            let written = if let Some(written) = at_once {
                written
            } else {
                // What follows at the source lies unread until the reader goes on.
                self.make_room();
                timeout(idle, self.sink.write(piece)).await.map_err(|_| Cut::Stalled)?
            };
            let length = written.map_err(|_: WriteError| Cut::Gone)?;
            piece = piece.get(length..).unwrap_or_default();
        }
        Ok(())
    }

    fn make_room(&mut self) {
        if let Some(make_room) = self.make_room.take() {
            self.room = Some(make_room());
        }
    }

    /// Ends the sink as the source has ended: whole, or in its middle.
    fn pass_on(&mut self, whole: bool) {
        if whole {
            drop(self.sink.finish());
        } else {
            drop(self.sink.reset(number(ErrorCode::Interrupted)));
        }
    }

    fn take_back(&mut self) {
        drop(self.source.stop(number(ErrorCode::Interrupted)));
    }
}

/// Comes back when `moved` has not changed for `idle`.
async fn stall(moved: &AtomicU64, idle: Duration) {
    let (mut before, mut still) = (moved.load(Ordering::Relaxed), 0);
    while still < LOOKS {
        // Not an interval: its first tick is due at once, and a timer that is due at once wakes another thread.
        sleep(idle / LOOKS).await;
        let now = moved.load(Ordering::Relaxed);
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
}
