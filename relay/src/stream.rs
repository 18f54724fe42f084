//! Frames and blobs over QUIC streams, within the limits and times of the protocol.
//!
//! Invariant: nothing is allocated for a length that has not been checked, and no read or write of a frame waits longer
//! than [`limits::FRAME_SECONDS`] without progress.

use std::future::Future;
use std::time::Duration;

use quinn::{ReadError, ReadExactError, RecvStream, SendStream, VarInt, WriteError};
use rohrpost_wire::frame::{self, FrameError};
use rohrpost_wire::{ErrorCode, Frame, limits};
use tokio::time::timeout;

/// Why the serving of a stream ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The request is refused; the connection lives on.
    Refused(ErrorCode),
    /// The peer broke the protocol; its connection ends.
    Misbehaved(ErrorCode),
    /// The peer let the stream stand still for too long. It may be held up itself, by what others do: that ends the stream
    /// and is not held against it.
    Stalled,
    /// The peer took the stream or the connection back.
    Gone,
}

/// A blob is read and written in pieces, each of which must make it in time.
const PIECE_BYTES: usize = 64 * 1024;

/// Reads one frame.
pub(crate) async fn read_frame(stream: &mut RecvStream) -> Result<Frame, StreamEnd> {
    in_time(async {
        let mut field = [0; 4];
        stream.read_exact(&mut field).await?;
        let mut body = vec![0; frame::frame_length(field)?];
        stream.read_exact(&mut body).await?;
        Ok(Frame::decode(&body)?)
    })
    .await
}

/// Reads the length of a blob, which must be within `limit`.
pub(crate) async fn read_blob_length(stream: &mut RecvStream, limit: usize) -> Result<usize, StreamEnd> {
    let mut field = [0; 4];
    in_time(async { Ok(stream.read_exact(&mut field).await?) }).await?;
    Ok(frame::blob_length(field, limit)?)
}

/// Reads the bytes of a blob whose length has been checked.
pub(crate) async fn read_blob(stream: &mut RecvStream, length: usize) -> Result<Vec<u8>, StreamEnd> {
    let mut blob = vec![0; length];
    for piece in blob.chunks_mut(PIECE_BYTES) {
        in_time(async { Ok(stream.read_exact(piece).await?) }).await?;
    }
    Ok(blob)
}

/// Writes one frame.
pub(crate) async fn write_frame(stream: &mut SendStream, frame: &Frame) -> Result<(), StreamEnd> {
    let bytes = frame.encode();
    in_time(async { Ok(stream.write_all(&bytes).await?) }).await
}

/// Writes a blob, its length first.
pub(crate) async fn write_blob(stream: &mut SendStream, blob: &[u8]) -> Result<(), StreamEnd> {
    in_time(async { Ok(stream.write_all(&frame::blob_prefix(blob)).await?) }).await?;
    for piece in blob.chunks(PIECE_BYTES) {
        in_time(async { Ok(stream.write_all(piece).await?) }).await?;
    }
    Ok(())
}

/// The number of a code, where QUIC carries it.
pub(crate) fn number(code: ErrorCode) -> VarInt {
    VarInt::from(code.number())
}

/// Ends both directions of a stream with a code.
pub(crate) fn abandon(send: &mut SendStream, recv: &mut RecvStream, code: ErrorCode) {
    // Either direction may have ended already, which is as good.
    drop(send.reset(number(code)));
    drop(recv.stop(number(code)));
}

async fn in_time<T>(work: impl Future<Output = Result<T, StreamEnd>>) -> Result<T, StreamEnd> {
    let limit = Duration::from_secs(limits::FRAME_SECONDS);
    timeout(limit, work).await.unwrap_or(Err(StreamEnd::Stalled))
}

impl From<FrameError> for StreamEnd {
    fn from(error: FrameError) -> Self {
        Self::Misbehaved(error.code())
    }
}

impl From<ReadExactError> for StreamEnd {
    fn from(error: ReadExactError) -> Self {
        match error {
            // A stream that ends within a frame is a truncated frame.
            ReadExactError::FinishedEarly(_) => Self::Misbehaved(ErrorCode::Malformed),
            ReadExactError::ReadError(error) => Self::from(error),
        }
    }
}

impl From<ReadError> for StreamEnd {
    fn from(_: ReadError) -> Self {
        Self::Gone
    }
}

impl From<WriteError> for StreamEnd {
    fn from(_: WriteError) -> Self {
        Self::Gone
    }
}
