//! What a sealed envelope gets for an answer when a row that it needs cannot be read.

use rohrpost_e2ee::body::{Operation, Reply};
use tempfile::TempDir;

use super::*;
use crate::identity;
use crate::rows::{DeviceRow, LinkRow, SequenceRow, Stored};
use crate::testing::{Sealed, Who, World, enrolling};
use crate::vault::{Keeper, Row};

/// Requests that a device had answered before the damage.
const BEFORE: u64 = 3;

/// Replaces a row by bytes that nobody ever wrote there.
fn spoil<T: Stored>(world: &mut World, key: &[u8]) {
    world.transact(|draft, _, _| draft.put(T::TABLE, key, Row::new(vec![1, 0xff])));
}

/// Answers an envelope as the running safe does, and opens the reply as its sender.
async fn answered(world: World, sealed: &Sealed) -> Reply {
    let place = TempDir::new().unwrap();
    let folder = Folder::create(&place.path().join("safe")).unwrap().finish().unwrap();
    let (_, row) = world.read(identity::load);
    let keyring = Keyring::new(row.pin, row.inbox, world.read(identity::prekeys));
    let keeper = Keeper::start(Box::new(world.store));
    let answering = Answering::new(keeper.handle(), Arc::new(folder), Transfers::default(), keyring);
    let answered = answering.answer(&sealed.envelope, Lane::Live).await.unwrap();
    assert!(answered.content.is_none());
    sealed.expect().open(&answered.reply).unwrap()
}

/// A client is told what the safe has seen of it by every answer, and nothing less because of a row of another kind.
#[tokio::test]
async fn a_device_whose_row_is_damaged_is_told_so_and_how_far_it_had_come() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let mut device = world.device(patient);
    for _ in 0..BEFORE {
        assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    }
    spoil::<DeviceRow>(&mut world, &device.id.0.0);
    let draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.next());
    let reply = answered(world, &sealed).await;
    assert_eq!((reply.status, reply.request, reply.payload), (Status::Damaged, draft.id, Payload::None));
    assert_eq!(reply.highest_sequence, BEFORE);
}

#[tokio::test]
async fn a_device_that_enrols_by_a_damaged_link_is_told_so_and_how_far_it_had_come() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let mut device = world.device(patient);
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    spoil::<LinkRow>(&mut world, &invitation.secret.id().0.0);
    let draft = world.draft(enrolling(&invitation.pin));
    let sealed = world.seal(&draft, Who::Enrol(device.key.clone(), invitation.secret));
    let reply = answered(world, &sealed).await;
    assert_eq!((reply.status, reply.payload, reply.highest_sequence), (Status::Damaged, Payload::None, 1));
}

#[tokio::test]
async fn what_a_device_had_come_to_is_nothing_when_its_own_count_is_damaged() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let mut device = world.device(patient);
    assert_eq!(world.ask(&mut device, Operation::Status).status(), Status::Done);
    spoil::<SequenceRow>(&mut world, &device.id.0.0);
    let draft = world.draft(Operation::Status);
    let sealed = world.seal(&draft, device.next());
    let reply = answered(world, &sealed).await;
    assert_eq!((reply.status, reply.highest_sequence), (Status::Damaged, 0));
}
