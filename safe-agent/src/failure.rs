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
    /// 5: relay or safe not reachable; try again.
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
        if json {
            serde_json::json!({ "version": 1, "error": self.message, "code": self.kind.code(), "kind": self.kind })
                .to_string()
        } else {
            format!("error: {}", self.message)
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
        | Fault::Store(StoreError::Damaged | StoreError::WrongKey | StoreError::Foreign)
        | Fault::Content(ContentError::Damaged | ContentError::Missing) => Kind::Damaged,
        Fault::Folder(FolderError::Io(_))
        | Fault::Unlock(UnlockError::Io(_))
        | Fault::Create(CreateError::Io(_))
        | Fault::Store(StoreError::DiskFull | StoreError::Unavailable(_) | StoreError::Poisoned)
        | Fault::Content(ContentError::DiskFull | ContentError::Io(_)) => Kind::Disk,
        Fault::Folder(FolderError::Missing | FolderError::NotAVault) => Kind::NotFound,
        Fault::Create(CreateError::PassphraseTooShort) => Kind::Usage,
        Fault::Folder(_) | Fault::Unlock(_) | Fault::Create(_) | Fault::Store(_) | Fault::Content(_) => Kind::Other,
    }
}
