//! Where a finished document goes, and the one rename that brings it there.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::names;
use crate::partial::PartialError;

/// Files of one name in one folder.
const SAME_NAMES: u32 = 10_000;

/// Where a finished document goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a folder (an empty path is the present one), under the first free one of its name, `name (2)` …
    Folder(PathBuf),
    /// To this file.
    File {
        /// The file.
        path: PathBuf,
        /// Whether one that exists is replaced.
        replace: bool,
    },
}

impl Place {
    /// In which folder.
    pub(crate) fn folder(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::File { path, .. } => path.parent().map(Path::to_owned).unwrap_or_default(),
        }
    }

    /// Under which name, before a number is added.
    pub(crate) fn base_name(&self, file_name: &str) -> String {
        match self {
            Self::Folder(_) => names::sanitise(file_name),
            Self::File { path, .. } => {
                names::sanitise(&path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default())
            }
        }
    }

    /// Gives a finished part its final name and returns it.
    pub(crate) fn receive(&self, part: &Path, file_name: &str) -> Result<PathBuf, PartialError> {
        match self {
            Self::File { path, replace } => rename(part, path, *replace),
            Self::Folder(folder) => first_free(part, folder, &self.base_name(file_name)),
        }
    }
}

fn first_free(part: &Path, folder: &Path, name: &str) -> Result<PathBuf, PartialError> {
    let mut number = 1;
    loop {
        let path = folder.join(names::numbered(name, number));
        match rename(part, &path, false) {
            Err(PartialError::Exists(_)) if number < SAME_NAMES => number += 1,
            result => return result,
        }
    }
}

fn rename(from: &Path, to: &Path, replace: bool) -> Result<PathBuf, PartialError> {
    let renamed = if replace { fs::rename(from, to) } else { rename_to_new(from, to) };
    match renamed {
        Ok(()) => Ok(to.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(PartialError::Exists(to.to_owned())),
        Err(error) => Err(PartialError::Disk(to.to_owned(), error)),
    }
}

/// Renames without replacing, in one step where the system can.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_if_new(from, to),
        result => result.map_err(Into::into),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_if_new(from, to)
}

/// Looks, then renames: between the two another program could make the file.
fn rename_if_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}
