//! A power cut between any two steps: effect, outcome, replay record and leaf are all there or none of them.

use rohrpost_e2ee::body::{Operation, Status};

use crate::handlers::enrol::{self, Counted};
use crate::requests::{self, Asker};
use crate::rows::{DeviceRow, OutcomeRow, SeenRow, SequenceRow};
use crate::testing::{Device, LISTING, Sealed, Who, World, enrolling, reading};
use crate::vault::{Draft, Store as _, StoreError, WriteSet};

/// Everything a request may leave behind, counted.
fn traces(world: &World) -> [usize; 5] {
    [
        world.events().len(),
        world.all::<SeenRow>().len(),
        world.all::<OutcomeRow>().len(),
        world.all::<SequenceRow>().len(),
        world.all::<DeviceRow>().len(),
    ]
}

/// Decides a device's request and hands out the writes, so that a test may lose them.
fn decide(world: &mut World, sealed: &Sealed) -> (Status, WriteSet) {
    let (incoming, asker, _) = world.open(sealed).unwrap();
    let Asker::Device { id, sequence } = asker else { panic!("not a device") };
    let mut draft = Draft::new(&world.store);
    let answer = requests::answer(&mut draft, &incoming, id, sequence, world.now, &mut world.rng).unwrap();
    (answer.reply.status, draft.into_writes())
}

fn world() -> (World, Device, Vec<Operation>) {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let device = world.device(patient);
    let hidden = world.document(patient, "draft");
    (world, device, vec![LISTING, reading(document), reading(hidden), Operation::Status])
}

#[test]
fn a_read_that_was_cut_off_left_nothing_and_is_answered_when_it_comes_again() {
    let (mut world, mut device, operations) = world();
    for operation in operations {
        let draft = world.draft(operation);
        let sealed = world.seal(&draft, device.next());
        let before = traces(&world);
        let (status, dropped) = decide(&mut world, &sealed);
        drop(dropped);
        assert_eq!(traces(&world), before, "decided, not applied");

        let (_, applied) = decide(&mut world, &sealed);
        world.store.apply(applied).unwrap();
        world.store.crash();
        assert_eq!(traces(&world), before, "applied, not flushed");

        world.store.fail_next_flush(StoreError::DiskFull);
        let (_, refused) = decide(&mut world, &sealed);
        world.store.apply(refused).unwrap();
        assert_eq!(world.store.flush(), Err(StoreError::DiskFull));
        assert_eq!(traces(&world), before, "the disk was full");

        assert_eq!(world.deliver(&sealed).status(), status);
        world.store.crash();
        let after = traces(&world);
        assert_eq!([after[0] - before[0], after[1] - before[1], after[2] - before[2]], [1; 3]);
        assert_eq!(world.deliver(&sealed).status(), Status::Repeated);
    }
}

/// Where an enrolment is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    BeforeCounting,
    BeforeComparing,
    Comparing,
    After,
}

#[test]
fn an_enrolment_cut_off_anywhere_counts_once_if_counted_and_enrols_once_if_told() {
    for cut in [Cut::BeforeCounting, Cut::BeforeComparing, Cut::Comparing, Cut::After] {
        let mut world = World::found();
        let patient = world.patient("Ada Example");
        let invitation = world.invite(patient);
        let draft = world.draft(enrolling(&invitation.pin));
        let who = Who::Enrol(world.key(), invitation.secret.clone());
        let sealed = world.seal(&draft, who.clone());
        let before = traces(&world);
        enrol_until(&mut world, &sealed, cut);
        world.store.crash();

        let (attempts, leaves) = (world.link(&invitation).attempts, world.events().len() - before[0]);
        let enrolled = cut == Cut::After;
        assert_eq!(attempts, u8::from(cut != Cut::BeforeCounting), "{cut:?}");
        assert_eq!(leaves, usize::from(enrolled), "{cut:?}");
        assert_eq!(world.all::<DeviceRow>().len(), usize::from(enrolled), "{cut:?}");
        assert_eq!(world.all::<OutcomeRow>().len(), usize::from(enrolled), "{cut:?}");
        assert_eq!(world.link(&invitation).used_by.is_some(), enrolled, "{cut:?}");

        let renewed = world.seal(&draft, who);
        assert_eq!(world.deliver(&renewed).status(), Status::Done, "{cut:?}");
        assert_eq!(world.all::<DeviceRow>().len(), 1, "{cut:?}");
        assert_eq!(world.events().len() - before[0], 1, "{cut:?}");
        assert_eq!(world.link(&invitation).attempts, 1, "one request, one try: {cut:?}");
        assert!(world.link(&invitation).uncompared.is_empty(), "{cut:?}");
    }
}

/// Every cut connection cost a try: the client asked again under the same id, in a new envelope, and was counted again.
/// Five of them killed a link without one wrong PIN.
#[test]
fn cut_connections_use_up_no_tries_of_a_link() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let draft = world.draft(enrolling(&invitation.pin));
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    for _ in 0..8 {
        let sealed = world.seal(&draft, who.clone());
        enrol_until(&mut world, &sealed, Cut::BeforeComparing);
    }
    assert_eq!(world.link(&invitation).attempts, 1);
    let renewed = world.seal(&draft, who);
    assert_eq!(world.deliver(&renewed).status(), Status::Done);
}

fn enrol_until(world: &mut World, sealed: &Sealed, cut: Cut) {
    let (incoming, asker, _) = world.open(sealed).unwrap();
    let Asker::Enrol(enrolment) = asker else { panic!("not an enrolment") };
    if cut == Cut::BeforeCounting {
        let mut draft = Draft::new(&world.store);
        enrol::count(&mut draft, &incoming, &enrolment, world.now, &mut world.rng).unwrap();
        let writes = draft.into_writes();
        world.store.apply(writes).unwrap();
        return;
    }
    assert!(matches!(world.count(&incoming, &enrolment), Counted::Compare));
    if cut == Cut::Comparing {
        let mut draft = Draft::new(&world.store);
        enrol::compare(&mut draft, &incoming, &enrolment, world.now, &mut world.rng).unwrap();
        let writes = draft.into_writes();
        world.store.apply(writes).unwrap();
    }
    if cut == Cut::After {
        world.compare(&incoming, &enrolment);
    }
}

#[test]
fn a_poisoned_store_decides_nothing() {
    let (mut world, mut device, operations) = world();
    let draft = world.draft(operations[0].clone());
    let sealed = world.seal(&draft, device.next());
    let (incoming, asker, _) = world.open(&sealed).unwrap();
    let Asker::Device { id, sequence } = asker else { panic!("not a device") };
    world.store.fail_next_flush(StoreError::Unavailable(10));
    assert_eq!(world.store.flush(), Err(StoreError::Unavailable(10)));
    let mut draft = Draft::new(&world.store);
    let answer = requests::answer(&mut draft, &incoming, id, sequence, world.now, &mut world.rng);
    assert_eq!(answer.map(|answer| answer.reply.status), Err(StoreError::Poisoned));
}
