//! The documents' bytes: one file each, sealed in chunks under a key of its own that lies in the document's sealed row.
//!
//! `content/ab/abcd…` holds a C2SP chunked-encryption object whose context names the content id, so a file that was
//! flipped, cut or put in another's place does not open. A file is there whole or not at all: what a crash leaves is
//! swept at the next start, and set aside if it was whole. Deleting the row that holds the key makes a left-over copy unreadable.

mod reader;
mod sweep;
mod writer;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use rohrpost_wire::fixed::Fixed;

use super::durable::{self, ignore_missing};
use super::folder::Folder;

pub use self::reader::ContentReader;
pub use self::sweep::{Swept, sweep_content};
pub use self::writer::{ContentDigest, ContentWriter};

/// The random name of a content file. Public: it stands as a file name on the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub Fixed<16>);

impl ContentId {
    /// Draws an id.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(Fixed(bytes))
    }

    /// What the object is sealed for.
    fn context(self) -> Vec<u8> {
        [b"rohrpost/1 content".as_slice(), self.0.as_ref()].concat()
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentId({:?})", self.0)
    }
}

/// Removes a document's bytes, for good once this returns; no matter whether they were there.
pub fn remove_content(folder: &Folder, id: ContentId) -> Result<(), ContentError> {
    let path = content_path(folder, id);
    match fs::remove_file(&path) {
        Ok(()) => Ok(durable::sync_parent(&path)?),
        removed @ Err(_) => Ok(ignore_missing(removed)?),
    }
}

/// Why content was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// There is no such file.
    #[error("the document's bytes are missing")]
    Missing,
    /// The file is not what was written, or the key is another.
    #[error("the document's bytes were altered or damaged")]
    Damaged,
    /// No room; nothing of the document was kept.
    #[error("the disk is full, and nothing of the document was kept")]
    DiskFull,
    /// The id is taken.
    #[error("there is content under this id already")]
    Exists,
    /// A write failed before; the document cannot be finished.
    #[error("the document was given up after a failed write")]
    Abandoned,
    /// Behind the last byte.
    #[error("the place is behind the end of the document")]
    PastEnd,
    /// The file system refused.
    #[error("the document's bytes cannot be read or written")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ContentError {
    fn from(error: io::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other kind is kept as it came")]
        match error.kind() {
            _ if durable::is_full(&error) => Self::DiskFull,
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::UnexpectedEof => Self::Damaged,
            io::ErrorKind::AlreadyExists => Self::Exists,
            _ => Self::Io(error),
        }
    }
}

/// Where the finished file lies.
fn content_path(folder: &Folder, id: ContentId) -> PathBuf {
    let name = id.0.to_hex();
    let shelf = name.chars().take(SHELF_CHARS).collect::<String>();
    folder.content_path().join(shelf).join(name)
}

/// Where the file lies while it is written.
fn part_path(finished: &Path) -> PathBuf {
    finished.with_added_extension(PART)
}

/// 256 shelves keep every folder short at a million documents.
const SHELF_CHARS: usize = 2;
const PART: &str = "part";

#[cfg(test)]
mod tests;
