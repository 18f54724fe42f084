//! The witness on disk: read and put right when a vault is opened, written over after each commit.
//!
//! A write over is not flushed, so that it costs an answer no flush: it outlives the process at once, and a power cut as
//! soon as the system has written it back. What cannot be written is told once and stops nothing: the commit is durable
//! already, and a witness that says too little raises no false alarm.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{Standing, WITNESS_BYTES, Witness, decode, encode, judge, resume};
use crate::vault::durable;

/// The file, and the number of commits that it stands for.
#[derive(Debug)]
pub(in crate::vault) struct WitnessFile {
    /// None where it can be neither opened nor made.
    file: Option<File>,
    commits: u64,
    standing: Standing,
    told: bool,
}

/// A witness that was held against a database, and not yet touched.
#[derive(Debug)]
pub(in crate::vault) struct Compared {
    path: PathBuf,
    found: Witness,
    counted: Option<u64>,
}

impl Compared {
    /// Reads the witness beside a database that counts so many commits, unless that count is damaged.
    pub(in crate::vault) fn with(path: PathBuf, counted: Option<u64>) -> Self {
        Self { found: read(&path), path, counted }
    }

    /// What came of it.
    pub(in crate::vault) fn standing(&self) -> Standing {
        judge(self.counted, self.found)
    }

    /// Opens it, when what the database counts is durable. Where it says something else than what is to be counted on from,
    /// it is made anew, durably: one that a power cut leaves empty would be called damaged.
    pub(in crate::vault) fn put_right(self) -> WitnessFile {
        let commits = resume(self.counted, self.found);
        let right = self.found == Witness::Says(commits);
        let ready = if right { Ok(()) } else { durable::replace(&self.path, &encode(commits)) };
        let mut witness = WitnessFile { file: None, commits, standing: self.standing(), told: false };
        match ready.and_then(|()| File::options().write(true).open(self.path)) {
            Ok(file) => witness.file = Some(file),
            Err(error) => witness.tell(&error),
        }
        witness
    }
}

impl WitnessFile {
    /// What was found when it was opened.
    pub(in crate::vault) fn standing(&self) -> Standing {
        self.standing
    }

    /// The number of the next commit.
    pub(in crate::vault) fn next(&self) -> u64 {
        self.commits.saturating_add(1)
    }

    /// Takes down that the commit of this number is durable.
    pub(in crate::vault) fn confirm(&mut self, number: u64) {
        self.commits = number;
        let Some(file) = &self.file else { return };
        if let Err(error) = file.write_all_at(&encode(number), 0) {
            self.tell(&error);
        }
    }

    fn tell(&mut self, error: &io::Error) {
        if !self.told {
            tracing::warn!(kind = ?error.kind(), "the vault's witness cannot be written: a damaged log may go unnoticed");
        }
        self.told = true;
    }
}

fn read(path: &Path) -> Witness {
    match read_whole(path) {
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
