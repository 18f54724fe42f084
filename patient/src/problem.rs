//! Everything that can end a run, with the exit code and the word that scripts see.
//!
//! The sentences for people stand in [`crate::texts`].

use std::io;
use std::path::PathBuf;

use rohrpost_client::{AskError, ConnectError, VisitError};
use rohrpost_e2ee::body::Status;
use rohrpost_e2ee::trust::TrustError;
use rohrpost_wire::ErrorCode;

use crate::exit::Exit;
use crate::partial::PartialError;
use crate::stored::StoredError;

/// Why a run did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The platform names no folder for programs' data.
    #[error("no home folder")]
    NoHome,
    /// No device has been enrolled in this folder.
    #[error("no device enrolled")]
    NotEnrolled(PathBuf),
    /// Another link has enrolled a device in this folder.
    #[error("another device enrolled")]
    AlreadyEnrolled {
        /// Where.
        home: PathBuf,
        /// With whom.
        practice: String,
    },
    /// The kept files cannot be used.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// There is nobody to ask for the PIN.
    #[error("no PIN given")]
    PinMissing,
    /// The PIN is not six digits.
    #[error("malformed PIN")]
    PinMalformed,
    /// A file or the terminal cannot be read.
    #[error("input cannot be read")]
    Input(PathBuf, #[source] io::Error),
    /// A link does not enrol this device.
    #[error(transparent)]
    Link(#[from] LinkProblem),
    /// A document cannot be had.
    #[error(transparent)]
    Document(#[from] DocumentProblem),
    /// The safe refuses this device.
    #[error("not allowed")]
    NotAllowed,
    /// The safe keeps too many requests of this device.
    #[error("safe busy")]
    Busy,
    /// The safe and this computer do not agree about the time.
    #[error("clocks disagree")]
    Clock,
    /// An answer that does not fit the question.
    #[error("unexpected answer")]
    Unexpected(Status),
    /// No answer.
    #[error(transparent)]
    Visit(#[from] VisitError),
    /// The document cannot be kept.
    #[error(transparent)]
    Partial(#[from] PartialError),
}

/// Why a link does not enrol this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkProblem {
    /// Not a complete link.
    #[error("damaged link")]
    Damaged,
    /// A link of a later version.
    #[error("unknown link version")]
    Unsupported,
    /// The enrolment was begun by another version of this program.
    #[error("enrolment of another version")]
    OtherVersion,
    /// The safe does not know the link.
    #[error("unknown link")]
    Unknown,
    /// The link has enrolled another device.
    #[error("link used")]
    Used,
    /// The link's time is over.
    #[error("link expired")]
    Expired,
    /// Too many wrong PINs.
    #[error("link dead")]
    Dead,
    /// The safe takes no more requests with this link.
    #[error("link used up")]
    UsedUp,
    /// The PIN is wrong.
    #[error("wrong PIN")]
    WrongPin {
        /// Tries that are left.
        left: u8,
    },
    /// The enrolment was sent and not answered.
    #[error("enrolment not answered")]
    Unanswered(#[source] VisitError),
}

/// Why a document cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentProblem {
    /// Not four to 32 hexadecimal digits.
    #[error("malformed document id")]
    IdMalformed,
    /// More than one document's id begins so.
    #[error("ambiguous document id")]
    IdAmbiguous,
    /// No document of this id is shared with this patient.
    #[error("document not found")]
    NotFound,
    /// The safe cannot read the document.
    #[error("document damaged at the safe")]
    DamagedAtSafe,
    /// What arrived is not what the safe announced.
    #[error("document damaged on its way")]
    ArrivedDamaged,
    /// The document changed each time it was asked for.
    #[error("document keeps changing")]
    KeepsChanging,
}

impl Problem {
    /// The problem that a status, where it is not as asked, stands for.
    pub fn of_status(status: Status) -> Self {
        match status {
            Status::NotAllowed => Self::NotAllowed,
            Status::Busy => Self::Busy,
            Status::Damaged => DocumentProblem::DamagedAtSafe.into(),
            Status::RequestExpired | Status::ClockAhead => Self::Clock,
            Status::WrongPin { left } => LinkProblem::WrongPin { left }.into(),
            Status::LinkUsed => LinkProblem::Used.into(),
            Status::LinkExpired => LinkProblem::Expired.into(),
            Status::LinkDead => LinkProblem::Dead.into(),
            Status::Done
            | Status::Repeated
            | Status::Changed
            | Status::Conflict
            | Status::OutOfSequence
            | Status::LiveOnly => Self::Unexpected(status),
        }
    }

    /// Whether trying again in a moment may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy) || matches!(self, Self::Visit(error) if error.is_passing())
    }

    /// Whether relay or safe are plainly not there, so that only later may help.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Visit(
                VisitError::Connect(ConnectError::Unresolved | ConnectError::Unreachable)
                    | VisitError::Ask(AskError::Refused(ErrorCode::Away))
            )
        )
    }

    /// Whether an answer was altered on its way, or made by somebody else.
    pub fn is_alteration(&self) -> bool {
        matches!(self, Self::Visit(error) if error.is_alteration())
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.class().0
    }

    /// The word that scripts see.
    pub fn kind(&self) -> &'static str {
        self.class().1
    }

    fn class(&self) -> (Exit, &'static str) {
        match self {
            Self::NoHome => (Exit::Other, "no_home"),
            Self::NotEnrolled(_) => (Exit::Other, "not_enrolled"),
            Self::AlreadyEnrolled { .. } => (Exit::Other, "already_enrolled"),
            Self::Stored(error) => class_of_stored(error),
            Self::PinMissing => (Exit::Usage, "pin_missing"),
            Self::PinMalformed => (Exit::WrongCredential, "pin_malformed"),
            Self::Input(..) => (Exit::Disk, "input_unreadable"),
            Self::Link(problem) => class_of_link(*problem),
            Self::Document(problem) => class_of_document(*problem),
            Self::NotAllowed => (Exit::NotFound, NOT_ALLOWED),
            Self::Busy => (Exit::Unreachable, "safe_busy"),
            Self::Clock => (Exit::Other, "clock_wrong"),
            Self::Unexpected(_) => (Exit::Other, "unexpected_answer"),
            Self::Visit(error) => class_of_visit(*error),
            Self::Partial(error) => class_of_partial(error),
        }
    }
}

/// One word for both, so that no script learns which it is.
const NOT_ALLOWED: &str = "not_found_or_not_allowed";

fn class_of_link(problem: LinkProblem) -> (Exit, &'static str) {
    let kind = match problem {
        LinkProblem::Damaged => "link_damaged",
        LinkProblem::Unsupported => "link_unsupported",
        LinkProblem::OtherVersion => "link_other_version",
        LinkProblem::Unknown => "link_unknown",
        LinkProblem::Used => "link_used",
        LinkProblem::Expired => "link_expired",
        LinkProblem::Dead => "link_dead",
        LinkProblem::UsedUp => "link_used_up",
        LinkProblem::WrongPin { .. } => "wrong_pin",
        // Unanswered too, but scripts are to see what the person reads.
        LinkProblem::Unanswered(error) if error.is_alteration() => return class_of_visit(error),
        LinkProblem::Unanswered(_) => return (Exit::Unreachable, "enrolment_unanswered"),
    };
    (Exit::WrongCredential, kind)
}

fn class_of_document(problem: DocumentProblem) -> (Exit, &'static str) {
    match problem {
        DocumentProblem::IdMalformed => (Exit::Usage, "id_malformed"),
        DocumentProblem::IdAmbiguous => (Exit::Usage, "id_ambiguous"),
        DocumentProblem::NotFound => (Exit::NotFound, NOT_ALLOWED),
        DocumentProblem::DamagedAtSafe => (Exit::Damaged, "document_damaged"),
        DocumentProblem::ArrivedDamaged => (Exit::Damaged, "arrived_damaged"),
        DocumentProblem::KeepsChanging => (Exit::Unreachable, "keeps_changing"),
    }
}

fn class_of_stored(error: &StoredError) -> (Exit, &'static str) {
    match error {
        StoredError::Exposed(_) => (Exit::Other, "keys_exposed"),
        StoredError::Damaged(_) => (Exit::Damaged, "home_damaged"),
        StoredError::Unsupported(_) => (Exit::Other, "home_unsupported"),
        StoredError::Disk(..) => (Exit::Disk, "disk"),
    }
}

fn class_of_partial(error: &PartialError) -> (Exit, &'static str) {
    match error {
        PartialError::InUse(_) => (Exit::Other, "in_use"),
        PartialError::Exists(_) => (Exit::Other, "file_exists"),
        PartialError::Foreign(_) => (Exit::Other, "part_not_own"),
        PartialError::Disk(..) => (Exit::Disk, "disk"),
    }
}

fn class_of_visit(error: VisitError) -> (Exit, &'static str) {
    match error {
        VisitError::Connect(ConnectError::WrongKey) => (Exit::Other, "relay_key_wrong"),
        VisitError::Connect(ConnectError::Unsupported) => (Exit::Other, "relay_unsupported"),
        VisitError::Connect(ConnectError::NoSocket) => (Exit::Other, "no_socket"),
        VisitError::Connect(ConnectError::Unresolved | ConnectError::Unreachable) => {
            (Exit::Unreachable, "relay_unreachable")
        }
        VisitError::Ask(AskError::Refused(ErrorCode::Away)) => (Exit::Unreachable, "safe_away"),
        VisitError::Ask(AskError::Refused(ErrorCode::Busy)) => (Exit::Unreachable, "safe_busy"),
        VisitError::Ask(AskError::Refused(ErrorCode::Unknown)) => (Exit::Unreachable, "safe_unknown"),
        VisitError::Ask(AskError::Misbehaved) => (Exit::Other, "relay_misbehaved"),
        VisitError::Ask(AskError::Lost | AskError::TimedOut) => (Exit::Unreachable, "interrupted"),
        VisitError::Ask(AskError::Refused(_)) => (Exit::Unreachable, "relay_refused"),
        VisitError::Trust(TrustError::Outdated | TrustError::NoPrekey) => (Exit::Unreachable, "records_outdated"),
        VisitError::Trust(_) => (Exit::Other, "records_not_trusted"),
        VisitError::Seal(_) => (Exit::Other, "cannot_seal"),
        VisitError::Open => (Exit::Damaged, "answer_damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(error: impl Into<VisitError>) -> (u8, &'static str) {
        let problem = Problem::Visit(error.into());
        (problem.exit().number(), problem.kind())
    }

    #[test]
    fn what_passes_by_itself_exits_with_5() {
        for error in [AskError::Lost, AskError::TimedOut, AskError::Refused(ErrorCode::ShuttingDown)] {
            assert_eq!(visit(error).0, 5, "{error:?}");
        }
        assert_eq!(visit(AskError::Refused(ErrorCode::Away)), (5, "safe_away"));
        assert_eq!(visit(ConnectError::Unreachable), (5, "relay_unreachable"));
        assert_eq!(Problem::of_status(Status::Busy).exit(), Exit::Unreachable);
    }

    #[test]
    fn what_nobody_should_believe_is_not_called_passing() {
        for error in [VisitError::Connect(ConnectError::WrongKey), VisitError::Trust(TrustError::RolledBack)] {
            assert_eq!(visit(error).0, 1, "{error:?}");
            assert!(!Problem::Visit(error).is_passing());
        }
    }

    #[test]
    fn an_altered_answer_is_told_from_a_broken_line_wherever_it_came() {
        let kinds =
            |error: VisitError| (Problem::Visit(error).kind(), Problem::from(LinkProblem::Unanswered(error)).kind());
        assert_eq!(kinds(VisitError::Open), ("answer_damaged", "answer_damaged"));
        assert_eq!(kinds(AskError::Lost.into()), ("interrupted", "enrolment_unanswered"));
        assert!(!Problem::Visit(TrustError::Outdated.into()).is_alteration(), "perhaps a wrong clock");
    }

    #[test]
    fn not_found_and_not_allowed_are_one() {
        let class = |problem: Problem| (problem.exit(), problem.kind());
        assert_eq!(class(DocumentProblem::NotFound.into()), class(Problem::of_status(Status::NotAllowed)));
    }
}
