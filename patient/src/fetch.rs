//! The decisions of a transfer: where to begin, whether what comes fits, what to do when it breaks off.
//!
//! Plain functions over plain values; [`crate::transfer`] carries them out.

use std::time::Duration;

use rohrpost_e2ee::body::{DocumentEntry, Operation};
use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_wire::fixed::Fixed;

use crate::partial::Kept;
use crate::problem::Problem;
use crate::retry::Retry;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// At the start.
    Fresh {
        /// What is kept and of no use.
        dropped: Option<Dropped>,
    },
    /// Behind what is kept, of the same version.
    Resume {
        /// Bytes that are kept.
        offset: u64,
    },
    /// Nowhere: all of it is kept.
    Whole,
}

/// Why a kept part is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The document has another content now.
    Changed,
    /// It is of another document.
    OtherDocument,
}

/// Decides where to begin, from what is kept and what the safe lists.
pub fn plan(kept: Option<&Kept>, listed: &DocumentEntry) -> Plan {
    match kept {
        None => Plan::Fresh { dropped: None },
        Some(kept) if kept.document != listed.id => Plan::Fresh { dropped: Some(Dropped::OtherDocument) },
        Some(kept) if kept.version != listed.version => Plan::Fresh { dropped: Some(Dropped::Changed) },
        Some(kept) if kept.verified == 0 || kept.verified > listed.length => Plan::Fresh { dropped: None },
        Some(kept) if kept.verified == listed.length => Plan::Whole,
        Some(kept) => Plan::Resume { offset: kept.verified },
    }
}

impl Plan {
    /// The request for what is missing, in the version that was listed: a document that has changed since is listed anew.
    pub fn operation(&self, listed: &DocumentEntry) -> Operation {
        Operation::Document { document: listed.id, offset: self.offset(), version: Some(listed.version) }
    }

    /// From which byte.
    pub fn offset(&self) -> u64 {
        match *self {
            Self::Resume { offset } => offset,
            Self::Fresh { .. } | Self::Whole => 0,
        }
    }
}

/// Whether kept bytes are the whole of a version.
pub fn is_whole(document: DocumentId, version: VersionHash, length: u64, sha256: &Fixed<32>) -> bool {
    VersionHash::of_content(&document, length, sha256) == version
}

/// What to do about a failure: the pause before the next try, or `None` to give up. Somebody who is plainly not there
/// and has not been heard of in this run is left for later; an interruption is waited out.
pub fn pause_after(problem: &Problem, was_answered: bool, retry: &mut Retry, jitter: u32) -> Option<Duration> {
    let worthwhile = problem.is_passing() && (was_answered || !problem.is_absence());
    if worthwhile { retry.handle_failure(jitter) } else { None }
}

#[cfg(test)]
mod tests {
    use rohrpost_client::{AskError, ConnectError, VisitError};
    use rohrpost_e2ee::trust::TrustError;
    use rohrpost_wire::{ErrorCode, Timestamp};

    use super::*;

    const DOCUMENT: DocumentId = DocumentId(Fixed([1; 16]));

    fn version(byte: u8) -> VersionHash {
        VersionHash(Fixed([byte; 32]))
    }

    fn listed() -> DocumentEntry {
        DocumentEntry {
            id: DOCUMENT,
            version: version(1),
            title: "Letter".into(),
            file_name: "letter.pdf".into(),
            media_type: "application/pdf".into(),
            length: 100,
            shared: Timestamp(0),
            until: None,
        }
    }

    fn kept(verified: u64) -> Kept {
        Kept { document: DOCUMENT, version: version(1), verified }
    }

    #[test]
    fn a_kept_part_is_continued_only_for_its_document_and_version() {
        assert_eq!(plan(None, &listed()), Plan::Fresh { dropped: None });
        assert_eq!(plan(Some(&kept(40)), &listed()), Plan::Resume { offset: 40 });
        assert_eq!(plan(Some(&kept(0)), &listed()), Plan::Fresh { dropped: None });
        let changed = Kept { version: version(2), ..kept(40) };
        assert_eq!(plan(Some(&changed), &listed()), Plan::Fresh { dropped: Some(Dropped::Changed) });
        let other = Kept { document: DocumentId(Fixed([2; 16])), ..kept(40) };
        assert_eq!(plan(Some(&other), &listed()), Plan::Fresh { dropped: Some(Dropped::OtherDocument) });
    }

    #[test]
    fn a_part_that_is_the_whole_is_not_asked_for_again() {
        assert_eq!(plan(Some(&kept(100)), &listed()), Plan::Whole);
        assert_eq!(plan(Some(&kept(101)), &listed()), Plan::Fresh { dropped: None });
    }

    #[test]
    fn every_transfer_names_the_version_that_was_listed() {
        let starts = [
            (Plan::Fresh { dropped: None }, 0),
            (Plan::Fresh { dropped: Some(Dropped::Changed) }, 0),
            (Plan::Resume { offset: 40 }, 40),
        ];
        for (plan, offset) in starts {
            let expected = Operation::Document { document: DOCUMENT, offset, version: Some(version(1)) };
            assert!(plan.operation(&listed()) == expected, "{plan:?}");
        }
    }

    fn paused(error: VisitError, was_answered: bool) -> bool {
        pause_after(&Problem::Visit(error), was_answered, &mut Retry::new(3), 0).is_some()
    }

    #[test]
    fn an_absent_safe_is_waited_for_only_in_the_middle_of_something() {
        for error in
            [VisitError::Ask(AskError::Refused(ErrorCode::Away)), VisitError::Connect(ConnectError::Unreachable)]
        {
            assert!(paused(error, true));
            assert!(!paused(error, false));
        }
    }

    #[test]
    fn an_interruption_is_waited_out_and_a_lie_is_not() {
        for was_answered in [false, true] {
            assert!(paused(VisitError::Ask(AskError::Lost), was_answered));
            assert!(paused(VisitError::Ask(AskError::Refused(ErrorCode::Busy)), was_answered));
            assert!(paused(VisitError::Open, was_answered), "noise stops nobody for longer than silence");
            assert!(!paused(VisitError::Connect(ConnectError::WrongKey), was_answered));
            assert!(!paused(VisitError::Trust(TrustError::NotThisSafe), was_answered));
        }
        assert_eq!(pause_after(&Problem::NotAllowed, true, &mut Retry::new(3), 0), None);
    }
}
