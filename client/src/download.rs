//! An object as it arrives behind a reply: opened chunk by chunk, its padding checked and cut off.

use std::fmt;
use std::time::Duration;

use quinn::{ReadError, RecvStream};
use rohrpost_e2ee::body::Manifest;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectOpener, TAG_BYTES};

use crate::error::{AskError, VisitError};
use crate::stream::{in_time, read_error};

/// Silence after which a transfer is given up.
const CHUNK_TIME: Duration = Duration::from_secs(30);

/// One transfer. Memory: one chunk, and what QUIC's stream window holds.
pub struct Download {
    manifest: Box<Manifest>,
    recv: RecvStream,
    opener: Option<ObjectOpener>,
    /// Padded bytes not yet received.
    unread: u64,
    /// Bytes of content not yet handed out.
    remaining: u64,
}

impl Download {
    /// Prepares to receive what the manifest announces. Refuses a manifest whose lengths do not belong together.
    pub(crate) fn new(manifest: Box<Manifest>, recv: RecvStream) -> Result<Self, VisitError> {
        if !manifest.is_consistent() {
            return Err(VisitError::Open);
        }
        let (unread, remaining) = (manifest.padded, manifest.length);
        Ok(Self { manifest, recv, opener: None, unread, remaining })
    }

    /// What is being received.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The next piece of content, authentic and in its place; `None` after the last, when the object was complete.
    ///
    /// A piece may be shown as it comes. It must not be committed to before `None` came and the hash of the whole
    /// content was compared with the manifest's.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, VisitError> {
        if self.opener.is_none() {
            self.opener = Some(self.read_header().await?);
        }
        loop {
            let Some(mut chunk) = self.next_chunk().await? else { return Ok(None) };
            let content = chunk.len().min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
            if chunk.split_off(content).iter().any(|byte| *byte != 0) {
                return Err(VisitError::Open);
            }
            self.remaining -= content as u64;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }

    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, VisitError> {
        let Some(opener) = &mut self.opener else { return Ok(None) };
        if opener.is_finished() {
            expect_end(&mut self.recv).await?;
            return Ok(None);
        }
        let length = usize::try_from(self.unread).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        self.unread -= length as u64;
        let mut chunk = vec![0; length + TAG_BYTES];
        read_exact(&mut self.recv, &mut chunk).await?;
        opener.open_in_place(&mut chunk)?;
        Ok(Some(chunk))
    }

    async fn read_header(&mut self) -> Result<ObjectOpener, VisitError> {
        let mut header = [0; HEADER_BYTES];
        read_exact(&mut self.recv, &mut header).await?;
        let key = ObjectKey::from(&self.manifest.key);
        Ok(ObjectOpener::new(&key, &header, &self.manifest.context())?)
    }
}

async fn read_exact(recv: &mut RecvStream, bytes: &mut [u8]) -> Result<(), VisitError> {
    let read = async { recv.read_exact(bytes).await.map_err(|error| read_error(&error)) };
    Ok(in_time(CHUNK_TIME, read).await?)
}

async fn expect_end(recv: &mut RecvStream) -> Result<(), VisitError> {
    let read = async {
        match recv.read(&mut [0]).await {
            Ok(None) => Ok(()),
            Err(ReadError::Reset(_) | ReadError::ConnectionLost(_)) => Err(AskError::Lost),
            Ok(Some(_)) | Err(_) => Err(AskError::Misbehaved),
        }
    };
    Ok(in_time(CHUNK_TIME, read).await?)
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Download({:?}, {} left)", self.manifest, self.remaining)
    }
}
