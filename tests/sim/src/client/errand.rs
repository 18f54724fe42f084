//! What a device can be about, an insider's with what no honest one would do.

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::DocumentId;

/// What a client can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To enrol, by a wrong PIN if the patient mistypes.
    Enrol {
        /// Whether the PIN is mistyped.
        mistyped: bool,
    },
    /// To list documents.
    List,
    /// To fetch the document at this place of the listing.
    Fetch(usize),
    /// To ask for the status.
    Status,
    /// To leave a request at the relay.
    Deposit,
    /// To look for the answer to the oldest request left at the relay.
    Collect,
    /// Of an insider: to fetch a document, whosever it is.
    Steal(DocumentId),
    /// Of an insider: to list under a number, and perhaps a request's name, that no honest device would use.
    Craft(Number, Option<RequestId>),
}

impl Errand {
    /// What an insider made up for it.
    pub(super) fn crafted(self) -> Option<(Number, Option<RequestId>)> {
        if let Self::Craft(number, name) = self { Some((number, name)) } else { None }
    }
}

/// A sequence number of an insider's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// None was ever 0.
    Zero,
    /// The one before, which is used.
    Again,
    /// As far ahead as a safe may take it.
    Far,
    /// The last there is.
    Last,
}

impl Number {
    /// The number in the place of the one whose turn it is.
    pub(super) fn instead_of(self, due: u64) -> u64 {
        match self {
            Self::Zero => 0,
            Self::Again => due.saturating_sub(1),
            Self::Far => due.saturating_add(1000),
            Self::Last => u64::MAX,
        }
    }
}
