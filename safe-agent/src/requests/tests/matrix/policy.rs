//! Who may do what, in the words of the practice's promise: a table of its own that knows no row, no grant and no code
//! of the safe.

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    DeviceOfA,
    SecondDeviceOfA,
    DeviceOfB,
    /// A device of A's that the practice has revoked.
    Revoked,
    /// A key that nobody has enrolled.
    UnknownKey,
    Nobody,
    /// Whoever holds A's link and its PIN.
    LinkHolder,
    /// Whoever holds a link that another device has used.
    LateLinkHolder,
    /// A patient of another practice, who knows this one's public keys.
    DeviceElsewhere,
    /// The same patient's envelope for the other practice, delivered here by a relay.
    Misdelivered,
}

/// Roles that are tested together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Patients,
    Revoked,
    Strangers,
    LinkHolders,
}

impl Role {
    pub(super) fn group(self) -> Group {
        match self {
            Self::DeviceOfA | Self::SecondDeviceOfA | Self::DeviceOfB => Group::Patients,
            Self::Revoked => Group::Revoked,
            Self::UnknownKey | Self::Nobody | Self::DeviceElsewhere | Self::Misdelivered => Group::Strangers,
            Self::LinkHolder | Self::LateLinkHolder => Group::LinkHolders,
        }
    }
}

pub(super) const ROLES: [Role; 10] = [
    Role::DeviceOfA,
    Role::SecondDeviceOfA,
    Role::DeviceOfB,
    Role::Revoked,
    Role::UnknownKey,
    Role::Nobody,
    Role::LinkHolder,
    Role::LateLinkHolder,
    Role::DeviceElsewhere,
    Role::Misdelivered,
];

/// What has become of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Shared,
    /// Shared until this very second.
    LastSecond,
    /// To be seen and not to be read.
    ListedOnly,
    Unshared,
    Withdrawn,
    /// Its share ended a second ago.
    Expired,
    /// Shared, and deleted since.
    Deleted,
    SharedWithB,
    UnsharedOfB,
    /// B's, with a right of A's to it that should never have been written.
    StrayRight,
    Nonexistent,
    /// The id of a shared document and one.
    NextToShared,
    LowestId,
    HighestId,
}

pub(super) const CASES: [Case; 14] = [
    Case::Shared,
    Case::LastSecond,
    Case::ListedOnly,
    Case::Unshared,
    Case::Withdrawn,
    Case::Expired,
    Case::Deleted,
    Case::SharedWithB,
    Case::UnsharedOfB,
    Case::StrayRight,
    Case::Nonexistent,
    Case::NextToShared,
    Case::LowestId,
    Case::HighestId,
];

/// Where in a document somebody wants to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Start,
    Middle,
    BehindTheEnd,
    FarBehind,
}

/// Which version is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Unnamed,
    Own,
    OfAnotherDocument,
    Invented,
}

/// A question in the words of the policy. One kind for each operation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Enrol { right_pin: bool },
    Documents { after: Option<Case> },
    Document { case: Case, from: From, version: Version },
    Status,
}

/// What must come of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The envelope does not open.
    Shut,
    /// A status and nothing else.
    NotAllowed,
    WrongPin,
    LinkUsed,
    Changed,
    LiveOnly,
    Enrolled,
    /// These, as far as they come after the cursor.
    Lists(Vec<Case>),
    Sends(Case),
    Counts(usize),
}

/// What a patient's unrevoked device sees in its list.
fn listed(role: Role) -> Option<Vec<Case>> {
    match role {
        Role::DeviceOfA | Role::SecondDeviceOfA => Some(vec![Case::Shared, Case::LastSecond, Case::ListedOnly]),
        Role::DeviceOfB => Some(vec![Case::SharedWithB]),
        Role::Revoked
        | Role::UnknownKey
        | Role::Nobody
        | Role::LinkHolder
        | Role::LateLinkHolder
        | Role::DeviceElsewhere
        | Role::Misdelivered => None,
    }
}

/// The whole promise.
pub(super) fn expected(role: Role, question: Question, live: bool) -> Expected {
    if role == Role::Misdelivered {
        return Expected::Shut;
    }
    match (question, listed(role)) {
        (Question::Enrol { right_pin }, _) => match role {
            Role::LinkHolder if right_pin => Expected::Enrolled,
            Role::LinkHolder => Expected::WrongPin,
            Role::LateLinkHolder => Expected::LinkUsed,
            Role::DeviceOfA
            | Role::SecondDeviceOfA
            | Role::DeviceOfB
            | Role::Revoked
            | Role::UnknownKey
            | Role::Nobody
            | Role::DeviceElsewhere
            | Role::Misdelivered => Expected::NotAllowed,
        },
        (_, None) => Expected::NotAllowed,
        (Question::Status, Some(listed)) => Expected::Counts(listed.len()),
        (Question::Documents { .. }, Some(listed)) => Expected::Lists(listed),
        (Question::Document { case, from, version }, Some(listed)) => {
            if case == Case::ListedOnly || !listed.contains(&case) {
                Expected::NotAllowed
            } else if !live {
                Expected::LiveOnly
            } else if matches!(from, From::BehindTheEnd | From::FarBehind)
                || matches!(version, Version::OfAnotherDocument | Version::Invented)
            {
                Expected::Changed
            } else {
                Expected::Sends(case)
            }
        }
    }
}

/// Whether the record of decisions gains a leaf: decisions about somebody who is known do, and strangers write nothing.
pub(super) fn is_recorded(role: Role, question: Question) -> bool {
    match role {
        Role::DeviceOfA | Role::SecondDeviceOfA | Role::DeviceOfB | Role::Revoked => true,
        Role::LinkHolder | Role::LateLinkHolder => matches!(question, Question::Enrol { .. }),
        Role::UnknownKey | Role::Nobody | Role::DeviceElsewhere | Role::Misdelivered => false,
    }
}
