//! Powers from numbers: every kind as likely as any other, whatever it works on.

use super::{AnswerPower, AnyPower, CallPower, InboxPower, Power, RecordsPower, ReplyPower};

impl Power {
    /// How many kinds there are.
    pub const KINDS: u8 = 37;

    /// The power of this kind, with as much of the two numbers as it has a use for.
    pub fn drawn(kind: u8, wide: u16, narrow: u8) -> Self {
        match kind % Self::KINDS {
            0 => Self::Any(AnyPower::Drop),
            1 => Self::Any(AnyPower::Delay(1 + wide % 4000)),
            2 => Self::Any(AnyPower::Reorder),
            3 => Self::Call(CallPower::Duplicate(narrow)),
            4 => Self::Any(AnyPower::Truncate(wide)),
            5 => Self::Any(AnyPower::Flip(wide)),
            6 => Self::Reply(ReplyPower::Swap),
            7 => Self::Call(CallPower::Redirect),
            8 => Self::Reply(ReplyPower::Splice(narrow)),
            9 => Self::Call(CallPower::Replay(narrow)),
            10 => Self::Inbox(InboxPower::Replay(narrow)),
            11 => Self::Inbox(InboxPower::OfCall(narrow)),
            12 => Self::Call(CallPower::OfDeposit(narrow)),
            13 => Self::Inbox(InboxPower::StealReply),
            14 => Self::Reply(ReplyPower::Forge),
            15 => Self::Reply(ReplyPower::Old(narrow)),
            16 => Self::StuffMailbox(narrow),
            17 => Self::ForgeQueued,
            18 => Self::Records(RecordsPower::OwnSafe),
            19 => Self::Records(RecordsPower::OwnPrekeys),
            20 => Self::Records(RecordsPower::SwappedKey),
            21 => Self::Records(RecordsPower::OtherSafe),
            22 => Self::Records(RecordsPower::Stale(narrow)),
            23 => Self::another_version(narrow, (wide % 4) as u8),
            24 => Self::Answer(AnswerPower::CrossProtocol(narrow % 5)),
            25 => Self::Answer(AnswerPower::Refuse(narrow)),
            26 => Self::Any(AnyPower::Close),
            27 => Self::Call(CallPower::Garbage),
            28 => Self::ForwardChallenge,
            29 => Self::RollBack,
            30 => Self::SwapChallenges,
            31 => Self::Call(CallPower::Flood(narrow)),
            32 => Self::LieAboutTime(narrow),
            33 => Self::Call(CallPower::FakeSafe),
            34 => Self::Records(RecordsPower::ForgedRoot),
            35 => Self::Records(RecordsPower::ForgedIdentity),
            _ => Self::Records(RecordsPower::Mixture(narrow)),
        }
    }

    /// Of whatever has one: one kind with three targets.
    fn another_version(narrow: u8, byte: u8) -> Self {
        let place = narrow / 3;
        match narrow % 3 {
            0 => Self::Call(CallPower::Version(place, byte)),
            1 => Self::Records(RecordsPower::Version(place, byte)),
            _ => Self::Reply(ReplyPower::Version(place, byte)),
        }
    }

    /// Its kind. A new power does not compile without one, and is not drawn unless [`Power::drawn`] knows it too.
    pub fn kind(self) -> u8 {
        match self {
            Self::Any(AnyPower::Drop) => 0,
            Self::Any(AnyPower::Delay(_)) => 1,
            Self::Any(AnyPower::Reorder) => 2,
            Self::Call(CallPower::Duplicate(_)) => 3,
            Self::Any(AnyPower::Truncate(_)) => 4,
            Self::Any(AnyPower::Flip(_)) => 5,
            Self::Reply(ReplyPower::Swap) => 6,
            Self::Call(CallPower::Redirect) => 7,
            Self::Reply(ReplyPower::Splice(_)) => 8,
            Self::Call(CallPower::Replay(_)) => 9,
            Self::Inbox(InboxPower::Replay(_)) => 10,
            Self::Inbox(InboxPower::OfCall(_)) => 11,
            Self::Call(CallPower::OfDeposit(_)) => 12,
            Self::Inbox(InboxPower::StealReply) => 13,
            Self::Reply(ReplyPower::Forge) => 14,
            Self::Reply(ReplyPower::Old(_)) => 15,
            Self::StuffMailbox(_) => 16,
            Self::ForgeQueued => 17,
            Self::Records(RecordsPower::OwnSafe) => 18,
            Self::Records(RecordsPower::OwnPrekeys) => 19,
            Self::Records(RecordsPower::SwappedKey) => 20,
            Self::Records(RecordsPower::OtherSafe) => 21,
            Self::Records(RecordsPower::Stale(_)) => 22,
            Self::Call(CallPower::Version(..))
            | Self::Records(RecordsPower::Version(..))
            | Self::Reply(ReplyPower::Version(..)) => 23,
            Self::Answer(AnswerPower::CrossProtocol(_)) => 24,
            Self::Answer(AnswerPower::Refuse(_)) => 25,
            Self::Any(AnyPower::Close) => 26,
            Self::Call(CallPower::Garbage) => 27,
            Self::ForwardChallenge => 28,
            Self::RollBack => 29,
            Self::SwapChallenges => 30,
            Self::Call(CallPower::Flood(_)) => 31,
            Self::LieAboutTime(_) => 32,
            Self::Call(CallPower::FakeSafe) => 33,
            Self::Records(RecordsPower::ForgedRoot) => 34,
            Self::Records(RecordsPower::ForgedIdentity) => 35,
            Self::Records(RecordsPower::Mixture(_)) => 36,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_and_a_version_of_everything_that_has_one() {
        for kind in 0..Power::KINDS {
            for narrow in 0..3 {
                assert_eq!(Power::drawn(kind, 700, narrow).kind(), kind);
            }
        }
        let drawn = [0, 1, 2].map(|narrow| Power::drawn(23, 0, narrow));
        assert!(drawn[0].on_call().is_some() && drawn[1].on_records().is_some() && drawn[2].on_reply().is_some());
    }
}
