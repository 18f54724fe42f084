//! Long lists, page by page, and what their size tells a relay.

use rohrpost_e2ee::body::{DOCUMENTS_PER_PAGE, DocumentId, Operation, Payload, Status};
use rohrpost_e2ee::exchange::ENCAPSULATED_BYTES;

use crate::rows::{self, DocumentRow, GrantRow, PatientId, Rights};
use crate::testing::{Device, LISTING, START, World};

/// Header, encapsulated key and tag around the padded body.
const AROUND: usize = 3 + ENCAPSULATED_BYTES + 16;
const CLASS_64K: usize = 64 * 1024 + AROUND;

/// Many documents of one patient, every one shared, in transactions of a thousand.
fn fill(world: &mut World, patient: PatientId, number: usize, name: &str) -> Vec<DocumentId> {
    let template = world.document(patient, "template");
    let key = DocumentRow::key_of(&patient, &template);
    let template: DocumentRow = world.load(&key).unwrap();
    world.delete::<DocumentRow>(&key);
    let mut ids: Vec<DocumentId> = (0..number).map(|_| DocumentId::generate(&mut world.rng)).collect();
    for some in ids.chunks(1000) {
        world.transact(|draft, _, _| {
            for document in some.iter().copied() {
                let (title, file_name) = (name.to_owned(), name.to_owned());
                rows::save(draft, &DocumentRow { id: document, title, file_name, ..template.clone() })?;
                let (subject, rights) = (patient, Rights::SHARED);
                rows::save(draft, &GrantRow { subject, document, rights, shared: START, not_after: Some(START) })?;
            }
            Ok(())
        });
    }
    ids.sort();
    ids
}

fn walk(world: &mut World, device: &mut Device) -> (Vec<DocumentId>, Vec<usize>) {
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let got = world.ask(device, Operation::Documents { after: ids.last().copied() });
        sizes.push(got.sealed_bytes);
        let Payload::Documents(page) = got.reply.payload else { panic!("{:?}", got.reply.status) };
        assert!(page.documents.len() <= DOCUMENTS_PER_PAGE);
        assert!(!page.more || page.documents.len() == DOCUMENTS_PER_PAGE);
        ids.extend(page.documents.iter().map(|entry| entry.id));
        if !page.more {
            return (ids, sizes);
        }
    }
}

#[test]
fn ten_thousand_documents_come_page_by_page_each_once_and_in_the_64_kib_class() {
    let mut world = World::found();
    let (ada, ben) = (world.patient("Ada Example"), world.patient("Ben Example"));
    let ids = fill(&mut world, ada, 10_000, &"x".repeat(200));
    fill(&mut world, ben, 50, "not Ada's");
    let mut device = world.device(ada);
    let (listed, sizes) = walk(&mut world, &mut device);
    assert_eq!(listed, ids);
    assert_eq!(sizes, vec![CLASS_64K; 100]);
    let got = world.ask(&mut device, Operation::Status);
    let Payload::Status(status) = got.reply.payload else { panic!("{:?}", got.reply.status) };
    assert_eq!(status.documents, 10_000);
}

/// Names were cut by characters alone: a page of Chinese or Arabic titles gave itself away by its size.
#[test]
fn a_page_of_the_longest_names_in_any_script_stays_in_the_64_kib_class() {
    for script in ["x", "\u{e4}", "\u{633}", "\u{75c5}", "\u{1fac0}"] {
        let mut world = World::found();
        let patient = world.patient("Ada Example");
        fill(&mut world, patient, DOCUMENTS_PER_PAGE, &script.repeat(200));
        let mut device = world.device(patient);
        let got = world.ask(&mut device, LISTING);
        assert_eq!(got.sealed_bytes, CLASS_64K, "{script}");
        let Payload::Documents(page) = got.reply.payload else { panic!("no page") };
        assert!(page.documents.iter().all(|entry| entry.title.chars().count() >= 64), "{script}");
    }
}

#[test]
fn a_page_holds_a_hundred_and_knows_whether_there_is_more() {
    for (number, pages) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (201, 3)] {
        let mut world = World::found();
        let patient = world.patient("Ada Example");
        let ids = fill(&mut world, patient, number, "finding");
        let mut device = world.device(patient);
        let (listed, sizes) = walk(&mut world, &mut device);
        assert_eq!((listed, sizes.len()), (ids, pages), "{number}");
    }
}

#[test]
fn a_cursor_that_is_no_document_of_the_patient_shows_nothing_it_should_not() {
    let mut world = World::found();
    let (ada, ben) = (world.patient("Ada Example"), world.patient("Ben Example"));
    let ids = fill(&mut world, ada, 10, "finding");
    let foreign = fill(&mut world, ben, 10, "not Ada's");
    let mut device = world.device(ada);
    for after in foreign {
        let got = world.ask(&mut device, Operation::Documents { after: Some(after) });
        assert_eq!(got.status(), Status::Done);
        assert_eq!(got.listed(), ids.iter().copied().filter(|id| *id > after).collect::<Vec<_>>());
    }
}
