//! What a client tells the oracle: what it sealed, what it came to believe, and what went wrong.

use rohrpost_e2ee::body::{DeviceId, DocumentEntry, DocumentId, Status};
use rohrpost_e2ee::keys::SealingKey;
use rohrpost_e2ee::trust::Known;
use rohrpost_e2ee::trust::TrustError;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{ErrorCode, SafePin};

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
    /// A try failed, on this connection.
    Failed(Conn, Trouble),
    /// An errand was given up, and the patient was told.
    GaveUp(Errand, Trouble),
    /// An errand is done, as the safe said itself.
    Finished(Errand),
}

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection was lost, or nothing came.
    Lost,
    /// The relay refused.
    Refused(ErrorCode),
    /// The relay did something it must not.
    Misbehaved,
    /// The records are not to be believed.
    Trust(TrustError),
    /// What came does not open.
    Open,
    /// It could not be sealed.
    Seal,
    /// The safe answered, and this was it.
    Status(Status),
}

impl Trouble {
    /// What cannot be read either broke off or never was right.
    pub fn unreadable(whole: bool) -> Self {
        if whole { Self::Misbehaved } else { Self::Lost }
    }

    /// Whether another try may help.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Lost | Self::Refused(_) | Self::Misbehaved | Self::Trust(_) | Self::Open | Self::Seal => true,
            Self::Status(status) => matches!(status, Status::Busy | Status::Changed | Status::Conflict),
        }
    }

    /// Whether it shows a relay that does what no honest relay does. Records that are not valid now may be a wrong clock.
    pub fn is_alarm(self) -> bool {
        match self {
            Self::Misbehaved | Self::Open => true,
            Self::Trust(error) => !matches!(error, TrustError::Outdated | TrustError::NoPrekey),
            Self::Lost | Self::Refused(_) | Self::Seal | Self::Status(_) => false,
        }
    }
}
