//! The data folder: the relay's key, its spool, its lock and the URL it was last served under.
//!
//! Invariant: at most one relay serves a folder at a time, and its key is made once and never replaced by itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rohrpost_wire::address::hash;
use zeroize::Zeroizing;

use crate::spool::is_full;
use crate::tls::RelayKey;

/// The folder of a running relay; the lock is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no such folder.
    #[error("no such folder")]
    Missing,
    /// Another relay serves it.
    #[error("folder is in use")]
    InUse,
    /// The key file is not what was written.
    #[error("damaged key file")]
    DamagedKey,
    /// Others on this machine may read the key file.
    #[error("exposed key file")]
    ExposedKey,
    /// The folder has been served before, and its key file is gone.
    #[error("lost key file")]
    LostKey,
    /// The disk is full.
    #[error("disk full")]
    Full,
    /// The operating system gave no random bytes.
    #[error("no randomness")]
    NoRandomness,
    /// Anything else the operating system said.
    #[error("folder not usable")]
    Unusable(#[source] io::Error),
}

/// The first byte of a key file.
const KEY_VERSION: u8 = 1;
/// Version, seed, and the first bytes of the sum over both.
const KEY_FILE_BYTES: usize = 1 + 32 + 8;

impl Folder {
    /// Opens a folder to serve it, making it if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        make_private_folder(path)?;
        let file = private().write(true).create(true).truncate(false).open(path.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The relay's key, made at the first start.
    pub(crate) fn key(&self) -> Result<RelayKey, FolderError> {
        match read_key(&self.path) {
            Err(FolderError::Missing) => {}
            known => return known,
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| FolderError::NoRandomness)?;
        // As long as it gets: one that grows leaves copies behind.
        let mut file = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES));
        file.push(KEY_VERSION);
        file.extend_from_slice(seed.as_slice());
        let sum = key_sum(&file);
        file.extend_from_slice(&sum);
        self.write("relay.key", &file)?;
        Ok(RelayKey::from_seed(&seed))
    }

    /// The database of the spool, made private before SQLite first opens it; its companions inherit the mode.
    pub(crate) fn spool(&self) -> Result<PathBuf, FolderError> {
        let path = spool_path(&self.path);
        private().write(true).create(true).truncate(false).open(&path)?;
        Ok(path)
    }

    /// Keeps the URL for `status`, unless it is there already.
    pub(crate) fn keep_url(&self, url: &str) -> Result<(), FolderError> {
        if last_url(&self.path).as_deref() == Some(url) {
            return Ok(());
        }
        self.write("relay.url", url.as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        Ok(write_whole(&self.path.join(name), bytes)?)
    }
}

/// Writes a private file whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_added_extension("new");
    // One may lie here from a start that was cut off. What is opened is new, so it is nobody else's, and private.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().write(true).create_new(true).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    // The name itself is durable only when its folder is.
    sync_folder(parent(path))
}

/// Where the spool's database lies in a folder.
pub(crate) fn spool_path(folder: &Path) -> PathBuf {
    folder.join("spool.db")
}

/// The URL a folder was last served under.
pub(crate) fn last_url(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join("relay.url")).ok()
}

/// Whether a relay serves this folder now.
pub(crate) fn is_served(folder: &Path) -> bool {
    let lock = File::open(folder.join("lock"));
    lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Reads the key of a folder. Where everything else of a relay is, a key was, and a new one would be a new identity.
pub(crate) fn read_key(folder: &Path) -> Result<RelayKey, FolderError> {
    let mut file = match File::open(folder.join("relay.key")).map_err(FolderError::from) {
        Err(FolderError::Missing) if was_served(folder)? => return Err(FolderError::LostKey),
        opened => opened?,
    };
    if is_exposed(&file)? {
        return Err(FolderError::ExposedKey);
    }
    let mut buffer = Zeroizing::new([0; KEY_FILE_BYTES + 1]);
    let bytes = read_up_to(&mut file, buffer.as_mut_slice())?;
    let (content, sum) = bytes.split_last_chunk::<8>().ok_or(FolderError::DamagedKey)?;
    let seed: &[u8; 32] = match content.split_first() {
        Some((&KEY_VERSION, seed)) => seed.try_into().map_err(|_| FolderError::DamagedKey)?,
        _ => return Err(FolderError::DamagedKey),
    };
    if key_sum(content) == *sum { Ok(RelayKey::from_seed(seed)) } else { Err(FolderError::DamagedKey) }
}

/// Reads until the buffer is full or the file has ended.
fn read_up_to<'a>(file: &mut File, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
}

/// Whether a relay has been served from here: it makes its key first.
fn was_served(folder: &Path) -> Result<bool, FolderError> {
    Ok(spool_path(folder).try_exists()? || folder.join("relay.url").try_exists()?)
}

fn key_sum(content: &[u8]) -> [u8; 8] {
    let full = hash(b"rohrpost/1 relay-key file", &[content]);
    let mut sum = [0; 8];
    sum.copy_from_slice(full.split_at(8).0);
    sum
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else if is_full(&error) {
            Self::Full
        } else {
            Self::Unusable(error)
        }
    }
}

/// Makes a folder and those it lies in, durably: each name is as durable as the folder it stands in.
fn make_private_folder(path: &Path) -> Result<(), FolderError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists()).collect();
    private_folders().recursive(true).create(path)?;
    for made in missing {
        sync_folder(parent(made))?;
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private_folders() -> std::fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_folders() -> std::fs::DirBuilder {
    std::fs::DirBuilder::new()
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(test)]
mod tests;
