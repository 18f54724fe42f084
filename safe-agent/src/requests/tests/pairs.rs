//! A thousand documents, a thousand rights: each opens its own document and no other.

use rohrpost_e2ee::body::{DocumentId, Status};
use rohrpost_figures::Figures;

use crate::grants;
use crate::rows::{self, DeviceRow, DocumentRow, GrantRow, PatientId, PatientRow, Rights};
use crate::testing::{Device, START, World, reading};

const PAIRS: usize = 1000;
/// Of a million pairs, those that are asked for with sealed envelopes: every this-many-th.
const ASKED: usize = 9973;

/// A thousand patients, each with a device and one shared document.
fn fill(world: &mut World) -> (Vec<Device>, Vec<DocumentId>) {
    let first = world.patient("Ada Example");
    let template = world.document(first, "finding");
    let template: DocumentRow = world.load(&DocumentRow::key_of(&first, &template)).unwrap();
    let patient: PatientRow = world.load(&first.0.0).unwrap();
    let (mut devices, mut documents) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let subject = PatientId::generate(&mut world.rng);
        let document = DocumentId::generate(&mut world.rng);
        let owner = PatientRow { id: subject, ..patient.clone() };
        let row = DocumentRow { id: document, patient: subject, ..template.clone() };
        world.transact(|draft, _, _| {
            rows::save(draft, &owner)?;
            rows::save(draft, &row)?;
            rows::save(draft, &GrantRow { subject, document, rights: Rights::SHARED, shared: START, not_after: None })
        });
        devices.push(world.device(subject));
        documents.push(document);
    }
    (devices, documents)
}

#[test]
fn of_a_million_pairs_of_right_and_document_the_thousand_that_belong_together_open() {
    let mut world = World::found();
    let (mut devices, documents) = fill(&mut world);
    let opened = world.read(|draft| {
        let mut opened = Vec::new();
        for (who, device) in devices.iter().enumerate() {
            let row: DeviceRow = rows::load(draft, &device.id.0.0)?.unwrap();
            for (what, document) in documents.iter().enumerate() {
                if grants::authorise(draft, &row, Rights::READ, document, START)?.is_some() {
                    opened.push((who, what));
                }
            }
        }
        Ok(opened)
    });
    assert_eq!(opened, (0..PAIRS).map(|pair| (pair, pair)).collect::<Vec<_>>());

    let (mut asked, mut answered) = (0u64, 0u64);
    let sampled = (0..PAIRS * PAIRS).step_by(ASKED).chain((0..PAIRS).step_by(97).map(|pair| pair * PAIRS + pair));
    for pair in sampled {
        let (who, what) = (pair / PAIRS, pair % PAIRS);
        let got = world.ask(&mut devices[who], reading(documents[what]));
        let expected = if who == what { Status::Done } else { Status::NotAllowed };
        assert_eq!((got.status(), got.is_bare()), (expected, who != what), "{who} {what}");
        (asked, answered) = (asked + 1, answered + u64::from(who == what));
    }
    Figures::of("access.pairs")
        .count("pairs decided", (PAIRS * PAIRS) as u64)
        .count("opened", opened.len() as u64)
        .none("opened that do not belong together")
        .count("pairs asked for in sealed requests", asked)
        .count("answered with a document", answered)
        .publish();
}
