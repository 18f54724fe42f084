//! "Not yours" and "not there" take the same time to decide, and a wrong PIN the same wherever it is wrong: one sample,
//! one level, both fixed beforehand. Each run finds a delay that is planted in it, of the smallest size that matters.

mod differences;
mod rounds;

use std::time::Duration;

use rohrpost_e2ee::body::{DocumentId, Operation, Pin, Status};

use self::rounds::{Kind, Plan};
use super::snapshot::{Try, unsealed};
use crate::handlers::enrol::{self, Counted};
use crate::requests;
use crate::rows::{self, DocumentRow};
use crate::testing::{Device, START, Who, World, enrolling, reading};
use crate::vault::{Draft, SqliteStore, Store, VaultKey, system_rng};

const IDS: usize = 1024;

/// A device may ask 10,000 times in the 48 h of a prekey, half of them each way; on a switched local network, where answers
/// jitter by 10 µs at best (Crosby, Wallach, Riedi: "Opportunities and Limits of Remote Timing Attacks", 2009), it finds
/// 4.5 · 10 µs · √(2 / 5,000) = 0.9 µs.
const IN_MEMORY: Plan = Plan { seed: 30, rounds: 20_000, matters: Duration::from_micros(1) };
/// What is decided over a disk is flushed there before it is answered, and no flush is steadier than 50 µs: by the same
/// reckoning 4.5 µs.
const ON_DISK: Plan = Plan { seed: 30, rounds: 8_000, matters: Duration::from_micros(5) };

/// Two patients: the one who asks, and the one whose documents are asked for.
struct Scene<S> {
    world: World<S>,
    device: Device,
    /// By kind: documents of the other patient, but for [`Kind::Other`] ids of nothing. No kind finds warm in a cache what
    /// another has just asked for.
    ids: [Vec<DocumentId>; 4],
}

fn scene<S: Store>(mut world: World<S>) -> Scene<S> {
    let (own, other) = (world.patient("Ada Example"), world.patient("Ben Example"));
    let device = world.device(own);
    for _ in 0..16 {
        let document = world.document(own, "finding");
        world.share(own, document, None);
    }
    let template = world.document(other, "finding");
    let template: DocumentRow = world.load(&DocumentRow::key_of(&other, &template)).unwrap();
    let ids = [(); 4].map(|()| (0..IDS).map(|_| DocumentId::generate(&mut world.rng)).collect::<Vec<_>>());
    world.transact(|draft, _, _| {
        for kind in [Kind::First, Kind::Again, Kind::Delayed] {
            for document in &ids[kind as usize] {
                rows::save(draft, &DocumentRow { id: *document, ..template.clone() })?;
                let (subject, document) = (other, *document);
                let rights = rows::Rights::SHARED;
                rows::save(draft, &rows::GrantRow { subject, document, rights, shared: START, not_after: None })?;
            }
        }
        Ok(())
    });
    Scene { world, device, ids }
}

impl<S: Store> Scene<S> {
    /// Decides about a document of each kind, again and again from the same state.
    fn check(&mut self, plan: Plan, name: &'static str) {
        let mut incoming = unsealed(&self.world, Operation::Status);
        let (world, device) = (&mut self.world, self.device.id);
        plan.check(name, |kind, round| {
            incoming.operation = reading(self.ids[kind as usize][round % IDS]);
            let mut draft = Draft::new(&world.store);
            let answer = requests::answer(&mut draft, &incoming, device, 1, START, &mut world.rng).unwrap();
            assert_eq!(answer.reply.status, Status::NotAllowed);
        });
    }
}

#[test]
fn not_yours_and_not_there_take_the_same_time_to_decide() {
    scene(World::found()).check(IN_MEMORY, "access.timing_document");
}

#[test]
fn not_yours_and_not_there_take_the_same_time_to_decide_over_a_store_on_disk() {
    let place = tempfile::TempDir::new().unwrap();
    let key = VaultKey::generate(&mut system_rng());
    let store = SqliteStore::create(&place.path().join("vault.db"), &key, system_rng()).unwrap();
    scene(World::over(store)).check(ON_DISK, "access.timing_document_on_disk");
}

/// A PIN that is wrong in its first digit, or in its last.
fn wrong_in(pin: &Pin, digit: usize) -> Pin {
    let mut digits = *pin.expose();
    digits[digit] = b'0' + (digits[digit] - b'0' + 1) % 10;
    Pin::parse(std::str::from_utf8(&digits).unwrap()).unwrap()
}

#[test]
fn a_pin_that_is_wrong_in_its_first_digit_takes_as_long_as_one_that_is_wrong_in_its_last() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let tries: [Try; 4] = [Kind::First, Kind::Again, Kind::Other, Kind::Delayed].map(|kind| {
        let digit = if kind == Kind::Other { 5 } else { 0 };
        let draft = world.draft(enrolling(&wrong_in(&invitation.pin, digit)));
        let who = Who::Enrol(world.key(), invitation.secret.clone());
        let sealed = world.seal(&draft, who);
        Try::of(&world, &sealed)
    });
    for Try { incoming, enrolment } in &tries {
        assert!(matches!(world.count(incoming, enrolment), Counted::Compare));
    }
    let World { store, rng, .. } = &mut world;
    IN_MEMORY.check("access.timing_pin", |kind, _| {
        let Try { incoming, enrolment } = &tries[kind as usize];
        let mut draft = Draft::new(&*store);
        let answer = enrol::compare(&mut draft, incoming, enrolment, START, rng).unwrap();
        assert_eq!(answer.reply.status, Status::WrongPin { left: 1 });
    });
}
