//! What a device can be about, an insider's with what no honest one would do.

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::DocumentId;
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::frame::{Deposit, TtlClass};

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
    /// Of an insider: to leave what no honest device would, and wait for nothing.
    Forge(Forgery),
    /// Of an insider: to list under a number, and perhaps a request's name, that no honest device would use.
    Craft(Number, Option<RequestId>),
}

impl Errand {
    /// What an insider made up for it.
    pub(super) fn crafted(self) -> Option<(Number, Option<RequestId>)> {
        if let Self::Craft(number, name) = self { Some((number, name)) } else { None }
    }

    /// What an insider makes of what it leaves.
    pub(super) fn forged(self) -> Option<Forgery> {
        if let Self::Forge(how) = self { Some(how) } else { None }
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

/// What an insider makes of a request that it leaves at the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// It was sealed to go live.
    Live,
    /// It is to lie there for longer than its author said.
    Longer,
    /// Its answer is to go nowhere.
    Mute,
    /// One bit is another.
    Flipped,
    /// It stands backwards.
    Noise,
}

impl Forgery {
    /// Every one there is.
    pub(crate) const ALL: [Self; 5] = [Self::Live, Self::Longer, Self::Mute, Self::Flipped, Self::Noise];

    /// Whether it can have no effect, whatever a relay does with it.
    pub(super) fn is_void(self) -> bool {
        self != Self::Live
    }

    /// For which lane it is sealed, where an honest one would be for this.
    pub(super) fn lane(self, honest: Lane) -> Lane {
        if self == Self::Live { Lane::Live } else { honest }
    }

    /// Makes it so of what is otherwise left in due form.
    pub(super) fn spoil(self, header: &mut Deposit, envelope: &mut [u8]) {
        match self {
            Self::Live => {}
            Self::Longer => header.ttl = TtlClass::Week,
            Self::Mute => header.reply_mailbox = None,
            Self::Flipped => {
                if let Some(last) = envelope.last_mut() {
                    *last ^= 1;
                }
            }
            Self::Noise => envelope.reverse(),
        }
    }
}
