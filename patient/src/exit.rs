//! Exit codes, on which scripts rely: a number never changes its meaning.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// As asked.
    Done = 0,
    /// Any other reason.
    Other = 1,
    /// The command line says something that cannot be meant.
    Usage = 2,
    /// Not found or not allowed, which are one.
    NotFound = 3,
    /// A PIN or link that does not open anything.
    WrongCredential = 4,
    /// The relay or the safe cannot be reached; try again.
    Unreachable = 5,
    /// Bytes are not what they were.
    Damaged = 6,
    /// A disk does not do what it should.
    Disk = 7,
}

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        self as u8
    }
}
