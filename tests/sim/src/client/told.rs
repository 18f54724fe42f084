//! What a client tells the oracle: what it sealed, what it came to believe, and what went wrong.

use std::time::Duration;

use rohrpost_client::{AskError, VisitError};
use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::body::{DeviceId, DocumentEntry, DocumentId, Status};
use rohrpost_e2ee::exchange::SealError;
use rohrpost_e2ee::keys::SealingKey;
use rohrpost_e2ee::trust::{Known, TrustError};
use rohrpost_patient::problem::DocumentProblem;
use rohrpost_patient::retry::Retry;
use rohrpost_patient::{Problem, fetch, texts};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{SafePin, Timestamp};

use super::Errand;
use crate::ghost::Sealed;
use crate::port::Conn;

/// One thing the oracle is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// It verified a safe's records.
    Met {
        /// Whose they are.
        pin: SafePin,
        /// To which prekey it will seal.
        prekey: PrekeyId,
        /// The key itself.
        key: Box<SealingKey>,
        /// The time, if it knows that.
        time: Option<Timestamp>,
        /// What it knows of that safe from now on.
        known: Known,
    },
    /// It sealed this, and the envelope is this.
    Sealed(Box<Sealed>, Vec<u8>),
    /// The relay confirmed to have queued the envelope with this hash, left on this connection.
    Queued(Conn, Fixed<32>),
    /// It looked for the answer to the envelope with this hash, and there was none.
    Missed(Fixed<32>),
    /// It opened an authentic answer to the envelope with this hash, saying this.
    Answered(Fixed<32>, Status),
    /// It took up a link, and knows of its safe what that says and what it knew before.
    Began(Known),
    /// It believes to be enrolled.
    Enrolled(DeviceId, String),
    /// It believes these to be shared with it, as the answer to the envelope with this hash says.
    Listed(Fixed<32>, Vec<DocumentEntry>),
    /// It has a whole document.
    Received {
        /// The device.
        device: DeviceId,
        /// Which document it asked for.
        document: DocumentId,
        /// The hash of what it has.
        sha256: Fixed<32>,
    },
    /// The safe was set back.
    SetBack,
    /// The safe does not know the device any more.
    Removed(DeviceId),
    /// A try failed, on this connection, and the patient was shown this.
    Failed(Conn, Trouble, Shown),
    /// An errand was given up, and the patient was told.
    GaveUp(Errand, Trouble),
    /// An errand is done, as the safe said itself.
    Finished(Errand),
}

/// Why a try failed, in the product's own terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Relay, line or safe did not do what was asked.
    Visit(VisitError),
    /// What arrived is not what was announced.
    Document(DocumentProblem),
    /// The safe answered, and this was it.
    Status(Status),
}

/// What the patient is shown of a failed try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The product's own sentence.
    pub text: String,
    /// Whether the program ends with it; otherwise it goes on by itself.
    pub is_over: bool,
}

impl From<AskError> for Trouble {
    fn from(error: AskError) -> Self {
        Self::Visit(error.into())
    }
}

impl From<TrustError> for Trouble {
    fn from(error: TrustError) -> Self {
        Self::Visit(error.into())
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        Self::Visit(error.into())
    }
}

impl Trouble {
    /// The connection was lost, or nothing came.
    pub const LOST: Self = Self::Visit(VisitError::Ask(AskError::Lost));
    /// What came does not open.
    pub const OPEN: Self = Self::Visit(VisitError::Open);
    /// It could not be sealed.
    pub const SEAL: Self = Self::Visit(VisitError::Seal(SealError::BadKey));

    fn problem(self) -> Problem {
        match self {
            Self::Visit(error) => error.into(),
            Self::Document(problem) => problem.into(),
            Self::Status(status) => Problem::of_status(status),
        }
    }

    /// The pause before the next try, if the product makes one.
    pub fn pause_after(self, was_answered: bool, retry: &mut Retry, jitter: u32) -> Option<Duration> {
        match self {
            // Of these the product makes another request at once.
            Self::Status(Status::Changed | Status::Conflict) => retry.handle_failure(jitter),
            Self::Visit(_) | Self::Document(_) | Self::Status(_) => {
                fetch::pause_after(&self.problem(), was_answered, retry, jitter)
            }
        }
    }

    /// What the program says: of a transfer that goes on, why it was interrupted; of all else, what ended it, since
    /// other commands are tried again by the patient alone.
    pub fn shown(self, errand: Errand, pause: Option<Duration>, retry: &Retry) -> Shown {
        let problem = self.problem();
        match (errand, pause) {
            (Errand::Fetch(_), Some(pause)) => {
                let text = texts::retrying(&problem, pause.as_secs_f64(), retry.next_try(), retry.tries());
                Shown { text, is_over: false }
            }
            _ => Shown { text: texts::problem(&problem), is_over: pause.is_none() },
        }
    }
}
