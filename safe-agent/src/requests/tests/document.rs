//! Fetching one document: the manifest, the lane, the version, the place to resume from.

use rohrpost_e2ee::VersionHash;
use rohrpost_e2ee::body::{DocumentId, Manifest, Operation, Payload, Status};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_e2ee::padding::padme;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;

use crate::audit::{Action, Decision, Refusal};
use crate::requests::Transfer;
use crate::rows::{DocumentRow, PatientId};
use crate::testing::{Device, Got, LISTING, World, reading};
use crate::vault::{Row, Table};

struct Scene {
    world: World,
    patient: PatientId,
    device: Device,
    document: DocumentId,
}

fn scene() -> Scene {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let document = world.document(patient, "finding");
    world.share(patient, document, None);
    let device = world.device(patient);
    Scene { world, patient, device, document }
}

impl Scene {
    fn row(&self) -> DocumentRow {
        self.world.load(&DocumentRow::key_of(&self.patient, &self.document)).unwrap()
    }

    fn fetch(&mut self, offset: u64, version: Option<VersionHash>) -> Got {
        self.world.ask(&mut self.device, Operation::Document { document: self.document, offset, version })
    }
}

fn sent(got: Got) -> (Box<Manifest>, Transfer) {
    assert_eq!(got.status(), Status::Done);
    let Payload::Object(manifest) = got.reply.payload else { panic!("no manifest") };
    (manifest, got.transfer.unwrap())
}

#[test]
fn the_manifest_tells_the_client_what_the_transfer_sends() {
    let mut scene = scene();
    let row = scene.row();
    for offset in [0, 1, 999, 1000] {
        let (manifest, transfer) = sent(scene.fetch(offset, Some(row.version())));
        let length = 1000 - offset;
        assert_eq!((manifest.total, manifest.offset, manifest.length), (1000, offset, length));
        assert_eq!((transfer.offset, transfer.length), (offset, length));
        assert_eq!((manifest.padded, transfer.padded), (padme(length), padme(length)));
        assert_eq!((manifest.version, manifest.sha256), (row.version(), row.sha256));
        assert_eq!(transfer.context, manifest.context());
        assert_eq!(rohrpost_e2ee::object::ObjectKey::from(&manifest.key).expose(), transfer.object_key.expose());
        assert_ne!(transfer.object_key.expose(), transfer.content_key.expose(), "the key at rest stays at rest");
        assert_eq!((transfer.device, transfer.patient), (scene.device.id, scene.patient));
        let action = Action::Read { document: scene.document, offset };
        assert_eq!(scene.world.events().last().unwrap().action, action);
    }
}

#[test]
fn what_is_not_the_content_any_more_is_not_sent() {
    let mut scene = scene();
    let version = scene.row().version();
    let refused = |got: Got, world: &World| {
        assert_eq!(got.status(), Status::Changed);
        assert!(got.is_bare());
        assert_eq!(world.events().last().unwrap().decision, Decision::Refused(Refusal::Changed));
    };
    for offset in [1001, u64::MAX] {
        let got = scene.fetch(offset, None);
        refused(got, &scene.world);
    }
    let got = scene.fetch(0, Some(VersionHash(Fixed([9; 32]))));
    refused(got, &scene.world);
    let row = DocumentRow { sha256: Fixed([5; 32]), ..scene.row() };
    scene.world.save(&row);
    let got = scene.fetch(500, Some(version));
    refused(got, &scene.world);
    let (manifest, _) = sent(scene.fetch(0, None));
    assert_eq!(manifest.sha256, Fixed([5; 32]), "who asks without a version takes what there is");
}

#[test]
fn content_goes_live_only_and_a_deposit_learns_of_no_document_it_may_not_have() {
    let lane = Lane::Deposit { ttl: TtlClass::Day, reply_mailbox: Some(Fixed([6; 32])) };
    let mut scene = scene();
    let hidden = scene.world.document(scene.patient, "draft");
    let nothing = DocumentId(Fixed([9; 16]));
    for (document, status) in
        [(scene.document, Status::LiveOnly), (hidden, Status::NotAllowed), (nothing, Status::NotAllowed)]
    {
        let draft = scene.world.draft(reading(document));
        let sealed = scene.world.seal_on(lane, &draft, scene.device.next());
        let got = scene.world.deliver(&sealed);
        assert_eq!(got.status(), status);
        assert!(got.is_bare());
        if status == Status::LiveOnly {
            let sealed = scene.world.seal(&draft, scene.device.next());
            assert_eq!(scene.world.deliver(&sealed).status(), Status::Done, "the same request, by a call");
        }
    }
}

#[test]
fn a_damaged_document_hides_no_other_and_says_so_when_it_is_fetched() {
    let mut scene = scene();
    let other = scene.world.document(scene.patient, "another finding");
    scene.world.share(scene.patient, other, None);
    let key = DocumentRow::key_of(&scene.patient, &scene.document);
    scene.world.transact(|draft, _, _| draft.put(Table::Documents, &key, Row::new(vec![1, 0xff])));
    assert_eq!(scene.fetch(0, None).status(), Status::Damaged);
    assert_eq!(scene.world.events().last().unwrap().decision, Decision::Refused(Refusal::Damaged));
    assert_eq!(scene.world.ask(&mut scene.device, LISTING).listed(), [other]);
}
