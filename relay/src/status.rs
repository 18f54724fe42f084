//! What a data folder holds, read without disturbing the relay that may be serving it.

use std::path::Path;

use rohrpost_wire::RelayKeyHash;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::folder::{self, FolderError};
use crate::spool::{OpenError, summary};

/// A relay's state on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The version of this form.
    pub version: u8,
    /// The URL under which the folder was last served.
    pub url: Option<String>,
    /// The hash that clients pin, in hexadecimal.
    pub key_hash: String,
    /// Whether a relay serves the folder now.
    pub served: bool,
    /// What waits.
    #[serde(flatten)]
    pub spool: Summary,
}

/// What a spool holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Envelopes that wait.
    pub envelopes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them came, in seconds since 1970.
    pub oldest: Option<u64>,
    /// Reply mailboxes.
    pub mailboxes: u64,
    /// Safes whose records are kept.
    pub record_sets: u64,
    /// Damaged envelopes and record sets that were set aside.
    pub quarantined: u64,
}

/// Why a status cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The spool in it.
    #[error(transparent)]
    Spool(#[from] OpenError),
}

/// Reads the state of a data folder.
pub fn read(data: &Path) -> Result<Status, StatusError> {
    let RelayKeyHash(hash) = folder::read_key(data)?.hash();
    let path = folder::spool_path(data);
    if !path.exists() {
        return Err(FolderError::Missing.into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(&path, flags).map_err(OpenError::from)?;
    let spool = summary(&database)?;
    let served = folder::is_served(data);
    Ok(Status { version: 1, url: folder::last_url(data), key_hash: hash.to_hex(), served, spool })
}

impl Status {
    /// One line per thing.
    pub fn lines(&self, now: u64) -> String {
        let Summary { envelopes, bytes, oldest, mailboxes, record_sets, quarantined } = &self.spool;
        let hash = &self.key_hash;
        let url = self.url.clone().unwrap_or_else(|| format!("not served yet (key {hash})"));
        let served = if self.served { "yes" } else { "no" };
        let age = oldest.map_or_else(|| "none".to_owned(), |oldest| age(now.saturating_sub(oldest)));
        format!(
            "relay: {url}\nserved: {served}\nenvelopes: {envelopes}\nbytes: {bytes}\noldest: {age}\n\
             mailboxes: {mailboxes}\nrecord sets: {record_sets}\nquarantined: {quarantined}\n"
        )
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_per_thing() {
        let spool = Summary { envelopes: 2, bytes: 900, oldest: Some(1000), quarantined: 1, ..Summary::default() };
        let status = Status { version: 1, url: None, key_hash: "ab".into(), served: true, spool };
        let expected = "relay: not served yet (key ab)\nserved: yes\nenvelopes: 2\nbytes: 900\noldest: 3 h ago\n\
                        mailboxes: 0\nrecord sets: 0\nquarantined: 1\n";
        assert_eq!(status.lines(1000 + 3 * 3600 + 5), expected);
    }

    #[test]
    fn a_folder_that_never_was_a_relays_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        assert!(matches!(read(&nowhere), Err(StatusError::Folder(FolderError::Missing))));
    }
}
