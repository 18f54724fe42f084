//! What the owner is told when the vault cannot be used: which file, what is wrong with it, what to do.
//!
//! The errors themselves carry no names, so that they may go into logs; the file's name joins them here, at the edge.

use std::fmt;
use std::path::PathBuf;

use super::content::ContentError;
use super::durable;
use super::folder::FolderError;
use super::slots::{ChangeError, CreateError, UnlockError};
use super::store::StoreError;

/// A fault of one file, in one sentence with its remedy. For the owner's eyes, at the safe itself.
#[derive(Debug)]
pub struct Trouble {
    file: PathBuf,
    fault: Fault,
}

impl Trouble {
    /// Joins a fault with the file it is about.
    pub fn new(file: impl Into<PathBuf>, fault: impl Into<Fault>) -> Self {
        Self { file: file.into(), fault: fault.into() }
    }

    /// The fault without the file.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.file.display(), self.fault, self.fault.remedy())
    }
}

impl std::error::Error for Trouble {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.fault)
    }
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// With the data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// With opening `vault.keys`.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// With writing `vault.keys`.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// With `vault.db`.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// With a file under `content`.
    #[error(transparent)]
    Content(#[from] ContentError),
}

impl From<ChangeError> for Fault {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unlock(error) => Self::Unlock(error),
            ChangeError::Create(error) => Self::Create(error),
        }
    }
}

impl Fault {
    /// What the owner can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Folder(error) => folder_remedy(error),
            Self::Unlock(error) => unlock_remedy(error),
            Self::Create(error) => create_remedy(error),
            Self::Store(error) => store_remedy(*error),
            Self::Content(error) => content_remedy(error),
        }
    }
}

fn folder_remedy(error: &FolderError) -> &'static str {
    match error {
        FolderError::AlreadyOpen => "stop the other process, or speak to the safe it serves",
        FolderError::AlreadyAVault => "serve it, or choose another folder for a new safe",
        FolderError::NotEmpty => "choose an empty folder",
        FolderError::Missing => "check the path, or run `init` to make a new safe there",
        FolderError::NotYours => "run this command as the user who serves it",
        FolderError::NotAVault => "check the path, or restore `vault.keys` from a backup",
        FolderError::Unfinished => "run `init` again; nothing was kept in it yet",
        FolderError::Io(error) => io_remedy(error),
    }
}

fn unlock_remedy(error: &UnlockError) -> &'static str {
    match error {
        UnlockError::WrongPassphrase => "type it again, or unlock with a recovery sheet",
        UnlockError::WrongRecovery => "check the sheet's characters and that it is this safe's",
        UnlockError::Damaged => "nothing was changed: put this one file back from a backup; the passphrase stays",
        UnlockError::Newer => "start the newer release of the safe; nothing was changed",
        UnlockError::OutOfMemory => MORE_MEMORY,
        UnlockError::Missing => "put this one file back from a backup; without it the data cannot be opened",
        UnlockError::Io(_) => UNREADABLE,
    }
}

fn create_remedy(error: &CreateError) -> &'static str {
    match error {
        CreateError::PassphraseTooShort => "choose one of at least ten characters",
        CreateError::CostOutOfBounds | CreateError::TooManySlots => "choose fewer or smaller",
        CreateError::Exists => "nothing was changed: choose another folder for a new safe",
        CreateError::OutOfMemory => MORE_MEMORY,
        CreateError::Io(error) => io_remedy(error),
    }
}

fn store_remedy(error: StoreError) -> &'static str {
    match error {
        StoreError::DiskFull => FREE_SPACE,
        StoreError::Poisoned => "check the disk, then start the safe again: what was answered is kept",
        StoreError::Damaged => "stop the safe, keep a copy of the folder as it is, and restore the last backup",
        StoreError::Foreign => "check the path: another program's database lies there",
        StoreError::Newer => "start the newer release of the safe; nothing was changed",
        StoreError::WrongKey => "put back the `vault.keys` that belongs to it; nothing was changed",
        StoreError::SetBack(_) | StoreError::Altered => SET_BACK,
        StoreError::Busy => "close the other program and start again",
        StoreError::Unavailable(_) => UNREADABLE,
        StoreError::RowTooLarge | StoreError::KeyTooLong | StoreError::TooManyWrites => "make the change smaller",
        StoreError::JobPanicked => "nothing was changed: report this as a defect",
        StoreError::Closed => "start the safe again",
    }
}

fn content_remedy(error: &ContentError) -> &'static str {
    match error {
        ContentError::Damaged | ContentError::Missing => "put this one file back from a backup",
        ContentError::DiskFull => FREE_SPACE,
        ContentError::Exists | ContentError::Abandoned | ContentError::PastEnd => {
            "nothing was changed: report this as a defect"
        }
        ContentError::Io(_) => UNREADABLE,
    }
}

fn io_remedy(error: &std::io::Error) -> &'static str {
    if durable::is_full(error) { FREE_SPACE } else { UNREADABLE }
}

const SET_BACK: &str = "a device that was revoked or a share that was taken back may work again: nothing was changed; keep a copy of the \
     folder, restore a backup if one is newer, or go on without with `rohrpost-safe accept-loss`, which says what to check";
const FREE_SPACE: &str = "free some space and try again; nothing was lost";
const UNREADABLE: &str = "check the disk, and that the file belongs to the user the safe runs as";
const MORE_MEMORY: &str = "free some memory and try again";
