//! The bytes of one message on a stream: frames, blobs, and what follows them.

use rohrpost_wire::frame::{Delivery, Deposit, Destination, blob_length, frame_length};
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

/// Reads a message from its start.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next frame; nothing if there is none, whole and as it should be.
    pub fn frame(&mut self) -> Option<Frame> {
        let length = frame_length(self.field()?).ok()?;
        Frame::decode(self.take(length)?).ok()
    }

    /// The next blob, if it is whole and no longer than this.
    pub fn blob(&mut self, limit: usize) -> Option<&'a [u8]> {
        let length = blob_length(self.field()?, limit).ok()?;
        self.take(length)
    }

    /// What was delivered from a place, the first frame already read; nothing if one thing about it is not as it should
    /// be. As the client library does, an id is held against the hash of what it names.
    pub fn deliveries(&mut self, first: Frame, from: Destination) -> Option<Vec<(Delivery, Vec<u8>)>> {
        let mut delivered = Vec::new();
        let mut next = first;
        while let Frame::Delivery(delivery) = next {
            let envelope = self.blob(limits::ENVELOPE_BYTES)?;
            let (ttl, reply_mailbox) = (delivery.ttl, delivery.reply_mailbox);
            let deposited = Deposit { to: from, ticket: None, ttl, reply_mailbox };
            if deposited.envelope_id(envelope) != delivery.id {
                return None;
            }
            delivered.push((delivery, envelope.to_vec()));
            next = self.frame()?;
        }
        (next == Frame::Drained).then_some(delivered)
    }

    /// All that has not been read.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn field(&mut self) -> Option<[u8; 4]> {
        self.take(4)?.try_into().ok()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}
