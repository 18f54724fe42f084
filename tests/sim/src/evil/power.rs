//! What a malicious relay can do, as data: a schedule of these is an attack, and a failing one is kept as a file.
//!
//! Powers are told apart by what they work on. Each has one such target, and whatever harms that target has to say what
//! every one of its powers does.

mod drawn;

use serde::{Deserialize, Serialize};

use crate::port::Peer;

/// One thing a malicious relay does, to the next message to which it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// To any message it sends.
    Any(AnyPower),
    /// To any answer.
    Answer(AnswerPower),
    /// To a request on its way to a safe.
    Call(CallPower),
    /// To a safe's reply to a call.
    Reply(ReplyPower),
    /// To a safe's records.
    Records(RecordsPower),
    /// To what a safe finds left for it.
    Inbox(InboxPower),
    /// Puts an old answer into a reply mailbox before its own.
    StuffMailbox(u8),
    /// Says that a deposit is stored and throws it away.
    ForgeQueued,
    /// Gives out another relay's challenge as its own, to use the proof there.
    ForwardChallenge,
    /// Gives two clients each other's challenge.
    SwapChallenges,
    /// Goes back to what was on disk when the simulation was young.
    RollBack,
    /// Lets its own clock be so many seconds off, of a few amounts: keeps for too long, lets go too early.
    LieAboutTime(u8),
}

/// What can be done to any message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnyPower {
    /// Lets it vanish.
    Drop,
    /// Lets it lie for so many seconds.
    Delay(u16),
    /// Holds it back until the next one has gone.
    Reorder,
    /// Cuts so many bytes off its end.
    Truncate(u16),
    /// Flips one bit, counted from the end of the message, so that sealed bytes are met.
    Flip(u16),
    /// Hangs up instead.
    Close,
}

/// What can be done to any answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerPower {
    /// Says something else altogether.
    CrossProtocol(u8),
    /// Refuses, with the code of this number.
    Refuse(u8),
}

/// What can be done to a request on its way to a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallPower {
    /// Gives it to the safe so many times more.
    Duplicate(u8),
    /// Brings it to another safe too.
    Redirect,
    /// Gives an old one to its safe again; the safe sees the how-manieth there was.
    Replay(u8),
    /// Calls with what was deposited.
    OfDeposit(u8),
    /// Sends the safe something that is no request.
    Garbage,
    /// Gives the safe the last requests again, all at once: up to 48 of them.
    Flood(u8),
    /// Lets a safe of its own answer, which tries every key it ever showed to anybody.
    FakeSafe,
    /// Sets a byte near the start of what was sealed: the version, the suite, the kind.
    Version(u8, u8),
}

/// What can be done to a safe's reply to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplyPower {
    /// Exchanges it with the next of another client, if that comes soon.
    Swap,
    /// Works on whole chunks of an object: another's tail, the last one missing, two exchanged, one doubled.
    Splice(u8),
    /// Sends one that it sealed itself.
    Forge,
    /// Sends an old one.
    Old(u8),
    /// Sets a byte near the start of what was sealed: the version, the suite, the kind.
    Version(u8, u8),
}

/// What can be done to a safe's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordsPower {
    /// Serves those of a safe of its own.
    OwnSafe,
    /// Serves the safe's own identity with prekeys of its own.
    OwnPrekeys,
    /// Serves its own key inside the safe's signatures.
    SwappedKey,
    /// Serves another safe's.
    OtherSafe,
    /// Serves old ones.
    Stale(u8),
    /// Serves genuine roots with a successor of its own, and records signed by that.
    ForgedRoot,
    /// Serves genuine roots with an identity and prekeys of its own.
    ForgedIdentity,
    /// Serves genuine ones that do not belong together, or not all of them.
    Mixture(u8),
    /// Sets a byte at the start of what was signed: the version or the suite of one of them.
    Version(u8, u8),
}

/// What can be done to what a safe finds left for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboxPower {
    /// Delivers an old deposit again, acknowledged or not.
    Replay(u8),
    /// Delivers a call as if it had been deposited.
    OfCall(u8),
    /// Delivers a deposit with a reply mailbox of its own.
    StealReply,
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

/// What it does to a target, if it works on that.
impl Power {
    pub(super) fn on_any(self) -> Option<AnyPower> {
        if let Self::Any(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_answer(self) -> Option<AnswerPower> {
        if let Self::Answer(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_call(self) -> Option<CallPower> {
        if let Self::Call(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_reply(self) -> Option<ReplyPower> {
        if let Self::Reply(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_records(self) -> Option<RecordsPower> {
        if let Self::Records(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_inbox(self) -> Option<InboxPower> {
        if let Self::Inbox(power) = self { Some(power) } else { None }
    }

    pub(super) fn on_mailbox(self) -> Option<u8> {
        if let Self::StuffMailbox(which) = self { Some(which) } else { None }
    }

    pub(super) fn on_clock(self) -> Option<u8> {
        if let Self::LieAboutTime(which) = self { Some(which) } else { None }
    }
}
