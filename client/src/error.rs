//! What can go wrong between a client and a relay, by what the caller can do about it.

use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::exchange::SealError;
use rohrpost_e2ee::trust::TrustError;
use rohrpost_wire::ErrorCode;

/// Why there is no connection to a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The host name leads nowhere.
    #[error("the relay's host name cannot be resolved")]
    Unresolved,
    /// Nobody answers at the address.
    #[error("the relay does not answer")]
    Unreachable,
    /// Somebody answers, but not with the pinned key.
    #[error("the relay does not show the key that is pinned")]
    WrongKey,
    /// The relay speaks another version of the protocol.
    #[error("the relay speaks another version of the protocol")]
    Unsupported,
    /// This machine gives no socket.
    #[error("no socket can be opened")]
    NoSocket,
}

/// Why a request to a relay failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The relay said no, and why.
    #[error("refused by the relay with code {}", .0.number())]
    Refused(ErrorCode),
    /// The connection or stream ended before the answer did. Whether the request had an effect is not known.
    #[error("the connection was lost")]
    Lost,
    /// No answer in time. Whether the request had an effect is not known.
    #[error("no answer in time")]
    TimedOut,
    /// The relay sent what the protocol does not allow.
    #[error("the relay does not keep to the protocol")]
    Misbehaved,
}

/// Why a visit to a safe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitError {
    /// No connection to the relay.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The relay did not do what was asked.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The safe's records are not to be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The request cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The reply does not open: forged, damaged, or the safe could not open the request.
    #[error("the reply cannot be opened")]
    Open,
}

impl From<OpenError> for VisitError {
    fn from(OpenError: OpenError) -> Self {
        Self::Open
    }
}

impl VisitError {
    /// Whether trying again later may help.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Connect(error) => matches!(error, ConnectError::Unresolved | ConnectError::Unreachable),
            Self::Ask(AskError::Refused(code)) => {
                matches!(
                    code,
                    ErrorCode::Away
                        | ErrorCode::Busy
                        | ErrorCode::ShuttingDown
                        | ErrorCode::Unavailable
                        | ErrorCode::Interrupted
                        | ErrorCode::TimedOut
                        | ErrorCode::Full
                )
            }
            // Noise in place of a reply is as good as none: a relay that sends it gains no more than one that cuts.
            Self::Ask(AskError::Lost | AskError::TimedOut) | Self::Open => true,
            Self::Ask(AskError::Misbehaved) | Self::Trust(_) | Self::Seal(_) => false,
        }
    }

    /// Whether what came was altered on its way, or made by somebody else: no line does that by breaking, and no clock by
    /// being wrong. Whoever asks again is to be told of it all the same.
    pub fn is_alteration(self) -> bool {
        match self {
            Self::Open | Self::Ask(AskError::Misbehaved) => true,
            Self::Trust(error) => !matches!(error, TrustError::Outdated | TrustError::NoPrekey),
            Self::Connect(_)
            | Self::Ask(AskError::Refused(_) | AskError::Lost | AskError::TimedOut)
            | Self::Seal(_) => false,
        }
    }
}
