//! What a malicious relay can do, as data: a schedule of these is an attack, and a failing one is kept as a file.

use serde::{Deserialize, Serialize};

/// One thing a malicious relay does, to the next message to which it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// Lets it vanish.
    Drop,
    /// Lets it lie for so many seconds.
    Delay(u16),
    /// Sends it once more after the next one.
    Reorder,
    /// Gives a request to the safe so many times more.
    Duplicate(u8),
    /// Cuts so many bytes off its end.
    Truncate(u16),
    /// Flips one bit, counted from the end of the message, so that sealed bytes are met.
    Flip(u16),
    /// Exchanges the answers to two calls.
    SwapReplies,
    /// Brings a request to another safe.
    Redirect,
    /// Works on whole chunks of an object: another's tail, the last one missing, two exchanged, one doubled.
    Splice(u8),
    /// Gives an old call to its safe again; the safe sees the how-manieth there was.
    ReplayCall(u8),
    /// Delivers an old deposit again, acknowledged or not.
    ReplayDeposit(u8),
    /// Delivers a call as if it had been deposited.
    CallAsDeposit(u8),
    /// Calls with what was deposited.
    DepositAsCall(u8),
    /// Delivers a deposit with a reply mailbox of its own.
    StealReply,
    /// Answers a call with random bytes.
    ForgeReply,
    /// Answers a call with an old answer.
    OldReply(u8),
    /// Puts an old answer into a reply mailbox before its own.
    StuffMailbox(u8),
    /// Says that a deposit is stored and throws it away.
    ForgeQueued,
    /// Serves records of a safe of its own.
    ServeOwnSafe,
    /// Serves the safe's own identity with prekeys of its own.
    ServeOwnPrekeys,
    /// Serves records with its own key inside the safe's signatures.
    ServeSwappedKey,
    /// Serves another safe's records.
    ServeOtherSafe,
    /// Serves old records.
    StaleRecords(u8),
    /// Sets a byte near the start of what was sealed or signed: a version, a suite, a kind.
    Version(u8, u8),
    /// Says something else altogether.
    CrossProtocol(u8),
    /// Refuses, with the code of this number.
    Refuse(u8),
    /// Hangs up.
    Close,
    /// Sends a safe something that is no request.
    Garbage,
    /// Gives out another relay's challenge as its own, to use the proof there.
    ForwardChallenge,
    /// Goes back to what was on disk when the simulation was young.
    RollBack,
}

/// When to do it: after so many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The number of the message.
    pub step: u32,
    /// What then.
    pub power: Power,
}
