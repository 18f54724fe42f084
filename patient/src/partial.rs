//! A document that has arrived in part: its bytes beside its future place, and a note of how many of them are good.
//!
//! `.NAME.rohrpost-part` holds the bytes, `.NAME.rohrpost-part.state` which document and version they are of and how
//! many were verified and synced. After a kill at any moment the noted bytes are there; what lies behind them is cut
//! off. The final name appears by one rename, after the caller compared the hash of the whole.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ring::digest;
use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_wire::fixed::Fixed;
use serde::{Deserialize, Serialize};

use crate::genuine::{self, Found};
use crate::names;
use crate::place::Place;
use crate::stored;

/// How much may arrive before it is synced and noted: what a kill costs at most.
const CHECKPOINT_BYTES: u64 = 1024 * 1024;
/// How much is hashed at once when a kept part is taken up again.
const REHASH_BYTES: usize = 256 * 1024;
/// How often a part may move away between being opened and being locked.
const OPENINGS: u32 = 16;
/// Parts of different documents that have one name in one folder.
const SAME_NAMES: u32 = 100;
const STATE_KIND: stored::Kind = stored::Kind { label: b"rohrpost/1 partial document", version: 1 };

/// What is known of a kept part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Of which document.
    pub document: DocumentId,
    /// Of which version.
    pub version: VersionHash,
    /// How many bytes from its start.
    pub verified: u64,
}

/// Why a part cannot be kept or finished. It holds the path for the sentence to a person.
#[derive(Debug, thiserror::Error)]
pub enum PartialError {
    /// Another run is fetching into the same part.
    #[error("partial file is in use")]
    InUse(PathBuf),
    /// The final name exists.
    #[error("file exists")]
    Exists(PathBuf),
    /// What lies at the part's place is not this user's alone, or was exchanged.
    #[error("partial file is not this user's alone")]
    Foreign(PathBuf),
    /// The disk or the operating system refused.
    #[error("file cannot be read or written")]
    Disk(PathBuf, #[source] io::Error),
}

/// An open part. Dropping it keeps what was noted.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    kept: Option<Kept>,
    hash: Sum,
    /// Bytes that are in the hash.
    hashed: u64,
}

impl Partial {
    /// Opens the part for a document: the one that was begun, or a new one. The same name in the same folder for
    /// several documents gives each its own part; a named file has one, whatever was in it.
    pub fn claim(place: &Place, file_name: &str, document: DocumentId) -> Result<Self, PartialError> {
        let folder = place.folder();
        let name = place.base_name(file_name);
        if let Place::File { .. } = place {
            return Self::open(&folder, &name);
        }
        let belongs = |number: &u32| {
            let state = note_of(&folder.join(part_name(&names::numbered(&name, *number))));
            read_note(&state).is_some_and(|kept| kept.document == document)
        };
        if let Some(number) = (1..=SAME_NAMES).find(belongs) {
            return Self::open(&folder, &names::numbered(&name, number));
        }
        for number in 1..=SAME_NAMES {
            match Self::open(&folder, &names::numbered(&name, number)) {
                Ok(partial) if partial.kept.is_none() => return Ok(partial),
                Ok(_) | Err(PartialError::InUse(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PartialError::InUse(folder.join(part_name(&name))))
    }

    fn open(folder: &Path, name: &str) -> Result<Self, PartialError> {
        let path = folder.join(part_name(name));
        let file = open_genuine(&path)?;
        let length = file.metadata().map_err(disk(&path))?.len();
        let kept = read_note(&note_of(&path)).filter(|kept| kept.verified <= length);
        let mut partial = Self { file, path, kept, hash: Sum::new(), hashed: 0 };
        partial.cut(kept.map_or(0, |kept| kept.verified))?;
        Ok(partial)
    }

    /// What is kept, as far as it was noted.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Hashes a piece of what is kept; true while there is more. To be called until it is false before bytes are added.
    pub fn rehash_some(&mut self) -> Result<bool, PartialError> {
        let length = self.file.metadata().map_err(disk(&self.path))?.len();
        if self.hashed >= length {
            return Ok(false);
        }
        let mut piece = vec![0; REHASH_BYTES];
        let read = self.file.read(&mut piece).map_err(disk(&self.path))?;
        piece.truncate(read);
        self.hash.update(&piece);
        self.hashed += read as u64;
        if read == 0 { Err(disk(&self.path)(io::ErrorKind::UnexpectedEof.into())) } else { Ok(true) }
    }

    /// Forgets what is kept and begins a version of a document.
    pub fn begin(&mut self, document: DocumentId, version: VersionHash) -> Result<(), PartialError> {
        self.clear()?;
        self.kept = Some(Kept { document, version, verified: 0 });
        Ok(())
    }

    /// Forgets what is kept.
    pub fn clear(&mut self) -> Result<(), PartialError> {
        self.kept = None;
        let note = note_of(&self.path);
        stored::remove(&note).map_err(from_stored)?;
        self.cut(0)
    }

    /// Adds verified bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), PartialError> {
        self.file.write_all(bytes).map_err(disk(&self.path))?;
        self.hash.update(bytes);
        self.hashed += bytes.len() as u64;
        let noted = self.kept.map_or(0, |kept| kept.verified);
        if self.hashed - noted >= CHECKPOINT_BYTES { self.checkpoint() } else { Ok(()) }
    }

    /// Syncs and notes all that has been added.
    pub fn checkpoint(&mut self) -> Result<(), PartialError> {
        let Some(kept) = self.kept.as_mut() else { return Ok(()) };
        if kept.verified == self.hashed {
            return Ok(());
        }
        self.file.sync_data().map_err(disk(&self.path))?;
        kept.verified = self.hashed;
        stored::write(&note_of(&self.path), STATE_KIND, kept).map_err(from_stored)
    }

    /// How many bytes there are, all of them hashed.
    pub fn length(&self) -> u64 {
        self.hashed
    }

    /// SHA-256 of all bytes.
    pub fn sha256(&self) -> Fixed<32> {
        self.hash.value()
    }

    /// Gives the whole its final name, durably, and returns it.
    pub fn commit(self, place: &Place, file_name: &str) -> Result<PathBuf, PartialError> {
        self.file.sync_all().map_err(disk(&self.path))?;
        if genuine::look(&self.file, &self.path).map_err(disk(&self.path))? != Found::Genuine {
            return Err(PartialError::Foreign(self.path));
        }
        let path = place.receive(&self.path, file_name)?;
        // The document is there. What follows is worth trying, and no reason to say that it is not.
        drop(stored::remove(&note_of(&self.path)));
        drop(stored::sync_folder(&place.folder()));
        Ok(path)
    }

    /// Removes a part in which there is nothing; says where one lies that is kept.
    pub fn tidy(self) -> Option<PathBuf> {
        if self.hashed == 0 && self.kept.is_none_or(|kept| kept.verified == 0) {
            self.discard();
            return None;
        }
        Some(self.path)
    }

    /// Removes it, if it still lies there.
    pub fn discard(self) {
        if matches!(genuine::look(&self.file, &self.path), Ok(Found::Genuine)) {
            // Best effort: a hidden file does no harm.
            drop(fs::remove_file(&self.path));
            drop(fs::remove_file(note_of(&self.path)));
        }
    }

    /// Cuts the file and goes to its start, so that what is left can be hashed.
    fn cut(&mut self, length: u64) -> Result<(), PartialError> {
        use std::io::Seek as _;
        self.hash = Sum::new();
        self.hashed = 0;
        self.file.set_len(length).and_then(|()| self.file.rewind()).map_err(disk(&self.path))
    }
}

/// Opens and locks the file at this path, or makes it; nothing is written before it is known to be this user's alone.
fn open_genuine(path: &Path) -> Result<File, PartialError> {
    for _ in 0..OPENINGS {
        let file = match stored::private().read(true).write(true).create(true).truncate(false).open(path) {
            Err(error) if genuine::is_link(&error) => return Err(PartialError::Foreign(path.to_owned())),
            file => file.map_err(disk(path))?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(PartialError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(disk(path)(error)),
        }
        match genuine::look(&file, path).map_err(disk(path))? {
            Found::Genuine => return Ok(file),
            Found::Foreign => return Err(PartialError::Foreign(path.to_owned())),
            // Whoever held the lock until now has just given the file its final name.
            Found::Moved => {}
        }
    }
    Err(PartialError::InUse(path.to_owned()))
}

/// SHA-256 as it grows.
struct Sum(digest::Context);

impl Sum {
    fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn value(&self) -> Fixed<32> {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.clone().finish().as_ref());
        Fixed(bytes)
    }
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sum")
    }
}

fn part_name(name: &str) -> String {
    format!(".{name}.rohrpost-part")
}

fn note_of(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".state");
    PathBuf::from(name)
}

/// A note that cannot be read is no note: the part is fetched anew.
fn read_note(path: &Path) -> Option<Kept> {
    stored::read(path, STATE_KIND).ok().flatten()
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> PartialError {
    let path = path.to_owned();
    move |error| PartialError::Disk(path, error)
}

/// Writing a note fails only for the disk's sake.
fn from_stored(error: stored::StoredError) -> PartialError {
    use stored::StoredError;
    match error {
        StoredError::Disk(path, error) => PartialError::Disk(path, error),
        StoredError::Exposed(path) | StoredError::Damaged(path) | StoredError::Unsupported(path) => {
            PartialError::Disk(path, io::ErrorKind::InvalidData.into())
        }
    }
}

#[cfg(test)]
mod tests;
