//! Everything that can be asked × everybody who can ask × every document × every place inside a request, against a
//! policy written for this test.

mod policy;
mod scene;

use std::collections::BTreeSet;
use std::thread;

use rohrpost_e2ee::body::{DocumentId, Operation, Payload, Status};
use rohrpost_e2ee::exchange::{Lane, decoy_reply};
use rohrpost_figures::Figures;
use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;

use self::policy::{CASES, Case, Expected, From, Group, Question, ROLES, Role, Version, expected, is_recorded};
use self::scene::{DEPOSIT, Outcome, Scene};
use crate::testing::{Got, START};

const FROM: [From; 4] = [From::Start, From::Middle, From::BehindTheEnd, From::FarBehind];
const VERSIONS: [Version; 4] = [Version::Unnamed, Version::Own, Version::OfAnotherDocument, Version::Invented];

/// Every question of the operation that follows this one. A new operation does not compile until it has its place here,
/// in [`is_of`] and in the policy.
fn questions_after(operation: Option<&Operation>) -> Vec<Question> {
    match operation {
        None => vec![Question::Enrol { right_pin: false }, Question::Enrol { right_pin: true }],
        Some(Operation::Enrol { .. }) => {
            let cursors = CASES.into_iter().map(Some).chain([None]);
            cursors.map(|after| Question::Documents { after }).collect()
        }
        Some(Operation::Documents { .. }) => {
            let mut questions = Vec::new();
            for (case, from) in CASES.into_iter().flat_map(|case| FROM.map(|from| (case, from))) {
                questions.extend(VERSIONS.map(|version| Question::Document { case, from, version }));
            }
            questions
        }
        Some(Operation::Document { .. }) => vec![Question::Status],
        Some(Operation::Status) => Vec::new(),
    }
}

fn is_of(question: Question, operation: &Operation) -> bool {
    match operation {
        Operation::Enrol { .. } => matches!(question, Question::Enrol { .. }),
        Operation::Documents { .. } => matches!(question, Question::Documents { .. }),
        Operation::Document { .. } => matches!(question, Question::Document { .. }),
        Operation::Status => question == Question::Status,
    }
}

/// A refusal without what every answer has of its own, as it was sealed.
type Bare = (Vec<u8>, usize);

/// What one role's part of the matrix came to.
#[derive(Default)]
struct Tally {
    cells: u64,
    refusals: BTreeSet<Bare>,
}

#[test]
fn every_operation_by_a_patients_device_on_every_document_in_every_position_is_answered_as_the_policy_says() {
    all_questions_of(Group::Patients, "access.matrix_patients");
}

#[test]
fn every_operation_by_a_revoked_device_is_refused() {
    all_questions_of(Group::Revoked, "access.matrix_revoked");
}

#[test]
fn every_operation_by_a_stranger_or_another_practices_patient_is_refused_and_leaves_nothing() {
    all_questions_of(Group::Strangers, "access.matrix_strangers");
}

#[test]
fn every_operation_by_whoever_holds_a_link_is_refused_but_the_enrolment() {
    all_questions_of(Group::LinkHolders, "access.matrix_link_holders");
}

fn all_questions_of(group: Group, figures: &'static str) {
    let roles: Vec<Role> = ROLES.into_iter().filter(|role| role.group() == group).collect();
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let roles: Vec<_> = roles.iter().map(|role| scope.spawn(|| questions_of(*role))).collect();
        roles.into_iter().map(|role| role.join().unwrap()).collect()
    });
    let mut scene = Scene::new();
    let refusal = bare(scene.ask(Role::Nobody, Question::Status, Lane::Live).1.got.unwrap());
    assert_eq!(decoy_reply(&mut scene.world.rng).unwrap().len(), refusal.1, "what does not open is one more");
    for tally in &tallies {
        assert!(tally.refusals.iter().all(|other| *other == refusal), "not yours, not there, not you are one answer");
    }
    Figures::of(figures)
        .count("roles", roles.len() as u64)
        .count("states of a document", CASES.len() as u64)
        .count("cells", tallies.iter().map(|tally| tally.cells).sum())
        .none("wrong answers")
        .count("kinds of refusal", 1)
        .publish();
}

/// A call, and a deposit where that can make a difference.
fn lanes(question: Question) -> Vec<Lane> {
    match question {
        Question::Document { from: From::Middle | From::BehindTheEnd | From::FarBehind, .. } => vec![Lane::Live],
        Question::Document { from: From::Start, .. }
        | Question::Enrol { .. }
        | Question::Documents { .. }
        | Question::Status => vec![Lane::Live, DEPOSIT],
    }
}

fn questions_of(role: Role) -> Tally {
    let (mut tally, mut scene, mut operation) = (Tally::default(), Scene::new(), None);
    loop {
        let questions = questions_after(operation.as_ref());
        let asked = questions.iter().flat_map(|question| lanes(*question).into_iter().map(|lane| (*question, lane)));
        for (question, lane) in asked {
            if matches!(question, Question::Enrol { .. }) {
                // It changes who is known.
                scene = Scene::new();
            }
            operation = Some(cell(&mut tally, &mut scene, role, question, lane));
        }
        if questions.is_empty() {
            return tally;
        }
    }
}

fn cell(tally: &mut Tally, scene: &mut Scene, role: Role, question: Question, lane: Lane) -> Operation {
    scene.forget_revoked_requests();
    let devices = scene.devices();
    let (operation, outcome) = scene.ask(role, question, lane);
    assert!(is_of(question, &operation));
    let context = format!("{role:?} {question:?} {lane:?}");
    let promise = expected(role, question, lane == Lane::Live);
    check(scene, question, &promise, &outcome, &context);
    check_traces(role, question, &outcome, &context);
    let enrolled = usize::from(promise == Expected::Enrolled);
    assert_eq!(scene.devices(), devices + enrolled, "{context}");
    tally.cells += 1;
    tally.refusals.extend(outcome.got.filter(|_| promise == Expected::NotAllowed).map(bare));
    operation
}

/// A reply with its own request id and its device's own counter taken out; the rest must not tell two refusals apart.
fn bare(got: Got) -> Bare {
    let mut reply = got.reply;
    reply.request.0 = Fixed([0; 16]);
    reply.highest_sequence = 0;
    (codec::encode(&reply), got.sealed_bytes)
}

fn check(scene: &Scene, question: Question, promise: &Expected, outcome: &Outcome, context: &str) {
    let Some(got) = &outcome.got else {
        assert_eq!(*promise, Expected::Shut, "{context}");
        return;
    };
    assert_eq!(got.reply.safe_time, START);
    assert_eq!(got.transfer.is_some(), matches!(promise, Expected::Sends(_)), "{context}");
    let refused = match promise {
        Expected::Shut => panic!("opened: {context}"),
        Expected::NotAllowed => Status::NotAllowed,
        Expected::WrongPin => Status::WrongPin { left: 4 },
        Expected::LinkUsed => Status::LinkUsed,
        Expected::Changed => Status::Changed,
        Expected::LiveOnly => Status::LiveOnly,
        Expected::Enrolled | Expected::Lists(_) | Expected::Sends(_) | Expected::Counts(_) => Status::Done,
    };
    assert_eq!(got.status(), refused, "{context}");
    match (promise, &got.reply.payload) {
        (Expected::Enrolled, Payload::Enrolled(_)) => {}
        (Expected::Counts(documents), Payload::Status(status)) => {
            assert_eq!(usize::try_from(status.documents).unwrap(), *documents, "{context}");
        }
        (Expected::Lists(cases), Payload::Documents(page)) => {
            assert_eq!((got.listed(), page.more), (behind_cursor(scene, question, cases), false), "{context}");
        }
        (Expected::Sends(case), Payload::Object(_)) => {
            assert_eq!(got.transfer.as_ref().unwrap().document, scene.id(*case), "{context}");
        }
        (_, payload) => assert!(refused != Status::Done && *payload == Payload::None, "{payload:?} {context}"),
    }
}

/// The ids of what is listed, in their order, after the one that was named.
fn behind_cursor(scene: &Scene, question: Question, cases: &[Case]) -> Vec<DocumentId> {
    let Question::Documents { after } = question else { panic!("no list was asked for") };
    let mut ids: Vec<_> = cases.iter().map(|case| scene.id(*case)).collect();
    ids.retain(|id| after.is_none_or(|after| *id > scene.id(after)));
    ids.sort();
    ids
}

/// One leaf for a decision about somebody who is known; a stranger does not make the safe write at all.
fn check_traces(role: Role, question: Question, outcome: &Outcome, context: &str) {
    let recorded = is_recorded(role, question);
    assert_eq!((outcome.leaves, outcome.rows_changed), (u64::from(recorded), recorded), "{context}");
}

#[test]
fn a_strangers_document_and_one_that_never_was_get_the_same_reply() {
    for (from, version) in FROM.into_iter().flat_map(|from| VERSIONS.map(|version| (from, version))) {
        let hidden = CASES.into_iter().filter(|case| !matches!(case, Case::Shared | Case::LastSecond));
        let answers: BTreeSet<_> = hidden
            .map(|case| {
                let mut scene = Scene::new();
                let question = Question::Document { case, from, version };
                let (_, outcome) = scene.ask(Role::DeviceOfA, question, Lane::Live);
                let mut got = outcome.got.unwrap();
                assert!(got.is_bare());
                got.reply.request.0 = Fixed([0; 16]);
                (codec::encode(&got.reply), got.sealed_bytes, outcome.leaves)
            })
            .collect();
        assert_eq!(answers.len(), 1, "{from:?} {version:?}");
    }
}
