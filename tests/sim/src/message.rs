//! The bytes of one message on a stream: frames, blobs, and what follows them.

use rohrpost_client::AskError;
use rohrpost_wire::frame::{Delivery, Deposit, Destination, FrameError, blob_length, frame_length};
use rohrpost_wire::{Frame, limits};

/// A frame as it travels.
pub fn frame(frame: &Frame) -> Vec<u8> {
    frame.encode()
}

/// A frame and a blob behind it.
pub fn frame_and_blob(frame: &Frame, blob: &[u8]) -> Vec<u8> {
    let mut bytes = frame.encode();
    push_blob(&mut bytes, blob);
    bytes
}

/// Adds a blob.
///
/// # Panics
///
/// If it is longer than any blob may be.
#[expect(clippy::expect_used, reason = "nothing here is near 4 GiB")]
pub fn push_blob(bytes: &mut Vec<u8>, blob: &[u8]) {
    let length = u32::try_from(blob.len()).expect("a blob is at most 1 MiB");
    bytes.extend(length.to_be_bytes());
    bytes.extend(blob);
}

/// Reads a message from its start, and tells as the client library does what ended too early from what never was right.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next frame.
    pub fn frame(&mut self) -> Result<Frame, AskError> {
        let length = frame_length(self.field()?).map_err(misbehaved)?;
        Frame::decode(self.take(length)?).map_err(misbehaved)
    }

    /// The next blob, no longer than this.
    pub fn blob(&mut self, limit: usize) -> Result<&'a [u8], AskError> {
        let length = blob_length(self.field()?, limit).map_err(misbehaved)?;
        self.take(length)
    }

    /// What was delivered from a place, the first frame already read. As the client library does, an id is held against
    /// the hash of what it names.
    pub fn deliveries(&mut self, first: Frame, from: Destination) -> Result<Vec<(Delivery, Vec<u8>)>, AskError> {
        let mut delivered = Vec::new();
        let mut next = first;
        while let Frame::Delivery(delivery) = next {
            let envelope = self.blob(limits::ENVELOPE_BYTES)?;
            let (ttl, reply_mailbox) = (delivery.ttl, delivery.reply_mailbox);
            let deposited = Deposit { to: from, ticket: None, ttl, reply_mailbox };
            if deposited.envelope_id(envelope) != delivery.id {
                return Err(AskError::Misbehaved);
            }
            delivered.push((delivery, envelope.to_vec()));
            next = self.frame()?;
        }
        if next == Frame::Drained { Ok(delivered) } else { Err(refused(&next)) }
    }

    /// All that has not been read.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn field(&mut self) -> Result<[u8; 4], AskError> {
        self.take(4)?.try_into().map_err(|_| AskError::Lost)
    }

    /// The next so many bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], AskError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(AskError::Lost)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// What a frame means that nobody waited for.
fn refused(frame: &Frame) -> AskError {
    if let Frame::Refused(code) = frame { AskError::Refused(*code) } else { AskError::Misbehaved }
}

fn misbehaved(_: FrameError) -> AskError {
    AskError::Misbehaved
}
