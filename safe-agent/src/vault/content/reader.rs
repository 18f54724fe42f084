//! Reading one content file from any place, a chunk in memory at a time.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectOpener, TAG_BYTES};
use zeroize::Zeroizing;

use super::{ContentError, ContentId, content_path};
use crate::vault::folder::Folder;

/// Reads a document. What it hands out has been verified; that the document is complete is verified at the start.
pub struct ContentReader {
    file: File,
    opener: ObjectOpener,
    shape: Shape,
    chunk: Zeroizing<Vec<u8>>,
    /// The number of the chunk in memory.
    loaded: Option<u64>,
    position: u64,
}

impl ContentReader {
    /// Opens a file and verifies its last chunk, so a truncated file is refused before its first byte is handed out.
    pub fn open(folder: &Folder, id: ContentId, key: &ObjectKey) -> Result<Self, ContentError> {
        let file = File::open(content_path(folder, id))?;
        let shape = Shape::of_file_length(file.metadata()?.len())?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let opener = ObjectOpener::new(key, &header, &id.context()).map_err(|_| ContentError::Damaged)?;
        let chunk = Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES));
        let mut reader = Self { file, opener, shape, chunk, loaded: None, position: 0 };
        reader.load(shape.full_chunks)?;
        Ok(reader)
    }

    /// The document's true length.
    pub fn length(&self) -> u64 {
        self.shape.length()
    }

    /// Goes to a byte; the end itself is allowed.
    pub fn seek(&mut self, offset: u64) -> Result<(), ContentError> {
        if offset > self.length() {
            return Err(ContentError::PastEnd);
        }
        self.position = offset;
        Ok(())
    }

    /// Reads up to the end of the buffer or of the chunk; 0 bytes mean the end of the document.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ContentError> {
        if self.position >= self.length() || buffer.is_empty() {
            return Ok(0);
        }
        self.load(self.position / CHUNK)?;
        let within = usize::try_from(self.position % CHUNK).map_err(|_| ContentError::Damaged)?;
        let rest = self.chunk.get(within..).ok_or(ContentError::Damaged)?;
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.position += count as u64;
        Ok(count)
    }

    fn load(&mut self, index: u64) -> Result<(), ContentError> {
        if self.loaded == Some(index) {
            return Ok(());
        }
        self.loaded = None;
        let last = index == self.shape.full_chunks;
        let sealed = if last { self.shape.last_bytes + TAG_BYTES } else { SEALED_CHUNK_BYTES };
        self.chunk.clear();
        self.chunk.resize(sealed, 0);
        self.file.read_exact_at(&mut self.chunk, HEADER_BYTES as u64 + index * SEALED_CHUNK_BYTES as u64)?;
        self.opener.seek(index);
        self.opener.open_in_place(&mut self.chunk).map_err(|_| ContentError::Damaged)?;
        if self.opener.is_finished() != last {
            return Err(ContentError::Damaged);
        }
        self.loaded = Some(index);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn chunk_capacity(&self) -> usize {
        self.chunk.capacity()
    }
}

impl fmt::Debug for ContentReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentReader({} of {} bytes)", self.position, self.length())
    }
}

/// How many chunks a file has; behind the full ones there is always a shorter last one, perhaps empty.
#[derive(Clone, Copy)]
struct Shape {
    full_chunks: u64,
    last_bytes: usize,
}

impl Shape {
    fn of_file_length(bytes: u64) -> Result<Self, ContentError> {
        let chunks = bytes.checked_sub(HEADER_BYTES as u64).ok_or(ContentError::Damaged)?;
        let last = usize::try_from(chunks % SEALED_CHUNK_BYTES as u64).map_err(|_| ContentError::Damaged)?;
        let last_bytes = last.checked_sub(TAG_BYTES).ok_or(ContentError::Damaged)?;
        Ok(Self { full_chunks: chunks / SEALED_CHUNK_BYTES as u64, last_bytes })
    }

    fn length(self) -> u64 {
        self.full_chunks * CHUNK + self.last_bytes as u64
    }
}

const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const CHUNK: u64 = CHUNK_BYTES as u64;
