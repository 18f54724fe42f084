//! Files that are either not there or whole: private from the first byte, renamed into place, made durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes a new empty file that its owner alone can read; refuses one that exists.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)
}

/// Makes a folder that its owner alone can enter.
pub(super) fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// Writes a file whole or not at all: under a name of its own, made durable, then renamed over the old one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_added_extension("new");
    // Left behind by a crash; nobody has been told that it exists.
    ignore_missing(fs::remove_file(&fresh))?;
    let written = create_private(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    if written.is_err() {
        // The error that counts is the first one; a leftover is removed by the next attempt.
        let _leftover = fs::remove_file(&fresh);
    }
    written.and_then(|()| sync_parent(path))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the name of a file durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or_else(|| Path::new(".")))
}

/// A file that is not there is as good as removed.
pub(super) fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether room is what was missing, on the disk or in the owner's quota.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Readable and writable by the owner alone.
pub(super) const FILE_MODE: u32 = 0o600;
/// To be entered by the owner alone.
pub(super) const FOLDER_MODE: u32 = 0o700;
