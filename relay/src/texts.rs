//! What an operator is told when something does not work: one sentence that names the file or address and what to do.
//!
//! All of it stands here, so that it can be read, corrected and translated in one place.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use crate::folder::FolderError;
use crate::server::BindError;
use crate::spool::{Failure, OpenError};
use crate::status::StatusError;

/// A sentence for the operator, and the exit code of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    version: u8,
    error: String,
    code: u8,
}

/// How a program of this project ends; the same in all of them.
mod exit {
    pub(super) const OTHER: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const NOT_FOUND: u8 = 3;
    pub(super) const TRY_AGAIN: u8 = 5;
    pub(super) const DAMAGED: u8 = 6;
    pub(super) const DISK: u8 = 7;
}

impl Complaint {
    fn new(code: u8, error: String) -> Self {
        Self { version: 1, error, code }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The sentence, or the same as one JSON object.
    pub fn render(&self, json: bool) -> String {
        if json { serde_json::to_string(self).unwrap_or_default() } else { format!("error: {}", self.error) }
    }
}

/// A relay that did not start.
pub(crate) fn bind(error: &BindError, data: &Path, listen: SocketAddr) -> Complaint {
    match error {
        BindError::AddressInUse => Complaint::new(
            exit::TRY_AGAIN,
            format!("something else listens at UDP {listen}; stop it, or choose another address with --listen"),
        ),
        BindError::Address(error) => Complaint::new(
            exit::OTHER,
            format!(
                "cannot listen at UDP {listen} ({}); choose an address of this machine with --listen",
                error.kind()
            ),
        ),
        BindError::Limit(name) => Complaint::new(
            exit::USAGE,
            format!("the limit {name} is too small or too large to work with; see relay.example.toml for its default"),
        ),
        BindError::PublicHost => {
            Complaint::new(exit::USAGE, "the public host cannot stand in a URL; give --public as HOST:PORT".to_owned())
        }
        BindError::Folder(error) => folder(error, data),
        BindError::Spool(error) => spool(error, data),
        BindError::Tls(_) => {
            Complaint::new(exit::OTHER, "TLS could not be set up with the key; report this as a bug".to_owned())
        }
    }
}

/// A status that could not be read.
pub(crate) fn status(error: &StatusError, data: &Path) -> Complaint {
    match error {
        StatusError::Folder(FolderError::Missing) => Complaint::new(
            exit::NOT_FOUND,
            format!("no relay has been served from {}; name its data folder with --data", data.display()),
        ),
        StatusError::Folder(error) => folder(error, data),
        StatusError::Spool(error) => spool(error, data),
    }
}

fn folder(error: &FolderError, data: &Path) -> Complaint {
    let path = data.display();
    match error {
        FolderError::Missing => Complaint::new(
            exit::NOT_FOUND,
            format!("the data folder {path} does not exist and cannot be made; create it"),
        ),
        FolderError::InUse => {
            Complaint::new(exit::TRY_AGAIN, format!("another relay serves {path}; stop it, or choose another --data"))
        }
        FolderError::DamagedKey => Complaint::new(
            exit::DAMAGED,
            format!("{path}/relay.key is damaged; restore it from a backup, a new key would make every URL invalid"),
        ),
        FolderError::ExposedKey => Complaint::new(
            exit::OTHER,
            format!(
                "others on this machine may read {path}/relay.key; make it private (chmod 600), and start as a new relay \
                 if somebody else may have read it"
            ),
        ),
        FolderError::LostKey => Complaint::new(
            exit::DAMAGED,
            format!(
                "{path}/relay.key is gone, while the rest of the relay is there; restore it from a backup, or move the \
                 folder away to start as a new relay, under which every URL given out so far is invalid"
            ),
        ),
        FolderError::Full => full(data),
        FolderError::NoRandomness => {
            Complaint::new(exit::OTHER, "the operating system gives no random bytes; no key can be made".to_owned())
        }
        FolderError::Unusable(error) => Complaint::new(
            exit::OTHER,
            format!("the data folder {path} cannot be used ({}); check its owner and permissions", error.kind()),
        ),
    }
}

fn spool(error: &OpenError, data: &Path) -> Complaint {
    let path = data.display();
    match error {
        OpenError::Newer => Complaint::new(
            exit::OTHER,
            format!("{path}/spool.db was written by a newer relay; install that version again, or a newer one"),
        ),
        OpenError::Older => Complaint::new(
            exit::OTHER,
            format!(
                "{path}/spool.db was written before the first release and cannot be read any more; move it away to start \
                 with an empty spool, senders will send again"
            ),
        ),
        OpenError::Damaged(_) | OpenError::DamagedRows => Complaint::new(
            exit::DAMAGED,
            format!("{path}/spool.db is damaged; move it away to start with an empty spool, senders will send again"),
        ),
        OpenError::Full => full(data),
        OpenError::NotDurable => Complaint::new(
            exit::OTHER,
            format!("the file system of {path} cannot keep a write-ahead log; put the data folder on a local disk"),
        ),
        OpenError::Unreadable(_) => {
            Complaint::new(exit::OTHER, format!("{path}/spool.db cannot be read; check its owner and permissions"))
        }
    }
}

fn full(data: &Path) -> Complaint {
    Complaint::new(exit::DISK, format!("the disk of {} is full; make room and start again", data.display()))
}

/// A running relay whose spool has failed.
pub(crate) fn spool_failed(failure: Failure, data: &Path) -> Complaint {
    let path = data.display();
    match failure {
        Failure::Disk => Complaint::new(
            exit::DISK,
            format!("{path}/spool.db could not be written and the relay has stopped; check the disk and start again"),
        ),
        Failure::Damaged => Complaint::new(
            exit::DAMAGED,
            format!(
                "{path}/spool.db is damaged and the relay has stopped; check the disk, then move the file away to start \
                 with an empty spool, senders will send again"
            ),
        ),
    }
}

/// A configuration file that does not exist or cannot be read.
pub(crate) fn config_unreadable(file: &Path, error: &std::io::Error) -> Complaint {
    let code = if error.kind() == std::io::ErrorKind::NotFound { exit::NOT_FOUND } else { exit::OTHER };
    Complaint::new(code, format!("cannot read the configuration {} ({})", file.display(), error.kind()))
}

/// A configuration file that says something unknown.
pub(crate) fn config_wrong(file: &Path, error: &toml::de::Error) -> Complaint {
    let reason = error.message();
    Complaint::new(exit::USAGE, format!("the configuration {} is not valid: {reason}", file.display()))
}

/// No place to keep data was given, and the machine has no usual one.
pub(crate) fn no_data_folder() -> Complaint {
    Complaint::new(exit::USAGE, "this machine has no usual place for data; name a folder with --data".to_owned())
}

/// A log filter that is none.
pub(crate) fn log_filter(filter: &str) -> Complaint {
    Complaint::new(exit::USAGE, format!("{filter} is not a log filter; use error, warn, info, debug or trace"))
}

/// The runtime, or a signal handler, could not be set up.
pub(crate) fn system(error: &impl Display) -> Complaint {
    Complaint::new(exit::OTHER, format!("the operating system refused what the relay needs to run: {error}"))
}

/// The URL names this machine only.
pub(crate) const LOCAL_ONLY: &str =
    "the URL names this machine by its loopback address; others need --public HOST:PORT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_place_and_the_remedy_and_is_one_json_object() {
        let listen = "127.0.0.1:4433".parse().unwrap();
        let complaint = bind(&BindError::AddressInUse, Path::new("/data"), listen);
        assert_eq!(complaint.code(), 5);
        let json: serde_json::Value = serde_json::from_str(&complaint.render(true)).unwrap();
        assert_eq!((&json["version"], &json["code"]), (&1.into(), &5.into()));
        assert!(json["error"].as_str().unwrap().contains("127.0.0.1:4433"));
        assert!(complaint.render(false).contains("--listen"));
    }

    #[test]
    fn what_is_damaged_full_or_missing_has_its_exit_code() {
        let data = Path::new("/data");
        assert_eq!(folder(&FolderError::DamagedKey, data).code(), 6);
        assert_eq!(folder(&FolderError::LostKey, data).code(), 6);
        assert_eq!(folder(&FolderError::Full, data).code(), 7);
        assert_eq!(spool(&OpenError::Full, data).code(), 7);
        assert_eq!(status(&StatusError::Folder(FolderError::Missing), data).code(), 3);
        assert_eq!(spool_failed(Failure::Disk, data).code(), 7);
        assert_eq!(spool_failed(Failure::Damaged, data).code(), 6);
    }
}
