//! Small private files that are whole or not there: version byte, postcard, checksum.
//!
//! Layout: version (1 byte), canonical postcard, SHA-256 over the label and all bytes before it (32 bytes). The sum
//! finds damage, not tampering: whoever can write here has the keys. A file is replaced by writing another beside it,
//! syncing and renaming, is readable by its owner alone, and is refused when somebody else may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rohrpost_wire::{address, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A kind of file: told from the others by its label, and of a version of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Goes into the sum.
    pub label: &'static [u8],
    /// The one version that is written and read.
    pub version: u8,
}

const SUM_BYTES: usize = 32;
/// More than the longest file: names of at most 200 characters, a host name, keys.
const LONGEST: u64 = 64 * 1024;

/// Why a kept file cannot be used. It holds the path for the sentence to a person; `Display` does not tell it.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// Somebody else may read or change it.
    #[error("file or folder is open to other users")]
    Exposed(PathBuf),
    /// Not what was written.
    #[error("file is damaged")]
    Damaged(PathBuf),
    /// Written by another version.
    #[error("file of an unknown version")]
    Unsupported(PathBuf),
    /// The disk or the operating system refused.
    #[error("file cannot be read or written")]
    Disk(PathBuf, #[source] io::Error),
}

/// How a failed operation on a path is told.
pub(crate) fn disk(path: &Path) -> impl FnOnce(io::Error) -> StoredError {
    let path = path.to_owned();
    move |error| StoredError::Disk(path, error)
}

/// Reads a file; `None` if there is none.
pub(crate) fn read<T>(path: &Path, kind: Kind) -> Result<Option<T>, StoredError>
where
    T: Serialize + DeserializeOwned,
{
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk(path)(error)),
    };
    if is_exposed(&file.metadata().map_err(disk(path))?) {
        return Err(StoredError::Exposed(path.to_owned()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST).read_to_end(&mut bytes).map_err(disk(path))?;
    unframe(&bytes, kind, path).map(Some)
}

/// Replaces a file; durable when this returns.
pub(crate) fn write<T: Serialize>(path: &Path, kind: Kind, value: &T) -> Result<(), StoredError> {
    replace(path, &frame(kind, value)).map_err(disk(path))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), StoredError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk(path)(error)),
        _ => Ok(()),
    }
}

/// Syncs a folder, so that a rename in it lasts.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // The folder of a bare name is the present one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Windows opens no folder as a file; its renames are journalled.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The options by which every private file is opened: for its owner alone, never through a symbolic link.
#[cfg(unix)]
pub(crate) fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// The options by which every private file is opened. A user's own folders are closed to others here.
#[cfg(not(unix))]
pub(crate) fn private() -> OpenOptions {
    OpenOptions::new()
}

fn frame<T: Serialize>(kind: Kind, value: &T) -> Zeroizing<Vec<u8>> {
    let body = codec::encode_secret(value);
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + body.len() + SUM_BYTES));
    bytes.push(kind.version);
    bytes.extend_from_slice(&body);
    let sum = address::hash(kind.label, &[&bytes]);
    bytes.extend(sum);
    bytes
}

fn unframe<T>(bytes: &[u8], kind: Kind, path: &Path) -> Result<T, StoredError>
where
    T: Serialize + DeserializeOwned,
{
    let damaged = || StoredError::Damaged(path.to_owned());
    let (framed, sum) = bytes.split_last_chunk::<SUM_BYTES>().ok_or_else(damaged)?;
    if address::hash(kind.label, &[framed]) != *sum {
        return Err(damaged());
    }
    match framed.split_first() {
        Some((version, body)) if *version == kind.version => codec::decode(body).map_err(|_| damaged()),
        Some(_) => Err(StoredError::Unsupported(path.to_owned())),
        None => Err(damaged()),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    // What an interrupted run left behind may have been made by anyone: never written into, always made anew.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().write(true).create_new(true).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Best effort: the error that counts is the first one.
        drop(fs::remove_file(&beside));
    }
    written?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Whether anybody but the owner may do anything with a file.
#[cfg(unix)]
pub(crate) fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o077 != 0
}

/// Whether anybody but the owner may do anything with a file. Not to be seen in a mode here.
#[cfg(not(unix))]
pub(crate) fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { label: b"test", version: 2 };

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        (folder, path)
    }

    #[test]
    fn a_value_reads_back_and_is_replaced() {
        let (_folder, path) = file();
        assert!(read::<u32>(&path, KIND).unwrap().is_none());
        for value in [7, 8u32] {
            write(&path, KIND, &value).unwrap();
            assert_eq!(read(&path, KIND).unwrap(), Some(value));
        }
    }

    #[test]
    fn any_changed_or_missing_byte_is_found() {
        let (_folder, path) = file();
        write(&path, KIND, &String::from("value")).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(matches!(read::<String>(&path, KIND), Err(StoredError::Damaged(_))), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(read::<String>(&path, KIND), Err(StoredError::Damaged(_))), "cut at {at}");
        }
    }

    #[test]
    fn a_file_of_another_kind_or_version_is_refused() {
        let (_folder, path) = file();
        write(&path, Kind { label: b"other", ..KIND }, &7u32).unwrap();
        assert!(matches!(read::<u32>(&path, KIND), Err(StoredError::Damaged(_))));
        for version in [1, 3] {
            write(&path, Kind { version, ..KIND }, &7u32).unwrap();
            assert!(matches!(read::<u32>(&path, KIND), Err(StoredError::Unsupported(_))), "{version}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_its_owners_alone_and_refused_when_it_is_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = file();
        write(&path, KIND, &7u32).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read::<u32>(&path, KIND), Err(StoredError::Exposed(_))), "{mode:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_laid_where_the_new_file_goes_is_not_written_through() {
        let (folder, path) = file();
        let victim = folder.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("value.new")).unwrap();
        write(&path, KIND, &7u32).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(read(&path, KIND).unwrap(), Some(7u32));
    }
}
