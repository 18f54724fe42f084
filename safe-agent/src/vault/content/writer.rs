//! Writing one content file, a chunk in memory at a time.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use rand_core::CryptoRng;
use ring::digest;
use rohrpost_e2ee::object::{CHUNK_BYTES, ObjectKey, ObjectSealer, SALT_BYTES, TAG_BYTES};
use rohrpost_wire::fixed::Fixed;
use zeroize::Zeroizing;

use super::{ContentError, ContentId, content_path, part_path};
use crate::vault::durable;
use crate::vault::folder::Folder;

/// Takes a document's bytes as they come. Dropped before [`ContentWriter::finish`], it leaves nothing.
pub struct ContentWriter {
    part: Part,
    sealer: ObjectSealer,
    chunk: Zeroizing<Vec<u8>>,
    hash: digest::Context,
    length: u64,
    abandoned: bool,
}

/// What was written: to be kept in the document's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    /// The true length in bytes.
    pub length: u64,
    /// SHA-256 of the plaintext.
    pub sha256: Fixed<32>,
}

impl ContentWriter {
    /// Begins a file under an id and a key that are both fresh.
    pub fn create(
        folder: &Folder,
        id: ContentId,
        key: &ObjectKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, ContentError> {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let sealer = ObjectSealer::new(key, salt, &id.context());
        let mut part = Part::create(folder, id)?;
        part.file.write_all(sealer.header())?;
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        let hash = digest::Context::new(&digest::SHA256);
        Ok(Self { part, sealer, chunk, hash, length: 0, abandoned: false })
    }

    /// Appends bytes. After an error the document is given up.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), ContentError> {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.chunk.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            self.hash.update(now);
            self.length += now.len() as u64;
            bytes = later;
            if self.chunk.len() == CHUNK_BYTES {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    /// Ends the document, makes it durable and gives it its name. Blocks for a disk flush.
    pub fn finish(mut self) -> Result<ContentDigest, ContentError> {
        self.write_chunk()?;
        self.part.keep()?;
        let mut sha256 = Fixed([0; 32]);
        sha256.0.copy_from_slice(self.hash.finish().as_ref());
        Ok(ContentDigest { length: self.length, sha256 })
    }

    /// Seals what is in memory. A short chunk marks the end.
    fn write_chunk(&mut self) -> Result<(), ContentError> {
        if self.abandoned {
            return Err(ContentError::Abandoned);
        }
        // Until all of it is written: a chunk that was sealed cannot be sealed again.
        self.abandoned = true;
        self.sealer.seal(&mut self.chunk).map_err(|_| ContentError::Abandoned)?;
        self.part.file.write_all(&self.chunk)?;
        self.chunk.clear();
        self.abandoned = false;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn chunk_capacity(&self) -> usize {
        self.chunk.capacity()
    }
}

impl fmt::Debug for ContentWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentWriter({} bytes)", self.length)
    }
}

/// A file under its temporary name, removed when dropped.
struct Part {
    file: File,
    path: PathBuf,
    finished: PathBuf,
    kept: bool,
}

impl Part {
    fn create(folder: &Folder, id: ContentId) -> Result<Self, ContentError> {
        let finished = content_path(folder, id);
        if finished.try_exists()? {
            return Err(ContentError::Exists);
        }
        if let Some(shelf) = finished.parent() {
            match durable::create_private_folder(shelf) {
                Ok(()) => durable::sync_parent(shelf)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        let path = part_path(&finished);
        let file = durable::create_private(&path)?;
        Ok(Self { file, path, finished, kept: false })
    }

    fn keep(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.finished)?;
        self.kept = true;
        durable::sync_parent(&self.finished)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is swept at the next start.
            let _swept_later = fs::remove_file(&self.path);
        }
    }
}
