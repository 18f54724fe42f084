//! The data folder: the relay's key, its spool, its lock and the URL it was last served under.
//!
//! Invariant: at most one relay serves a folder at a time, and its key is made once and never replaced by itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rohrpost_wire::address::hash;

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
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| FolderError::NoRandomness)?;
        let mut file = vec![KEY_VERSION];
        file.extend(seed);
        let sum = key_sum(&file);
        file.extend(sum);
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

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let temporary = self.path.join(format!("{name}.new"));
        let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, self.path.join(name))?;
        // The name itself is durable only when its folder is.
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }
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
    let mut bytes = Vec::new();
    let file = match File::open(folder.join("relay.key")).map_err(FolderError::from) {
        Err(FolderError::Missing) if was_served(folder)? => return Err(FolderError::LostKey),
        opened => opened?,
    };
    file.take(KEY_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let (content, sum) = bytes.split_last_chunk::<8>().ok_or(FolderError::DamagedKey)?;
    let seed: &[u8; 32] = match content.split_first() {
        Some((&KEY_VERSION, seed)) => seed.try_into().map_err(|_| FolderError::DamagedKey)?,
        _ => return Err(FolderError::DamagedKey),
    };
    if key_sum(content) == *sum { Ok(RelayKey::from_seed(seed)) } else { Err(FolderError::DamagedKey) }
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

#[cfg(unix)]
fn make_private_folder(path: &Path) -> Result<(), FolderError> {
    use std::os::unix::fs::DirBuilderExt as _;
    Ok(std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?)
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> Result<(), FolderError> {
    Ok(std::fs::create_dir_all(path)?)
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
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path()).unwrap().key().unwrap().hash();
        assert_eq!(Folder::open(folder.path()).unwrap().key().unwrap().hash(), first);
        assert_eq!(read_key(folder.path()).unwrap().hash(), first);
    }

    #[test]
    fn a_key_file_with_any_flipped_bit_or_length_is_called_damaged() {
        let folder = tempfile::tempdir().unwrap();
        Folder::open(folder.path()).unwrap().key().unwrap();
        let path = folder.path().join("relay.key");
        let good = std::fs::read(&path).unwrap();
        let flipped = (0..good.len()).map(|place| {
            let mut bad = good.clone();
            bad[place] ^= 4;
            bad
        });
        let resized = [good[1..].to_vec(), [&good[..], &[0]].concat(), Vec::new()];
        for bad in flipped.chain(resized) {
            std::fs::write(&path, bad).unwrap();
            let again = Folder::open(folder.path()).unwrap().key();
            assert!(matches!(again, Err(FolderError::DamagedKey)));
        }
    }

    #[test]
    fn a_lost_key_is_not_replaced_beside_what_was_served_with_it() {
        for rest in ["spool.db", "relay.url"] {
            let folder = tempfile::tempdir().unwrap();
            let opened = Folder::open(folder.path()).unwrap();
            opened.key().unwrap();
            opened.spool().unwrap();
            opened.keep_url("url").unwrap();
            for gone in ["relay.key", "spool.db", "relay.url"].iter().filter(|name| **name != rest) {
                std::fs::remove_file(folder.path().join(gone)).unwrap();
            }
            assert!(matches!(opened.key(), Err(FolderError::LostKey)), "{rest}");
            assert!(!folder.path().join("relay.key").exists());
        }
    }

    #[test]
    fn a_url_that_has_not_changed_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::open(folder.path()).unwrap();
        opened.keep_url("url").unwrap();
        // A folder in the way of the second file stands for a disk without room.
        std::fs::create_dir(folder.path().join("relay.url.new")).unwrap();
        assert!(opened.keep_url("url").is_ok());
        assert!(opened.keep_url("another").is_err());
    }

    #[test]
    fn a_folder_is_served_by_one_relay_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_served(folder.path()));
        let first = Folder::open(folder.path()).unwrap();
        assert!(is_served(folder.path()));
        assert!(matches!(Folder::open(folder.path()), Err(FolderError::InUse)));
        drop(first);
        assert!(!is_served(folder.path()));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_on_the_machine_reads_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("relay");
        let folder = Folder::open(&inner).unwrap();
        folder.key().unwrap();
        folder.spool().unwrap();
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(inner.clone()), 0o700);
        assert_eq!(mode(inner.join("relay.key")), 0o600);
        assert_eq!(mode(inner.join("spool.db")), 0o600);
    }
}
