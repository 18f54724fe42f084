//! Many safes, many patients, and a relay that delivers every envelope to every safe: each patient gets an answer from
//! the own safe alone.

use rohrpost_e2ee::body::{Operation, Payload, Status};
use rohrpost_e2ee::exchange::RequestHeader;
use rohrpost_figures::Figures;
use rohrpost_wire::records::PrekeyId;

use crate::rows::DocumentRow;
use crate::testing::{Device, LISTING, Sealed, Who, World, reading};

/// One practice with its patients, each with one shared document.
struct Practice {
    world: World,
    devices: Vec<Device>,
    /// What its records offer to seal to.
    prekey: PrekeyId,
}

fn practice(seed: u64, patients: usize) -> Practice {
    let mut world = World::seeded(seed);
    let devices = (0..patients)
        .map(|_| {
            let patient = world.patient("Ada Example");
            let document = world.document(patient, "finding");
            world.share(patient, document, None);
            world.device(patient)
        })
        .collect();
    let prekey = world.trusted().prekey_id();
    Practice { world, devices, prekey }
}

/// Safes and patients of each: 12 × 24 in every run, 270 × 270 in the long one.
fn size() -> (u64, usize) {
    if std::env::var_os("ROHRPOST_LONG").is_some() { (270, 1) } else { (12, 2) }
}

/// The envelope with the name of another safe's prekey in its header, which is all that a relay can do to make that safe
/// try to open it.
fn readdressed(sealed: &Sealed, to: PrekeyId) -> Sealed {
    let header = RequestHeader::parse(&sealed.envelope).unwrap();
    let place = sealed.envelope.windows(8).position(|bytes| bytes == header.prekey.0.0).unwrap();
    let mut moved = sealed.again();
    moved.envelope[place..place + 8].copy_from_slice(&to.0.0);
    moved
}

#[test]
fn of_all_safes_that_are_given_an_envelope_its_own_alone_can_open_it() {
    let (safes, patients) = size();
    let mut practices: Vec<Practice> = (0..safes).map(|safe| practice(1000 + safe, patients)).collect();
    let [mut own, mut elsewhere] = [0u64; 2];
    for home in 0..practices.len() {
        for device in 0..patients {
            let Practice { world, devices, .. } = &mut practices[home];
            let draft = world.draft(LISTING);
            let sealed = world.seal(&draft, devices[device].next());
            for (at, practice) in practices.iter_mut().enumerate() {
                if at == home {
                    assert_eq!(practice.world.deliver(&sealed).listed().len(), 1);
                    own += 1;
                } else {
                    assert!(practice.world.open(&sealed).is_err(), "{home} at {at}");
                    assert!(practice.world.open(&readdressed(&sealed, practice.prekey)).is_err(), "{home} at {at}");
                    elsewhere += 1;
                }
            }
        }
    }
    assert_eq!((own, elsewhere), (safes * patients as u64, safes * patients as u64 * (safes - 1)));
    Figures::of("access.safes")
        .count("safes", safes)
        .count("patients", safes * patients as u64)
        .count("envelopes opened by their own safe", own)
        .count("envelopes delivered to another safe", elsewhere)
        .none("of these opened")
        .publish();
}

/// Nobody needs the relay for this: a safe's public keys are public.
#[test]
fn a_device_that_asks_another_practice_in_due_form_is_nobody_there() {
    let (safes, patients) = (6, 2);
    let mut practices: Vec<Practice> = (0..safes).map(|safe| practice(2000 + safe, patients)).collect();
    let mut refused = 0u64;
    for home in 0..practices.len() {
        for device in 0..patients {
            let key = practices[home].devices[device].key.clone();
            for (at, practice) in practices.iter_mut().enumerate() {
                let foreign = practice.world.all::<DocumentRow>()[0].id;
                for (sequence, operation) in [LISTING, reading(foreign), Operation::Status].iter().enumerate() {
                    let draft = practice.world.draft(operation.clone());
                    let who = Who::Device(key.clone(), 10 + sequence as u64);
                    let sealed = practice.world.seal(&draft, who);
                    let got = practice.world.deliver(&sealed);
                    if at != home {
                        assert_eq!((got.status(), &got.reply.payload), (Status::NotAllowed, &Payload::None));
                        refused += 1;
                    }
                }
            }
        }
    }
    Figures::of("access.other_practices").count("requests to another practice", refused).none("answered").publish();
}
