//! What a relay says when it will not: numbers, never sentences.

/// Why a relay refused or ended something. The number is what travels, as a frame and as the QUIC application error
/// code of a closed connection or reset stream; a retired number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum ErrorCode {
    /// Nothing is wrong: the peer closes because it has finished.
    Finished = 0,
    /// A frame was not the one encoding of a known value.
    Malformed = 1,
    /// A frame, envelope or record set is longer than its limit.
    TooLarge = 2,
    /// A frame number this version does not know, or one not allowed at this point.
    UnexpectedFrame = 3,
    /// The peer was silent or too slow for the time allowed.
    TimedOut = 4,
    /// The signature under a login, fetch or ack does not hold on this connection.
    BadProof = 5,
    /// The verb needs a login, and this connection has none.
    NotLoggedIn = 6,
    /// A newer login of the same safe has taken over; the older connection is closed with this.
    Superseded = 7,
    /// The safe is not connected. Nothing was kept; try later or deposit.
    Away = 8,
    /// The safe or the relay has as much on its hands, or on its disk, as it may have. It says nothing about the place
    /// that was addressed. Nothing was kept; try later.
    Busy = 9,
    /// This inbox or mailbox holds, or has had, as much as it may have. Nothing was kept: an inbox has room again once
    /// its safe has taken something over, a reply mailbox never.
    Full = 10,
    /// No records, or no mailbox, under this id.
    Unknown = 11,
    /// The relay is shutting down; connect again.
    ShuttingDown = 12,
    /// The relay cannot answer because of a fault of its own. Nothing was acknowledged.
    Unavailable = 13,
    /// The other end of a call went away in its middle.
    Interrupted = 14,
    /// Reserved: the login counter is not above the last one seen.
    StaleCounter = 15,
    /// Reserved: the ticket is unknown, withdrawn or spent.
    TicketRefused = 16,
}

const TABLE: [ErrorCode; 17] = [
    ErrorCode::Finished,
    ErrorCode::Malformed,
    ErrorCode::TooLarge,
    ErrorCode::UnexpectedFrame,
    ErrorCode::TimedOut,
    ErrorCode::BadProof,
    ErrorCode::NotLoggedIn,
    ErrorCode::Superseded,
    ErrorCode::Away,
    ErrorCode::Busy,
    ErrorCode::Full,
    ErrorCode::Unknown,
    ErrorCode::ShuttingDown,
    ErrorCode::Unavailable,
    ErrorCode::Interrupted,
    ErrorCode::StaleCounter,
    ErrorCode::TicketRefused,
];

impl ErrorCode {
    /// The number that travels.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The code with this number, if this version knows it.
    pub fn from_number(number: u16) -> Option<Self> {
        TABLE.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_code() {
        for (index, code) in TABLE.iter().enumerate() {
            assert_eq!(usize::from(code.number()), index);
            assert_eq!(ErrorCode::from_number(code.number()), Some(*code));
        }
        assert_eq!(ErrorCode::from_number(17), None);
    }
}
