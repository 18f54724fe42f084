//! "Not yours" and "not there" take the same time to decide, and a wrong PIN the same wherever it is wrong. Each test
//! finds a difference that is planted.

mod welch;

use rohrpost_e2ee::body::{DocumentId, Operation, Pin, Status};
use rohrpost_figures::Figures;

use self::welch::{Comparison, compare, compare_up_to_thrice};
use super::snapshot::{Try, unsealed};
use crate::handlers::enrol::{self, Counted};
use crate::requests;
use crate::rows::{self, DocumentRow, PatientId};
use crate::testing::{Device, START, Who, World, enrolling, reading};
use crate::vault::{Draft, SqliteStore, Store, VaultKey, system_rng};

const IDS: usize = 2048;
const SAMPLES: u64 = 100_000;
const SAMPLES_ON_DISK: u64 = 20_000;
const SAMPLES_PLANTED: u64 = 10_000;
const SEED: u64 = 30;

/// Two patients: the one who asks, and the one whose documents are asked for.
struct Scene<S> {
    world: World<S>,
    device: Device,
    other: PatientId,
    /// By kind: documents of the other patient, and ids of nothing.
    ids: [Vec<DocumentId>; 2],
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
    let mut draw = |_| DocumentId::generate(&mut world.rng);
    let ids = [(0..IDS).map(&mut draw).collect::<Vec<_>>(), (0..IDS).map(&mut draw).collect()];
    world.transact(|draft, _, _| {
        for document in &ids[0] {
            rows::save(draft, &DocumentRow { id: *document, ..template.clone() })?;
            let (subject, document) = (other, *document);
            let rights = rows::Rights::SHARED;
            rows::save(draft, &rows::GrantRow { subject, document, rights, shared: START, not_after: None })?;
        }
        Ok(())
    });
    Scene { world, device, other, ids }
}

impl<S: Store> Scene<S> {
    /// Decides about a document of either kind, again and again from the same state.
    fn measure(
        &mut self,
        samples: u64,
        compare: impl FnOnce(u64, u64, &mut dyn FnMut(bool, u64)) -> Comparison,
        planted: impl Fn(&Draft<'_>, &PatientId, &DocumentId),
    ) -> Comparison {
        let mut incoming = unsealed(&self.world, Operation::Status);
        let (world, device) = (&mut self.world, self.device.id);
        compare(samples, SEED, &mut |absent, number| {
            let ids = &self.ids[usize::from(absent)];
            let document = ids[usize::try_from(number).unwrap() % IDS];
            incoming.operation = reading(document);
            let mut draft = Draft::new(&world.store);
            if !absent {
                planted(&draft, &self.other, &document);
            }
            let answer = requests::answer(&mut draft, &incoming, device, 1, START, &mut world.rng).unwrap();
            assert_eq!(answer.reply.status, Status::NotAllowed);
        })
    }
}

fn nothing(_: &Draft<'_>, _: &PatientId, _: &DocumentId) {}

/// The fault of a safe that looks whether somebody else has the document before it refuses it.
fn a_second_look(draft: &Draft<'_>, other: &PatientId, document: &DocumentId) {
    assert!(rows::load::<DocumentRow>(draft, &DocumentRow::key_of(other, document)).unwrap().is_some());
}

fn publish(name: &'static str, found: Comparison, planted: Comparison) {
    Figures::of(name)
        .seed(SEED)
        .count("samples", found.samples)
        .measure("median", (found.median * 1e9).round() / 1000.0, " µs")
        .measure("t", rounded(found.t), "")
        .measure("medians apart", rounded(found.medians_apart * 100.0), " %")
        .measure("t of the planted difference", rounded(planted.t), "")
        .measure("planted medians apart", rounded(planted.medians_apart * 100.0), " %")
        .publish();
}

/// To two decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

fn check(name: &'static str, found: Comparison, planted: Comparison) {
    assert!(planted.differ(), "{name}: the planted difference is not found: {planted:?}");
    assert!(!found.differ() && found.medians_apart < 0.02, "{name}: {found:?}");
    publish(name, found, planted);
}

#[test]
fn not_yours_and_not_there_take_the_same_time_to_decide() {
    let mut scene = scene(World::found());
    let found = scene.measure(SAMPLES, |n, seed, ask| compare_up_to_thrice(n, seed, ask), nothing);
    let planted = scene.measure(SAMPLES_PLANTED, |n, seed, ask| compare(n, seed, ask), a_second_look);
    check("access.timing_document", found, planted);
}

#[test]
fn not_yours_and_not_there_take_the_same_time_to_decide_over_a_store_on_disk() {
    let place = tempfile::TempDir::new().unwrap();
    let key = VaultKey::generate(&mut system_rng());
    let store = SqliteStore::create(&place.path().join("vault.db"), &key, system_rng()).unwrap();
    let mut scene = scene(World::over(store));
    let found = scene.measure(SAMPLES_ON_DISK, |n, seed, ask| compare_up_to_thrice(n, seed, ask), nothing);
    let planted = scene.measure(SAMPLES_PLANTED, |n, seed, ask| compare(n, seed, ask), a_second_look);
    check("access.timing_document_on_disk", found, planted);
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
    let tries: [Try; 2] = [0, 5].map(|digit| {
        let draft = world.draft(enrolling(&wrong_in(&invitation.pin, digit)));
        let who = Who::Enrol(world.key(), invitation.secret.clone());
        let sealed = world.seal(&draft, who);
        Try::of(&world, &sealed)
    });
    for Try { incoming, enrolment } in &tries {
        assert!(matches!(world.count(incoming, enrolment), Counted::Compare));
    }
    let World { store, rng, .. } = &mut world;
    let mut ask = |slow: u32, last: bool| {
        let Try { incoming, enrolment } = &tries[usize::from(last)];
        let mut draft = Draft::new(&*store);
        for _ in 0..if last { slow } else { 0 } {
            std::hint::black_box(rows::load::<rows::LinkRow>(&draft, &enrolment.link.0.0).unwrap());
        }
        let answer = enrol::compare(&mut draft, incoming, enrolment, START, rng).unwrap();
        assert_eq!(answer.reply.status, Status::WrongPin { left: 3 });
    };
    let found = compare_up_to_thrice(SAMPLES / 2, SEED, |last, _| ask(0, last));
    let planted = compare(SAMPLES_PLANTED, SEED, |last, _| ask(1, last));
    check("access.timing_pin", found, planted);
}
