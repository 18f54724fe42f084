//! The witness on disk: read and put right when a spool is opened, written over after each commit.
//!
//! A write over is not flushed, so that it costs an answer no flush: it outlives the process at once, and a power cut as
//! soon as the system has written it back. What cannot be written is told once and stops nothing: the commit is durable
//! already, and a witness that says too little raises no false alarm.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Standing, WITNESS_BYTES, Witness, decode, encode, judge};
use crate::folder;

/// The file, and the number of commits that it stands for.
#[derive(Debug)]
pub(in crate::spool) struct WitnessFile {
    /// None where it can be neither opened nor made.
    file: Option<File>,
    commits: u64,
    standing: Standing,
    told: bool,
}

impl WitnessFile {
    /// Opens one in which this was found, beside a database that counts so many commits. Where it says something else than what is to be counted on
    /// from, it is made anew, durably: one that a power cut leaves empty would be called damaged.
    pub(in crate::spool) fn open(database: &Path, found: Witness, counted: u64) -> Self {
        let path = path_beside(database);
        let (standing, commits) = judge(counted, found);
        let ready = if found == Witness::Says(commits) { Ok(()) } else { folder::write_whole(&path, &encode(commits)) };
        let mut witness = Self { file: None, commits, standing, told: false };
        match ready.and_then(|()| File::options().write(true).open(path)) {
            Ok(file) => witness.file = Some(file),
            Err(error) => witness.tell(&error),
        }
        witness
    }

    /// What was found when it was opened.
    pub(in crate::spool) fn standing(&self) -> Standing {
        self.standing
    }

    /// The number of the next commit.
    pub(in crate::spool) fn next(&self) -> u64 {
        self.commits.saturating_add(1)
    }

    /// Takes down that the commit of this number is durable.
    pub(in crate::spool) fn confirm(&mut self, number: u64) {
        self.commits = number;
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.rewind().and_then(|()| file.write_all(&encode(number))) {
            self.tell(&error);
        }
    }

    fn tell(&mut self, error: &io::Error) {
        if !self.told {
            let kind = error.kind();
            tracing::warn!(?kind, "witness of the spool cannot be written: a damaged log may go unnoticed");
        }
        self.told = true;
    }
}

fn path_beside(database: &Path) -> PathBuf {
    database.with_extension("witness")
}

/// Reads the one beside a database.
pub(in crate::spool) fn read(database: &Path) -> Witness {
    match read_whole(&path_beside(database)) {
        Ok(bytes) => decode(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Witness::Missing,
        Err(_) => Witness::Unreadable,
    }
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than there may be, so that a longer file is seen to be one.
    File::open(path)?.take(WITNESS_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
