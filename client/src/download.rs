//! An object as it arrives behind a reply, read from its stream in time.

use std::time::Duration;

use quinn::{ReadError, RecvStream};
use rohrpost_e2ee::body::Manifest;

use crate::assembly::Assembly;
use crate::error::{AskError, VisitError};
use crate::stream::{in_time, read_error};

/// Silence after which a transfer is given up.
const CHUNK_TIME: Duration = Duration::from_secs(30);

/// One transfer. Memory: one chunk, and what QUIC's stream window holds.
#[derive(Debug)]
pub struct Download {
    assembly: Assembly,
    recv: RecvStream,
}

impl Download {
    /// Prepares to receive what the manifest announces. Refuses a manifest whose lengths do not belong together.
    pub(crate) fn new(manifest: Box<Manifest>, recv: RecvStream) -> Result<Self, VisitError> {
        Ok(Self { assembly: Assembly::new(manifest)?, recv })
    }

    /// What is being received.
    pub fn manifest(&self) -> &Manifest {
        self.assembly.manifest()
    }

    /// The next piece of content, authentic and in its place; `None` after the last, when the object was complete.
    ///
    /// A piece may be shown as it comes. It must not be committed to before `None` came and the hash of the whole
    /// content was compared with the manifest's.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, VisitError> {
        while let Some(wanted) = self.assembly.wanted() {
            let mut bytes = vec![0; wanted];
            read_exact(&mut self.recv, &mut bytes).await?;
            let piece = self.assembly.handle(bytes)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        expect_end(&mut self.recv).await?;
        Ok(None)
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
