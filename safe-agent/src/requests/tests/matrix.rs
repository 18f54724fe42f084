//! Everything that can be asked × everybody who can ask × every document, against a policy written for this test.

use rohrpost_e2ee::body::{DocumentId, Operation, Payload, Pin, Status};
use rohrpost_wire::fixed::Fixed;

use crate::audit::{Decision, Refusal};
use crate::rows::{DocumentRow, SeenRow};
use crate::testing::{Device, Got, Invitation, LISTING, START, Who, World, enrolling, reading};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    DeviceOfA,
    DeviceOfB,
    Revoked,
    UnknownKey,
    Nobody,
    LinkHolder,
}

const ROLES: [Role; 6] =
    [Role::DeviceOfA, Role::DeviceOfB, Role::Revoked, Role::UnknownKey, Role::Nobody, Role::LinkHolder];

/// A document as seen from A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Shared,
    LastSecond,
    SharedWithB,
    Nonexistent,
    Unshared,
    Expired,
    Deleted,
}

const CASES: [Case; 7] = [
    Case::Shared,
    Case::LastSecond,
    Case::SharedWithB,
    Case::Nonexistent,
    Case::Unshared,
    Case::Expired,
    Case::Deleted,
];

/// The next operation to test. A new one does not compile until it has its place here and in [`policy`].
fn operation_after(operation: Option<&Operation>, pin: &Pin, document: DocumentId) -> Option<Operation> {
    match operation {
        None => Some(enrolling(pin)),
        Some(Operation::Enrol { .. }) => Some(LISTING),
        Some(Operation::Documents { .. }) => Some(reading(document)),
        Some(Operation::Document { .. }) => Some(Operation::Status),
        Some(Operation::Status) => None,
    }
}

/// What must come of it, in the words of the practice's promise and not of the code.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// A status and nothing else.
    Refused,
    Enrolled,
    Lists(Vec<Case>),
    Sends,
    CountsDocuments(u32),
}

fn policy(operation: &Operation, role: Role, case: Case) -> Expected {
    let visible = match role {
        Role::DeviceOfA => vec![Case::Shared, Case::LastSecond],
        Role::DeviceOfB => vec![Case::SharedWithB],
        Role::Revoked | Role::UnknownKey | Role::Nobody | Role::LinkHolder => vec![],
    };
    let is_device = matches!(role, Role::DeviceOfA | Role::DeviceOfB);
    match operation {
        Operation::Enrol { .. } if role == Role::LinkHolder => Expected::Enrolled,
        Operation::Documents { .. } if is_device => Expected::Lists(visible),
        Operation::Document { .. } if visible.contains(&case) => Expected::Sends,
        Operation::Status if is_device => Expected::CountsDocuments(u32::try_from(visible.len()).unwrap()),
        Operation::Enrol { .. } | Operation::Documents { .. } | Operation::Document { .. } | Operation::Status => {
            Expected::Refused
        }
    }
}

struct Scene {
    world: World,
    documents: Vec<(Case, DocumentId)>,
    devices: [Device; 3],
    invitation: Invitation,
}

fn scene() -> Scene {
    let mut world = World::found();
    let (a, b) = (world.patient("Ada Example"), world.patient("Ben Example"));
    let mut documents = Vec::new();
    for case in CASES {
        let document = world.document(if case == Case::SharedWithB { b } else { a }, "finding");
        match case {
            Case::Shared => world.share(a, document, None),
            Case::LastSecond => world.share(a, document, Some(START)),
            Case::SharedWithB => world.share(b, document, None),
            Case::Expired => world.share(a, document, Some(START.minus(1))),
            Case::Deleted => {
                world.share(a, document, None);
                world.delete::<DocumentRow>(&DocumentRow::key_of(&a, &document));
            }
            Case::Nonexistent => world.delete::<DocumentRow>(&DocumentRow::key_of(&a, &document)),
            Case::Unshared => {}
        }
        documents.push((case, document));
    }
    let devices = [world.device(a), world.device(b), world.device(a)];
    world.revoke(&devices[2]);
    let invitation = world.invite(a);
    Scene { world, documents, devices, invitation }
}

impl Scene {
    fn who(&mut self, role: Role) -> Who {
        match role {
            Role::DeviceOfA => self.devices[0].next(),
            Role::DeviceOfB => self.devices[1].next(),
            Role::Revoked => self.devices[2].next(),
            Role::UnknownKey => Who::Device(self.world.key(), 1),
            Role::Nobody => Who::Nobody,
            Role::LinkHolder => Who::Enrol(self.world.key(), self.invitation.secret.clone()),
        }
    }

    fn ask(&mut self, role: Role, operation: Operation) -> Got {
        let draft = self.world.draft(operation);
        let who = self.who(role);
        let sealed = self.world.seal(&draft, who);
        self.world.deliver(&sealed)
    }

    fn observed(&self, got: &Got) -> Expected {
        let (payload, refused) = (&got.reply.payload, got.reply.payload == Payload::None);
        assert_eq!(got.status(), if refused { Status::NotAllowed } else { Status::Done });
        assert_eq!(got.transfer.is_some(), matches!(payload, Payload::Object(_)));
        match payload {
            Payload::Enrolled(_) => Expected::Enrolled,
            Payload::Documents(_) => {
                let listed = got.listed();
                Expected::Lists(
                    self.documents.iter().filter(|(_, id)| listed.contains(id)).map(|(case, _)| *case).collect(),
                )
            }
            Payload::Object(_) => Expected::Sends,
            Payload::Status(status) => Expected::CountsDocuments(status.documents),
            Payload::None => Expected::Refused,
        }
    }
}

#[test]
fn every_operation_by_everybody_on_every_document_is_answered_as_the_policy_says() {
    for case in CASES {
        for role in ROLES {
            let mut operation = None;
            loop {
                let mut scene = scene();
                let (_, document) = *scene.documents.iter().find(|(of, _)| *of == case).unwrap();
                let pin = scene.invitation.pin.clone();
                operation = operation_after(operation.as_ref(), &pin, document);
                let Some(operation) = &operation else { break };
                let (leaves, context) = (scene.world.events().len(), format!("{operation:?} {role:?} {case:?}"));
                let got = scene.ask(role, operation.clone());
                let expected = policy(operation, role, case);
                assert_eq!(scene.observed(&got), expected, "{context}");
                check_leaf(&scene.world, leaves, role, &expected, &context);
            }
        }
    }
}

/// A decision about somebody who is known is one leaf; strangers cannot make the safe write.
fn check_leaf(world: &World, before: usize, role: Role, expected: &Expected, context: &str) {
    let events = world.events();
    let known = match role {
        Role::DeviceOfA | Role::DeviceOfB | Role::Revoked => true,
        Role::LinkHolder => *expected == Expected::Enrolled,
        Role::UnknownKey | Role::Nobody => false,
    };
    let remembered = world.all::<SeenRow>().len();
    assert_eq!((events.len() - before, remembered), (usize::from(known), usize::from(known)), "{context}");
    if known {
        let decision = match expected {
            Expected::Refused if role == Role::Revoked => Decision::Refused(Refusal::Revoked),
            Expected::Refused => Decision::Refused(Refusal::NotAllowed),
            Expected::Enrolled | Expected::Lists(_) | Expected::Sends | Expected::CountsDocuments(_) => {
                Decision::Allowed
            }
        };
        assert_eq!(events.last().unwrap().decision, decision, "{context}");
    }
}

#[test]
fn a_strangers_document_and_one_that_never_was_get_the_same_reply() {
    for offset in [0, 5000] {
        let answers: Vec<_> = [Case::SharedWithB, Case::Nonexistent, Case::Unshared, Case::Expired, Case::Deleted]
            .map(|case| {
                let mut scene = scene();
                let (_, document) = *scene.documents.iter().find(|(of, _)| *of == case).unwrap();
                let got = scene.ask(Role::DeviceOfA, Operation::Document { document, offset, version: None });
                assert!(got.transfer.is_none());
                let mut reply = got.reply;
                reply.request.0 = Fixed([0; 16]);
                (reply, got.sealed_bytes, scene.world.events().len())
            })
            .into_iter()
            .collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "offset {offset}");
    }
}
