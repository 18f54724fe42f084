//! What a list says when rows of it are damaged: what can be read is shown, and nothing is passed off as all there is.

use rohrpost_e2ee::body::{DocumentId, Operation, Payload};

use crate::requests::{self, Answer, Asker};
use crate::rows::{DocumentRow, PatientId};
use crate::testing::{Device, LISTING, World};
use crate::vault::{Draft, Row, StoreError, Table};

/// Both rows that make a document visible; each may be the damaged one.
const ROWS: [Table; 2] = [Table::Documents, Table::Grants];

struct Scene {
    world: World,
    patient: PatientId,
    device: Device,
}

fn scene() -> Scene {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let device = world.device(patient);
    Scene { world, patient, device }
}

impl Scene {
    fn shared(&mut self) -> DocumentId {
        let document = self.world.document(self.patient, "finding");
        self.world.share(self.patient, document, None);
        document
    }

    /// Puts bytes in the place of a row that nobody ever wrote there.
    fn spoil(&mut self, table: Table, document: DocumentId) {
        // A grant has the key of its document.
        let key = DocumentRow::key_of(&self.patient, &document);
        self.world.transact(|draft, _, _| draft.put(table, &key, Row::new(vec![1, 0xff])));
    }

    /// Decides a request and drops what it would write.
    fn decide(&mut self, operation: Operation) -> Result<Answer, StoreError> {
        let draft = self.world.draft(operation);
        let sealed = self.world.seal(&draft, self.device.next());
        let (incoming, asker, _) = self.world.open(&sealed).unwrap();
        let Asker::Device { id, sequence } = asker else { panic!("not a device") };
        let mut draft = Draft::new(&self.world.store);
        requests::answer(&mut draft, &incoming, id, sequence, self.world.now, &mut self.world.rng)
    }
}

/// An empty list would say that nothing is shared any more, and a client would believe it.
#[test]
fn a_list_of_which_no_row_can_be_read_is_damaged_and_not_empty() {
    for table in ROWS {
        for damaged in [1, 2] {
            let mut scene = scene();
            for _ in 0..damaged {
                let document = scene.shared();
                scene.spoil(table, document);
            }
            assert_eq!(scene.decide(LISTING).unwrap_err(), StoreError::Damaged, "{damaged} in {table:?}");
        }
    }
}

#[test]
fn a_list_shows_and_the_status_counts_what_can_be_read_beside_what_cannot() {
    for table in ROWS {
        let mut scene = scene();
        let mut whole = [scene.shared(), scene.shared()];
        whole.sort();
        let damaged = scene.shared();
        scene.spoil(table, damaged);
        assert_eq!(scene.world.ask(&mut scene.device, LISTING).listed(), whole, "{table:?}");
        let got = scene.world.ask(&mut scene.device, Operation::Status);
        let Payload::Status(status) = got.reply.payload else { panic!("{:?}", got.reply.status) };
        assert_eq!(status.documents, 2, "{table:?}");
    }
}

/// What was listed before shows that not all is gone, so the end is an end.
#[test]
fn the_rest_of_a_list_may_be_empty_though_it_is_damaged() {
    for table in ROWS {
        let mut scene = scene();
        let mut documents = [scene.shared(), scene.shared()];
        documents.sort();
        scene.spoil(table, documents[1]);
        let answer = scene.decide(Operation::Documents { after: Some(documents[0]) }).unwrap();
        let Payload::Documents(page) = answer.reply.payload else { panic!("{:?}", answer.reply.status) };
        assert_eq!((page.documents.len(), page.more), (0, false), "{table:?}");
    }
}

/// With it would go which numbers were used, how many requests were recorded, and how many after a revocation.
#[test]
fn a_device_whose_count_is_lost_is_not_taken_for_one_that_never_asked() {
    for revoked in [false, true] {
        let mut scene = scene();
        scene.world.ask(&mut scene.device, LISTING);
        if revoked {
            scene.world.revoke(&scene.device);
        }
        let key = scene.device.id.0.0;
        scene.world.transact(|draft, _, _| draft.delete(Table::Sequences, &key));
        assert_eq!(scene.decide(LISTING).unwrap_err(), StoreError::Damaged, "revoked: {revoked}");
    }
}
