//! The committed corpora: inputs that once reached something new, or once broke something.

use std::fs;
use std::path::{Path, PathBuf};

/// Files of one corpus: every run of the tests replays all of them.
pub const MOST_FILES: usize = 64;

/// Where the corpus of a target lies.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target's corpus, in the order of their names.
///
/// # Panics
///
/// If there is none, or one that cannot be read: a target without a corpus is not replayed.
pub fn read(target: &str) -> Vec<Vec<u8>> {
    let folder = folder(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}
