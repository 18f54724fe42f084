//! Every sentence for people, in one place, so that another language can be added in one step.
//!
//! Plain words: what happened to which thing, and what to do next. Names and titles from outside are made harmless
//! before they come here or on their way in.

pub mod help;

use std::io::ErrorKind;
use std::path::Path;

use rohrpost_client::{AskError, ConnectError, VisitError};
use rohrpost_e2ee::trust::TrustError;
use rohrpost_wire::ErrorCode;

use crate::names::harmless;
use crate::partial::PartialError;
use crate::problem::{DocumentProblem, LinkProblem, Problem};
use crate::stored::StoredError;

/// What a device without a host name is called.
pub const DEVICE: &str = "computer";
/// Asks for the PIN.
pub const PIN_PROMPT: &str = "PIN from the practice (six digits, not shown): ";
/// Asks for the link.
pub const LINK_PROMPT: &str = "Paste the link from the practice and press Enter:";
/// A safe that was set back.
pub const SET_BACK: &str = "Warning: the practice's data-safe has forgotten requests that it had answered. It seems \
                            to have been restored from a backup. If the practice does not know of this, tell them.";
/// An answer that was thrown away before the next try.
pub const ALTERED: &str = "Warning: an answer came that was altered on its way, or not made by the practice's \
                           data-safe, and was thrown away. If this happens again, tell the practice.";
/// A part of an older version is dropped.
pub const CHANGED: &str = "The document has been changed by the practice since the first part arrived. Starting again \
                           with the new version.";
/// A part of another document is dropped.
pub const OTHER_DOCUMENT: &str = "The part kept for this file is of another document. Starting from the beginning.";
/// A kept part was not what it had been.
pub const PART_DAMAGED: &str = "The part kept on this computer was damaged. Starting from the beginning.";
/// No documents.
pub const NOTHING_SHARED: &str = "No documents are shared with you at the moment.";
/// The head of the table.
pub const COLUMNS: [&str; 5] = ["ID", "SHARED", "UNTIL", "SIZE", "TITLE"];
const THIS_FOLDER: &str = "This folder";
/// What stands where there is nothing.
pub const NONE: &str = "-";

/// What happened and what to do.
pub fn problem(problem: &Problem) -> String {
    let sentence = match problem {
        Problem::Stored(error) => return stored(error),
        Problem::Partial(error) => return partial(error),
        Problem::Link(problem) => return link(*problem),
        Problem::NotEnrolled(home) => return not_enrolled(home),
        Problem::AlreadyEnrolled { home, practice } => return already_enrolled(home, practice),
        Problem::Input(path, error) => return format!("{} cannot be read: {}.", shown(path), reason(error)),
        Problem::Visit(error) => visit(*error),
        Problem::Document(problem) => document(*problem),
        Problem::NoHome => "This computer names no folder for programs' data. Choose one with --home.",
        Problem::PinMissing => "The PIN is needed. Put it into a file and name that with --pin-file.",
        Problem::PinMalformed => "A PIN has six digits. Look at it again and run the command again.",
        Problem::NotAllowed => {
            "The practice does not allow this. Perhaps the document is no longer shared, or this computer was removed \
             there. Ask the practice."
        }
        Problem::Busy => BUSY,
        Problem::Clock => {
            "This computer's clock and the one at the practice do not agree. Set this computer's date and time."
        }
        Problem::Unexpected(_) => {
            "The practice's data-safe gave an answer that does not fit. Install the newest version of this program."
        }
    };
    sentence.to_owned()
}

const BUSY: &str = "The practice's data-safe has too much to do right now. Try again in a few minutes.";

fn not_enrolled(home: &Path) -> String {
    let home = shown(home);
    format!("No practice is known in {home}. Run `rohrpost accept LINK` with the link from your practice first.")
}

fn already_enrolled(home: &Path, practice: &str) -> String {
    let (home, practice) = (shown(home), harmless(practice));
    format!("{home} already belongs to {practice}. To add another practice, choose another folder with --home.")
}

fn link(problem: LinkProblem) -> String {
    let sentence = match problem {
        LinkProblem::WrongPin { left } => return wrong_pin(left),
        LinkProblem::Unanswered(error) => return unanswered(error),
        LinkProblem::Damaged => "This is not a complete link. Copy the whole link from the practice and try again.",
        LinkProblem::Unsupported => "This link is of a later version. Install a newer version of this program.",
        LinkProblem::OtherVersion => {
            "This link was begun with another version of this program. Ask the practice for a new link."
        }
        LinkProblem::Unknown => "The practice does not know this link. Ask the practice for a new one.",
        LinkProblem::Used => {
            "This link has already been used on another device. If that was not you, tell the practice at once. Ask \
             the practice for a new link."
        }
        LinkProblem::Expired => "The time of this link is over. Ask the practice for a new one.",
        LinkProblem::UsedUp => "This link has been tried too often. Ask the practice for a new one.",
        LinkProblem::Dead => "This link is closed after too many wrong PINs. Ask the practice for a new one.",
    };
    sentence.to_owned()
}

fn unanswered(error: VisitError) -> String {
    format!("{} Nothing is lost: run the same command again, it continues where it stopped.", visit(error))
}

fn document(problem: DocumentProblem) -> &'static str {
    match problem {
        DocumentProblem::IdMalformed => {
            "A document's id consists of the digits 0-9 and letters a-f; give at least the first four. `rohrpost list` \
             shows them."
        }
        DocumentProblem::IdAmbiguous => {
            "More than one document's id begins like this. Give more characters; `rohrpost list` shows them."
        }
        DocumentProblem::NotFound => {
            "No document with this id is shared with you. `rohrpost list` shows what is shared now."
        }
        DocumentProblem::DamagedAtSafe => {
            "The practice's data-safe cannot read this document. The practice has been told; ask them about it."
        }
        DocumentProblem::ArrivedDamaged => {
            "What arrived is not the document that was announced, and has been thrown away. Try again; if it happens \
             again, tell the practice."
        }
        DocumentProblem::KeepsChanging => {
            "The practice is changing this document right now. Try again in a few minutes."
        }
    }
}

fn wrong_pin(left: u8) -> String {
    match left {
        0 => "The PIN is wrong, and it was the last try. Ask the practice for a new link.".to_owned(),
        1 => "The PIN is wrong. One try is left. Ask the practice for the PIN before you use it.".to_owned(),
        _ => format!("The PIN is wrong. {left} tries are left. Run the command again with the right PIN."),
    }
}

fn visit(error: VisitError) -> &'static str {
    match error {
        VisitError::Connect(ConnectError::Unresolved) => {
            "The relay's name cannot be found. Is this computer connected to the internet? Try again later."
        }
        VisitError::Connect(ConnectError::Unreachable) => {
            "The relay does not answer. Is this computer connected to the internet, and may it use UDP? Try again later."
        }
        VisitError::Connect(ConnectError::WrongKey) => {
            "The relay does not show the key it should. Somebody may be in between; nothing was sent. Tell the practice."
        }
        VisitError::Connect(ConnectError::Unsupported) => {
            "The relay speaks another version. Install the newest version of this program."
        }
        VisitError::Connect(ConnectError::NoSocket) => "This computer gives no network connection to programs.",
        VisitError::Ask(AskError::Refused(ErrorCode::Away)) => {
            "The practice's data-safe is not connected right now. Your documents are not lost; try again later, for \
             example when the practice is open."
        }
        VisitError::Ask(AskError::Refused(ErrorCode::Busy)) => BUSY,
        VisitError::Ask(AskError::Refused(ErrorCode::Unknown)) => {
            "The relay does not know the practice's data-safe. It may be new or have moved. Try again later; if it \
             stays so, ask the practice."
        }
        VisitError::Ask(AskError::Refused(_)) => "The relay cannot do this right now. Try again later.",
        VisitError::Ask(AskError::Lost) => "The connection was interrupted. Try again.",
        VisitError::Ask(AskError::TimedOut) => "No answer came in time. Try again.",
        VisitError::Ask(AskError::Misbehaved) => {
            "The relay does not behave as it should. Try again later; if it stays so, tell the practice."
        }
        VisitError::Trust(TrustError::Outdated | TrustError::NoPrekey) => {
            "What the relay keeps of the practice's data-safe is out of date. Check this computer's date and time. If \
             they are right, the data-safe has been off for long: ask the practice."
        }
        VisitError::Trust(TrustError::Unsupported) => {
            "The practice's data-safe speaks another version. Install the newest version of this program."
        }
        VisitError::Trust(_) => {
            "What the relay says of the practice's data-safe cannot be trusted; nothing was sent. Tell the practice."
        }
        VisitError::Seal(_) => "The request cannot be sealed for the practice's data-safe. Tell the practice.",
        VisitError::Open => {
            "The answer cannot be opened: it was damaged, or not made by the practice's data-safe. Try again; if it \
             happens again, tell the practice."
        }
    }
}

fn stored(error: &StoredError) -> String {
    match error {
        StoredError::Exposed(path) => format!(
            "{} can be read or changed by other users of this computer, and this computer's keys lie there. Close it \
             to them (chmod go= on the file or folder), then try again.",
            shown(path)
        ),
        StoredError::Damaged(path) => format!(
            "{} is damaged. Restore it from a backup, or remove it and ask the practice for a new link.",
            shown(path)
        ),
        StoredError::Unsupported(path) => {
            format!("{} was written by a later version of this program. Install that version.", shown(path))
        }
        StoredError::Disk(path, error) => cannot_write(path, error),
    }
}

fn partial(error: &PartialError) -> String {
    match error {
        PartialError::InUse(path) => {
            format!("Another run of this program is fetching into {}. Wait until it has finished.", shown(path))
        }
        PartialError::Exists(path) => exists(path),
        PartialError::Foreign(path) => format!(
            "{} is not a file of this program that only you can read and change, or was exchanged while it ran. It was \
             left as it is. Remove it, or choose a folder that is yours alone.",
            shown(path)
        ),
        PartialError::Disk(path, error) => match path.parent() {
            // The part is hidden; the person chose the folder.
            Some(folder) if !folder.as_os_str().is_empty() => cannot_write(folder, error),
            _ => cannot_write(Path::new(THIS_FOLDER), error),
        },
    }
}

fn exists(path: &Path) -> String {
    format!("{} exists and was left as it is. Name another file, or replace it with --force.", shown(path))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most kinds have no sentence of their own")]
fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    let next = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "What has arrived is kept. Make room and run the same command again."
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "Choose a folder in which you may write.",
        _ => "Look at the folder and the disk, then run the same command again.",
    };
    format!("{} cannot be used: {}. {next}", shown(path), reason(error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most kinds have no sentence of their own")]
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "your share of the disk is full".to_owned(),
        ErrorKind::PermissionDenied => "you may not do that there".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => harmless(&error.to_string()),
    }
}

/// A path as a terminal may show it.
pub fn shown(path: &Path) -> String {
    harmless(&path.to_string_lossy())
}

/// A device was enrolled.
pub fn accepted(practice: &str, patient: &str, keys: &Path) -> String {
    format!(
        "Done. {} now shares documents with this computer, for {}.\nThe keys lie {}.\nSee the documents with: rohrpost list",
        harmless(practice),
        harmless(patient),
        status::keys(&shown(keys))
    )
}

/// This device has been enrolled before and still is.
pub fn already_accepted(practice: &str) -> String {
    format!("Nothing to do: this computer already has access to {}.", harmless(practice))
}

/// A document was fetched.
pub fn saved(path: &Path, size: &str) -> String {
    format!("Saved {} ({size}).", shown(path))
}

/// A transfer was given up.
pub fn part_kept(part: &Path) -> String {
    format!("What has arrived is kept in {}. The same command continues there.", shown(part))
}

/// A transfer continues.
pub fn resuming(kept: &str, total: &str) -> String {
    format!("Continuing: {kept} of {total} are already here.")
}

/// A transfer is tried again.
pub fn retrying(problem: &Problem, seconds: f64, number: u32, of: u32) -> String {
    let seconds = seconds.ceil();
    format!("{} Trying again in {seconds:.0} s (try {number} of {of}).", interruption(problem))
}

/// What broke off a transfer, without advice: the program goes on by itself.
fn interruption(problem: &Problem) -> &'static str {
    let Problem::Visit(error) = problem else { return "The practice's data-safe is busy." };
    match error {
        VisitError::Connect(_) => "The relay does not answer.",
        VisitError::Ask(AskError::Refused(ErrorCode::Busy)) => "The practice's data-safe is busy.",
        VisitError::Ask(AskError::Refused(ErrorCode::Away | ErrorCode::Interrupted)) => {
            "The practice's data-safe is not connected."
        }
        VisitError::Ask(AskError::Lost | AskError::TimedOut | AskError::Refused(_)) => {
            "The connection was interrupted."
        }
        VisitError::Ask(AskError::Misbehaved) => "The relay does not behave as it should.",
        VisitError::Trust(TrustError::Outdated | TrustError::NoPrekey) => {
            "What the relay keeps of the practice's data-safe is out of date."
        }
        VisitError::Trust(_) => "What the relay says of the practice's data-safe cannot be trusted.",
        VisitError::Seal(_) => "The request cannot be sealed for the practice's data-safe.",
        VisitError::Open => "The answer was altered on its way, or not made by the practice's data-safe.",
    }
}

/// The lines of `status`, each with its name.
pub mod status {
    /// Name of the line.
    pub const PRACTICE: &str = "Practice";
    /// Name of the line.
    pub const PATIENT: &str = "Patient";
    /// Name of the line.
    pub const DEVICE: &str = "This computer";
    /// Name of the line.
    pub const DOCUMENTS: &str = "Documents";
    /// Name of the line.
    pub const RELAY: &str = "Relay";
    /// Name of the line.
    pub const SAFE: &str = "Data-safe";
    /// Name of the line.
    pub const KEYS: &str = "Keys";
    /// Name of the line.
    pub const WARNING: &str = "Warning";
    /// It answered.
    pub const REACHABLE: &str = "can be reached";
    /// It did not answer.
    pub const NOT_REACHABLE: &str = "cannot be reached now";
    /// Nobody could ask.
    pub const UNKNOWN: &str = "not known now";

    /// Where the keys lie.
    pub fn keys(path: &str) -> String {
        let protection = if cfg!(unix) { "which only you can read (0600)" } else { "in your own user folder" };
        format!("in the file {path}, {protection}; for now they have no other protection")
    }

    /// When it was noticed that the safe had been set back.
    pub fn set_back(date: &str) -> String {
        format!("on {date} the data-safe seemed to have been restored from a backup; does the practice know?")
    }

    /// How the safe is.
    pub fn safe(reachable: &str, epoch: u32) -> String {
        format!("{reachable} (epoch {epoch})")
    }
}

#[cfg(test)]
mod tests;
