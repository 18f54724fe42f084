//! The data folder: what lies where, who may enter, and that one process alone has it open.
//!
//! A folder being made carries the file `unfinished` until everything in it is durable, so `init` may be cut off
//! anywhere and run again, and a folder without `vault.keys` is never mistaken for a vault that may be overwritten.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::durable::{self, FILE_MODE, FOLDER_MODE, ignore_missing};

/// A data folder that this process has open, and no other.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held for as long as the folder is open; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Folder {
    /// Takes an empty or missing folder for a new vault. Nothing counts before [`NewFolder::finish`].
    pub fn create(path: &Path) -> Result<NewFolder, FolderError> {
        let path = std::path::absolute(path)?;
        if !path.try_exists()? {
            durable::create_private_folder(&path)?;
            durable::sync_parent(&path)?;
        }
        let path = real_and_ours(&path)?;
        refuse_foreign(&path)?;
        let folder = Self::lock(path)?;
        refuse_foreign(&folder.path)?;
        folder.clear_unfinished()?;
        fs::set_permissions(&folder.path, Permissions::from_mode(FOLDER_MODE))?;
        durable::replace(&folder.marker_path(), b"")?;
        durable::create_private_folder(&folder.content_path())?;
        durable::sync_folder(&folder.path)?;
        Ok(NewFolder { folder })
    }

    /// Opens the folder of a vault and keeps every other process out.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let path = std::path::absolute(path)?;
        if !path.try_exists()? {
            return Err(FolderError::Missing);
        }
        let path = real_and_ours(&path)?;
        if path.join(UNFINISHED).try_exists()? {
            return Err(FolderError::Unfinished);
        }
        if !path.join(KEYS).try_exists()? {
            return Err(FolderError::NotAVault);
        }
        let folder = Self::lock(path)?;
        // A copy or a restore may have widened it, or dropped an empty folder.
        fs::set_permissions(&folder.path, Permissions::from_mode(FOLDER_MODE))?;
        if !folder.content_path().try_exists()? {
            durable::create_private_folder(&folder.content_path())?;
            durable::sync_folder(&folder.path)?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The wrapped vault key.
    pub fn keys_path(&self) -> PathBuf {
        self.path.join(KEYS)
    }

    /// The database of sealed rows.
    pub fn database_path(&self) -> PathBuf {
        self.path.join("vault.db")
    }

    /// The documents' bytes.
    pub fn content_path(&self) -> PathBuf {
        self.path.join("content")
    }

    /// The owner's local socket.
    pub fn socket_path(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    fn marker_path(&self) -> PathBuf {
        self.path.join(UNFINISHED)
    }

    fn lock(path: PathBuf) -> Result<Self, FolderError> {
        let place = path.join("lock");
        let lock = File::options().create(true).truncate(false).read(true).write(true).open(&place)?;
        fs::set_permissions(&place, Permissions::from_mode(FILE_MODE))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::AlreadyOpen),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Throws away what a cut-off `init` left. Nobody was ever told that any of it exists.
    fn clear_unfinished(&self) -> Result<(), FolderError> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if KEPT.iter().any(|kept| name == *kept) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                ignore_missing(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }
}

/// A folder whose vault is being made.
#[derive(Debug)]
pub struct NewFolder {
    folder: Folder,
}

impl NewFolder {
    /// The folder to fill.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Declares the vault made: from here on the folder opens, and `init` refuses it.
    pub fn finish(self) -> Result<Folder, FolderError> {
        durable::sync_folder(&self.folder.path)?;
        fs::remove_file(self.folder.marker_path())?;
        durable::sync_folder(&self.folder.path)?;
        Ok(self.folder)
    }
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it open.
    #[error("the data folder is already open by a served safe")]
    AlreadyOpen,
    /// To be made new, but there is a vault in it.
    #[error("the data folder already holds a vault")]
    AlreadyAVault,
    /// To be made new, but there is something in it that is not ours.
    #[error("the data folder is not empty")]
    NotEmpty,
    /// There is no such folder.
    #[error("there is no such data folder")]
    Missing,
    /// It is another user's: whatever this process wrote there, that user's safe could not use.
    #[error("the safe belongs to another user")]
    NotYours,
    /// There is no `vault.keys` in it.
    #[error("the data folder holds no vault")]
    NotAVault,
    /// Its making was cut off.
    #[error("the vault in the data folder was never finished")]
    Unfinished,
    /// The file system refused.
    #[error("the data folder cannot be used")]
    Io(#[from] io::Error),
}

/// Where a folder lies behind all symbolic links, if it is this user's. The database is opened without following any, so
/// they must be followed here.
fn real_and_ours(path: &Path) -> Result<PathBuf, FolderError> {
    let path = fs::canonicalize(path)?;
    let ours = fs::metadata(&path)?.uid() == rustix::process::geteuid().as_raw();
    if ours { Ok(path) } else { Err(FolderError::NotYours) }
}

/// Refuses a folder that holds anything but what a cut-off `init` leaves.
fn refuse_foreign(path: &Path) -> Result<(), FolderError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name());
    }
    let unfinished = names.iter().any(|name| name == UNFINISHED);
    if !unfinished && names.iter().any(|name| name == KEYS) {
        return Err(FolderError::AlreadyAVault);
    }
    let allowed = |name: &str| KEPT.contains(&name) || (unfinished && OURS.contains(&name));
    let foreign = names.iter().any(|name| !name.to_str().is_some_and(allowed));
    if foreign { Err(FolderError::NotEmpty) } else { Ok(()) }
}

const KEYS: &str = "vault.keys";
const UNFINISHED: &str = "unfinished";

/// What a folder may hold and still be new: the lock, the marker under both its names, and what a fresh file system
/// puts into its root.
const KEPT: [&str; 4] = ["lock", UNFINISHED, "unfinished.new", "lost+found"];

/// What a cut-off `init` may leave besides.
const OURS: [&str; 9] = [
    KEYS,
    "vault.keys.new",
    "vault.db",
    "vault.db-wal",
    "vault.db-shm",
    "vault.db-journal",
    "vault.witness",
    "vault.witness.new",
    "content",
];

#[cfg(test)]
mod tests;
