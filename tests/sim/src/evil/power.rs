//! What a malicious relay can do, as data: a schedule of these is an attack, and a failing one is kept as a file.

use serde::{Deserialize, Serialize};

use crate::port::Peer;

/// One thing a malicious relay does, to the next message to which it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// Lets it vanish.
    Drop,
    /// Lets it lie for so many seconds.
    Delay(u16),
    /// Holds it back until the next one has gone.
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
    /// Gives two clients each other's challenge.
    SwapChallenges,
    /// Gives a safe the last requests again, all at once: up to 48 of them.
    Flood(u8),
    /// Lets its own clock be so many seconds off, of a few amounts: keeps for too long, lets go too early.
    LieAboutTime(u8),
    /// Serves genuine roots with a successor of its own, and records signed by that.
    ServeForgedRoot,
    /// Serves genuine roots with an identity and prekeys of its own.
    ServeForgedIdentity,
    /// Serves genuine records that do not belong together, or not all of them.
    ServeMixture(u8),
    /// Answers a call by a safe of its own, which tries every key it ever showed to anybody.
    FakeSafe,
}

/// When to do it: after so many messages; and to whom, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The number of the message.
    pub step: u32,
    /// What then.
    pub power: Power,
    /// Nobody else is concerned: with a lasting power, one sees another world than the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim: Option<Peer>,
    /// For so many minutes, to every message that fits; 0: to one.
    #[serde(default)]
    pub minutes: u16,
}

impl Move {
    /// Once, to whomever it meets.
    pub fn once(step: u32, power: Power) -> Self {
        Self { step, power, victim: None, minutes: 0 }
    }
}

impl Power {
    /// How many kinds there are.
    pub const KINDS: u8 = 37;

    /// The power of this kind, with as much of the two numbers as it has a use for.
    pub fn drawn(kind: u8, wide: u16, narrow: u8) -> Self {
        match kind % Self::KINDS {
            0 => Self::Drop,
            1 => Self::Delay(1 + wide % 4000),
            2 => Self::Reorder,
            3 => Self::Duplicate(narrow),
            4 => Self::Truncate(wide),
            5 => Self::Flip(wide),
            6 => Self::SwapReplies,
            7 => Self::Redirect,
            8 => Self::Splice(narrow),
            9 => Self::ReplayCall(narrow),
            10 => Self::ReplayDeposit(narrow),
            11 => Self::CallAsDeposit(narrow),
            12 => Self::DepositAsCall(narrow),
            13 => Self::StealReply,
            14 => Self::ForgeReply,
            15 => Self::OldReply(narrow),
            16 => Self::StuffMailbox(narrow),
            17 => Self::ForgeQueued,
            18 => Self::ServeOwnSafe,
            19 => Self::ServeOwnPrekeys,
            20 => Self::ServeSwappedKey,
            21 => Self::ServeOtherSafe,
            22 => Self::StaleRecords(narrow),
            23 => Self::Version(narrow, (wide % 4) as u8),
            24 => Self::CrossProtocol(narrow % 5),
            25 => Self::Refuse(narrow),
            26 => Self::Close,
            27 => Self::Garbage,
            28 => Self::ForwardChallenge,
            29 => Self::RollBack,
            30 => Self::SwapChallenges,
            31 => Self::Flood(narrow),
            32 => Self::LieAboutTime(narrow),
            33 => Self::FakeSafe,
            34 => Self::ServeForgedRoot,
            35 => Self::ServeForgedIdentity,
            _ => Self::ServeMixture(narrow),
        }
    }

    /// Its kind. A new power does not compile without one, and is not drawn unless [`Power::drawn`] knows it too.
    pub fn kind(self) -> u8 {
        match self {
            Self::Drop => 0,
            Self::Delay(_) => 1,
            Self::Reorder => 2,
            Self::Duplicate(_) => 3,
            Self::Truncate(_) => 4,
            Self::Flip(_) => 5,
            Self::SwapReplies => 6,
            Self::Redirect => 7,
            Self::Splice(_) => 8,
            Self::ReplayCall(_) => 9,
            Self::ReplayDeposit(_) => 10,
            Self::CallAsDeposit(_) => 11,
            Self::DepositAsCall(_) => 12,
            Self::StealReply => 13,
            Self::ForgeReply => 14,
            Self::OldReply(_) => 15,
            Self::StuffMailbox(_) => 16,
            Self::ForgeQueued => 17,
            Self::ServeOwnSafe => 18,
            Self::ServeOwnPrekeys => 19,
            Self::ServeSwappedKey => 20,
            Self::ServeOtherSafe => 21,
            Self::StaleRecords(_) => 22,
            Self::Version(..) => 23,
            Self::CrossProtocol(_) => 24,
            Self::Refuse(_) => 25,
            Self::Close => 26,
            Self::Garbage => 27,
            Self::ForwardChallenge => 28,
            Self::RollBack => 29,
            Self::SwapChallenges => 30,
            Self::Flood(_) => 31,
            Self::LieAboutTime(_) => 32,
            Self::FakeSafe => 33,
            Self::ServeForgedRoot => 34,
            Self::ServeForgedIdentity => 35,
            Self::ServeMixture(_) => 36,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn() {
        for kind in 0..Power::KINDS {
            assert_eq!(Power::drawn(kind, 700, 1).kind(), kind);
        }
    }
}
