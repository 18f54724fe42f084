//! The decisions of a transfer: where to begin, whether what comes fits, what to do when it breaks off.
//!
//! Plain functions over plain values; [`crate::transfer`] carries them out.

use std::time::Duration;

use rohrpost_e2ee::body::{DocumentEntry, Manifest, Operation};
use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_wire::fixed::Fixed;

use crate::partial::Kept;
use crate::problem::Problem;
use crate::retry::Retry;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// At the start, with whatever version there is.
    Fresh {
        /// What is kept and of no use.
        dropped: Option<Dropped>,
    },
    /// Behind what is kept, of the same version.
    Resume {
        /// Bytes that are kept.
        offset: u64,
        /// Of this version.
        version: VersionHash,
    },
    /// Nowhere: all of it is kept.
    Whole {
        /// Of this version.
        version: VersionHash,
    },
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
        Some(kept) if kept.verified == listed.length => Plan::Whole { version: kept.version },
        Some(kept) => Plan::Resume { offset: kept.verified, version: kept.version },
    }
}

impl Plan {
    /// The request for what is missing.
    pub fn operation(&self, document: DocumentId) -> Operation {
        match *self {
            Self::Resume { offset, version } => Operation::Document { document, offset, version: Some(version) },
            Self::Fresh { .. } | Self::Whole { .. } => Operation::Document { document, offset: 0, version: None },
        }
    }

    /// From which byte.
    pub fn offset(&self) -> u64 {
        match *self {
            Self::Resume { offset, .. } => offset,
            Self::Fresh { .. } | Self::Whole { .. } => 0,
        }
    }
}

/// Whether a manifest announces what was asked for, and a content that bears its version's name.
pub fn fits(manifest: &Manifest, plan: &Plan, document: DocumentId) -> bool {
    let named = VersionHash::of_content(&document, manifest.total, &manifest.sha256) == manifest.version;
    let wanted = match plan {
        Plan::Resume { version, .. } => manifest.version == *version,
        Plan::Fresh { .. } | Plan::Whole { .. } => true,
    };
    named && wanted && manifest.offset == plan.offset()
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
    use rohrpost_e2ee::body::TransferKey;
    use rohrpost_e2ee::object::ObjectKey;
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
        assert_eq!(plan(Some(&kept(40)), &listed()), Plan::Resume { offset: 40, version: version(1) });
        assert_eq!(plan(Some(&kept(0)), &listed()), Plan::Fresh { dropped: None });
        let changed = Kept { version: version(2), ..kept(40) };
        assert_eq!(plan(Some(&changed), &listed()), Plan::Fresh { dropped: Some(Dropped::Changed) });
        let other = Kept { document: DocumentId(Fixed([2; 16])), ..kept(40) };
        assert_eq!(plan(Some(&other), &listed()), Plan::Fresh { dropped: Some(Dropped::OtherDocument) });
    }

    #[test]
    fn a_part_that_is_the_whole_is_not_asked_for_again() {
        assert_eq!(plan(Some(&kept(100)), &listed()), Plan::Whole { version: version(1) });
        assert_eq!(plan(Some(&kept(101)), &listed()), Plan::Fresh { dropped: None });
    }

    #[test]
    fn a_continued_transfer_names_its_version_and_a_fresh_one_does_not() {
        let resumed = Plan::Resume { offset: 40, version: version(1) }.operation(DOCUMENT);
        let expected = Operation::Document { document: DOCUMENT, offset: 40, version: Some(version(1)) };
        assert!(resumed == expected);
        let fresh = Plan::Fresh { dropped: Some(Dropped::Changed) }.operation(DOCUMENT);
        assert!(fresh == Operation::Document { document: DOCUMENT, offset: 0, version: None });
    }

    fn manifest(offset: u64) -> Manifest {
        let sha256 = Fixed([9; 32]);
        Manifest {
            object: Fixed([3; 16]),
            key: TransferKey::from(&ObjectKey::from_bytes([4; 32])),
            version: VersionHash::of_content(&DOCUMENT, 100, &sha256),
            sha256,
            total: 100,
            offset,
            length: 100 - offset,
            padded: 100 - offset,
            title: String::new(),
            file_name: String::new(),
            media_type: String::new(),
        }
    }

    #[test]
    fn a_manifest_fits_only_the_place_and_version_that_were_asked_for() {
        let fresh = Plan::Fresh { dropped: None };
        let resume = |version| Plan::Resume { offset: 40, version };
        assert!(fits(&manifest(0), &fresh, DOCUMENT));
        assert!(fits(&manifest(40), &resume(manifest(0).version), DOCUMENT));
        assert!(!fits(&manifest(40), &fresh, DOCUMENT));
        assert!(!fits(&manifest(0), &resume(manifest(0).version), DOCUMENT));
        assert!(!fits(&manifest(40), &resume(version(7)), DOCUMENT));
        assert!(!fits(&manifest(0), &fresh, DocumentId(Fixed([2; 16]))), "the version names its document");
        let forged = Manifest { sha256: Fixed([8; 32]), ..manifest(0) };
        assert!(!fits(&forged, &fresh, DOCUMENT));
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
