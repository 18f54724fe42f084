//! Whether an open file is still the one at its path, and this user's alone.
//!
//! A part lies in a folder that others may share. Before it is cut or written, and before it gets its final name, it
//! must be a plain file of this user, under one name only, closed to everybody else: so nothing that somebody else laid
//! there is overwritten, and nobody reads along.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// What an open file is to its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The one there, and this user's alone.
    Genuine,
    /// No longer there: it was removed, renamed or exchanged.
    Moved,
    /// There, but not this user's alone, or no plain file.
    Foreign,
}

/// Looks at an open file and at its path.
pub(crate) fn look(file: &File, path: &Path) -> io::Result<Found> {
    let open = file.metadata()?;
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Moved),
        there => there?,
    };
    Ok(match (is_same(&open, &there), open.is_file() && is_own(&open)) {
        (false, _) => Found::Moved,
        (true, false) => Found::Foreign,
        (true, true) => Found::Genuine,
    })
}

/// Whether opening failed because a symbolic link lies there.
#[cfg(unix)]
pub(crate) fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Whether opening failed because a symbolic link lies there. They are followed here; making one takes an administrator.
#[cfg(not(unix))]
pub(crate) fn is_link(_: &io::Error) -> bool {
    false
}

#[cfg(unix)]
fn is_same(open: &Metadata, there: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// The standard library tells no identity of a file here; an open one cannot be exchanged.
#[cfg(not(unix))]
fn is_same(_: &Metadata, there: &Metadata) -> bool {
    there.is_file()
}

#[cfg(unix)]
fn is_own(open: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    open.uid() == rustix::process::geteuid().as_raw() && open.nlink() == 1 && !crate::stored::is_exposed(open)
}

#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::stored;

    fn made(path: &Path) -> File {
        stored::private().read(true).write(true).create_new(true).open(path).unwrap()
    }

    #[test]
    fn a_file_that_was_renamed_removed_or_exchanged_has_moved() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("part"), folder.path().join("other"));
        let file = made(&path);
        assert_eq!(look(&file, &path).unwrap(), Found::Genuine);
        fs::rename(&path, &other).unwrap();
        assert_eq!(look(&file, &path).unwrap(), Found::Moved);
        drop(made(&path));
        assert_eq!(look(&file, &path).unwrap(), Found::Moved);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert_eq!(look(&file, &path).unwrap(), Found::Moved, "even a link to it is not it");
    }

    #[test]
    fn a_file_with_a_second_name_or_open_to_others_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        let file = made(&path);
        fs::hard_link(&path, folder.path().join("second")).unwrap();
        assert_eq!(look(&file, &path).unwrap(), Found::Foreign);
        fs::remove_file(folder.path().join("second")).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(look(&file, &path).unwrap(), Found::Foreign, "{mode:o}");
        }
    }
}
