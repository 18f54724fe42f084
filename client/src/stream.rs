//! Frames and blobs on one QUIC stream.
#![expect(clippy::wildcard_enum_match_arm, reason = "every frame but the awaited ones is against the protocol")]

use std::time::Duration;

use quinn::{ReadExactError, RecvStream, SendStream, VarInt};
use rohrpost_wire::frame::{FrameError, blob_length, blob_prefix, frame_length};
use rohrpost_wire::{ErrorCode, Frame};

use crate::error::AskError;

/// How long an answer may take: the relay answers at once, a safe within its queue.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a piece may wait for room: a peer that takes nothing for so long is gone, or wants to hold us.
pub(crate) const PROGRESS_TIME: Duration = Duration::from_secs(30);

const PIECE_BYTES: usize = 64 * 1024;

/// Both directions of one stream.
pub(crate) struct Stream {
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
}

impl Stream {
    pub(crate) async fn write_frame(&mut self, frame: &Frame) -> Result<(), AskError> {
        self.write(&frame.encode()).await
    }

    pub(crate) async fn write_blob(&mut self, blob: &[u8]) -> Result<(), AskError> {
        self.write(&blob_prefix(blob)).await?;
        self.write(blob).await
    }

    /// Writes as flow control allows, as long as it allows something.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), AskError> {
        for piece in bytes.chunks(PIECE_BYTES) {
            let writing = async { self.send.write_all(piece).await.map_err(|_| AskError::Lost) };
            in_time(PROGRESS_TIME, writing).await?;
        }
        Ok(())
    }

    /// Nothing more will be written.
    pub(crate) fn finish(&mut self) -> Result<(), AskError> {
        self.send.finish().map_err(|_| AskError::Lost)
    }

    /// Reads a frame that may begin at any time, and must then come to its end.
    pub(crate) async fn read_frame_whenever(&mut self) -> Result<Frame, AskError> {
        let length = frame_length(self.read_length().await?).map_err(misbehaved)?;
        let mut bytes = vec![0; length];
        in_time(ANSWER_TIME, self.read_exact(&mut bytes)).await?;
        Frame::decode(&bytes).map_err(misbehaved)
    }

    /// Reads the frame that answers a request; a refusal becomes an error.
    pub(crate) async fn read_answer(&mut self) -> Result<Frame, AskError> {
        match in_time(ANSWER_TIME, self.read_frame_whenever()).await? {
            Frame::Refused(code) => Err(AskError::Refused(code)),
            frame => Ok(frame),
        }
    }

    pub(crate) async fn read_done(&mut self) -> Result<(), AskError> {
        match self.read_answer().await? {
            Frame::Done => Ok(()),
            _ => Err(AskError::Misbehaved),
        }
    }

    pub(crate) async fn read_blob(&mut self, limit: usize) -> Result<Vec<u8>, AskError> {
        let length = blob_length(self.read_length().await?, limit).map_err(misbehaved)?;
        let mut bytes = vec![0; length];
        self.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_length(&mut self) -> Result<[u8; 4], AskError> {
        let mut field = [0; 4];
        self.read_exact(&mut field).await?;
        Ok(field)
    }

    async fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), AskError> {
        self.recv.read_exact(bytes).await.map_err(|error| read_error(&error))
    }
}

/// A stream that was reset carries the relay's reason.
pub(crate) fn read_error(error: &ReadExactError) -> AskError {
    match error {
        ReadExactError::ReadError(quinn::ReadError::Reset(code)) => reset_reason(*code),
        ReadExactError::FinishedEarly(_) | ReadExactError::ReadError(_) => AskError::Lost,
    }
}

fn reset_reason(code: VarInt) -> AskError {
    let code = u16::try_from(code.into_inner()).ok().and_then(ErrorCode::from_number);
    code.map_or(AskError::Misbehaved, AskError::Refused)
}

pub(crate) fn varint(code: ErrorCode) -> VarInt {
    VarInt::from_u32(code.number().into())
}

pub(crate) async fn in_time<T>(time: Duration, work: impl Future<Output = Result<T, AskError>>) -> Result<T, AskError> {
    tokio::time::timeout(time, work).await.unwrap_or(Err(AskError::TimedOut))
}

fn misbehaved(_: FrameError) -> AskError {
    AskError::Misbehaved
}
