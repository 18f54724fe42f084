//! A failure as the command line reports it: a sentence for a person, a number for a script.

use serde::{Deserialize, Serialize};

use crate::office::OfficeError;
use crate::texts;
use crate::vault::{ContentError, CreateError, Fault, FolderError, StoreError, Trouble, UnlockError};

/// What kind of failure it was; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 1: anything else.
    Other,
    /// 2: the command makes no sense.
    Usage,
    /// 3: no such thing, or not for you.
    NotFound,
    /// 4: a wrong passphrase, PIN or link.
    Wrong,
    /// 5: relay or safe not reachable, or in use; try again.
    Unreachable,
    /// 6: stored data is damaged.
    Damaged,
    /// 7: the disk is full or cannot be used.
    Disk,
}

impl Kind {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Wrong => 4,
            Self::Unreachable => 5,
            Self::Damaged => 6,
            Self::Disk => 7,
        }
    }
}

/// A sentence and its kind.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it is.
    pub kind: Kind,
    /// For the person: what is wrong and what to do.
    pub message: String,
}

impl Failure {
    /// Puts one together.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The sentence, or the same as one JSON object.
    pub fn render(&self, json: bool) -> String {
        // It may quote names of files, which anybody may have chosen.
        let message = texts::visible(&self.message);
        if json {
            serde_json::json!({ "version": 1, "error": message, "code": self.kind.code(), "kind": self.kind })
                .to_string()
        } else {
            format!("error: {message}")
        }
    }
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::NotFound(thing) => Self::new(Kind::NotFound, texts::not_found(thing)),
            OfficeError::Ambiguous(thing) => Self::new(Kind::NotFound, texts::ambiguous(thing)),
            OfficeError::Invalid(invalid) => Self::new(Kind::Usage, texts::invalid(invalid)),
            OfficeError::Source(error) => Self::new(Kind::Other, texts::source_unreadable(&error)),
            OfficeError::Trouble(trouble) => (*trouble).into(),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::new(kind_of(trouble.fault()), trouble.to_string())
    }
}

fn kind_of(fault: &Fault) -> Kind {
    match fault {
        Fault::Unlock(UnlockError::WrongPassphrase | UnlockError::WrongRecovery) => Kind::Wrong,
        Fault::Unlock(UnlockError::Damaged)
        | Fault::Store(
            StoreError::Damaged
            | StoreError::SetBack(_)
            | StoreError::Altered
            | StoreError::WrongKey
            | StoreError::Foreign,
        )
        | Fault::Content(ContentError::Damaged | ContentError::Missing) => Kind::Damaged,
        Fault::Folder(FolderError::Io(_))
        | Fault::Unlock(UnlockError::Io(_))
        | Fault::Create(CreateError::Io(_))
        | Fault::Store(StoreError::DiskFull | StoreError::Unavailable(_) | StoreError::Poisoned)
        | Fault::Content(ContentError::DiskFull | ContentError::Io(_)) => Kind::Disk,
        Fault::Folder(FolderError::Missing | FolderError::NotAVault | FolderError::NotYours) => Kind::NotFound,
        Fault::Folder(FolderError::AlreadyOpen) | Fault::Store(StoreError::Busy) => Kind::Unreachable,
        Fault::Create(CreateError::PassphraseTooShort) => Kind::Usage,
        Fault::Folder(_) | Fault::Unlock(_) | Fault::Create(_) | Fault::Store(_) | Fault::Content(_) => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_in_use_is_worth_another_try() {
        for fault in [Fault::from(FolderError::AlreadyOpen), StoreError::Busy.into()] {
            assert_eq!(Failure::from(Trouble::new("/srv/safe", fault)).kind.code(), 5);
        }
    }

    #[test]
    fn a_safe_of_another_user_is_not_yours_to_open() {
        assert_eq!(Failure::from(Trouble::new("/srv/safe", FolderError::NotYours)).kind.code(), 3);
    }

    #[test]
    fn the_name_of_a_file_cannot_move_the_cursor_of_whoever_reads_the_failure() {
        let failure = Failure::new(Kind::Other, "a\x1b[2J\u{202e}b cannot be read");
        assert_eq!(failure.render(false), "error: a\u{fffd}[2J\u{fffd}b cannot be read");
        assert!(failure.render(true).contains("a\u{fffd}[2J\u{fffd}b"));
    }
}
