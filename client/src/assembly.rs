//! An object put together from the bytes of a stream: opened chunk by chunk, its padding checked and cut off.
//!
//! A plain value: it says how many bytes come next and takes exactly those. Nothing comes out that is not authentic and
//! in its place; after the last chunk the stream must end.

use std::fmt;

use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::body::Manifest;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectOpener, TAG_BYTES};

/// One object on its way in. Memory: nothing but what is handed in.
pub struct Assembly {
    manifest: Box<Manifest>,
    opener: Option<ObjectOpener>,
    /// Padded bytes not yet received.
    unread: u64,
    /// Bytes of content not yet handed out.
    remaining: u64,
}

impl Assembly {
    /// Prepares for what the manifest announces. Refuses one whose lengths do not belong together.
    pub fn new(manifest: Box<Manifest>) -> Result<Self, OpenError> {
        if !manifest.is_consistent() {
            return Err(OpenError);
        }
        let (unread, remaining) = (manifest.padded, manifest.length);
        Ok(Self { manifest, opener: None, unread, remaining })
    }

    /// What is being received.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many bytes come next; `None` when all have come and the stream must end.
    pub fn wanted(&self) -> Option<usize> {
        match &self.opener {
            None => Some(HEADER_BYTES),
            Some(opener) if opener.is_finished() => None,
            Some(_) => Some(self.chunk_bytes() + TAG_BYTES),
        }
    }

    /// Takes the next bytes, as many as were wanted, and hands out the content in them: none in a header or padding. After
    /// an error the object is lost.
    pub fn handle(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, OpenError> {
        if self.wanted() != Some(bytes.len()) {
            return Err(OpenError);
        }
        let Some(opener) = &mut self.opener else {
            self.opener = Some(self.open_header(&bytes)?);
            return Ok(Vec::new());
        };
        opener.open_in_place(&mut bytes)?;
        self.unread = self.unread.saturating_sub(bytes.len() as u64);
        let content = bytes.len().min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
        if bytes.split_off(content).iter().any(|byte| *byte != 0) {
            return Err(OpenError);
        }
        self.remaining -= content as u64;
        Ok(bytes)
    }

    fn open_header(&self, bytes: &[u8]) -> Result<ObjectOpener, OpenError> {
        let header = bytes.try_into().map_err(|_| OpenError)?;
        ObjectOpener::new(&ObjectKey::from(&self.manifest.key), header, &self.manifest.context())
    }

    fn chunk_bytes(&self) -> usize {
        usize::try_from(self.unread).unwrap_or(usize::MAX).min(CHUNK_BYTES)
    }
}

impl fmt::Debug for Assembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assembly({:?}, {} left)", self.manifest, self.remaining)
    }
}
