//! A disk without room for what is imported.

use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use rohrpost_figures::Figures;
use rohrpost_safe_agent::failure::Kind;
use rohrpost_safe_agent::office::{Reply, Request};
use rohrpost_tests::{World, content};
use tokio::task::spawn_blocking;

use super::found::{Found, sha256};
use super::served::{Keys, desk, found};
use super::told::Told;
use super::work;
use crate::volume::SmallDisk;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_without_room_leaves_no_trace_and_everybody_else_goes_on() {
    let Some(disk) = SmallDisk::make("full disk of a safe", 16) else { return };
    let (world, keys, told) = (World::start().await, Keys::write(), Told::default());
    let data = disk.path().join("safe");
    found(&data, world.relay());
    let safe = keys.serve(&data).await;
    let reader = tokio::spawn(work::enrol_and_read(data.clone(), world.place("homes"), told.clone()));
    fs::create_dir_all(world.place("homes")).unwrap();

    let (at, heard) = (data.clone(), told.clone());
    let refused = spawn_blocking(move || imports(&at, &heard)).await.unwrap();
    let answered = told.answers();
    rohrpost_tests::until("the patient is answered as before", || told.answers() > answered + 2).await;
    reader.abort();
    drop(reader.await);
    safe.kill();
    assert!(fs::read_dir(data.join("content")).unwrap().count() > 0);
    let findings = told.compare(&Found::at(&data));
    assert_eq!(findings, super::told::Findings::default());
    Figures::of("disk.vault_full").count("imports without room", refused).none("left behind by them").publish();
}

/// Large and small imports by turns. How many were refused.
fn imports(data: &Path, told: &Told) -> u64 {
    let desk = desk(data).unwrap();
    let request = Request::PatientAdd { name: "Max Muster".into(), birth_date: None, number: None };
    let Reply::PatientAdded { patient_id } = desk.perform(request, &mut io::empty()).unwrap() else {
        panic!("not added")
    };
    told.patient(patient_id.clone());
    let large = content(20 << 20, 1);
    for number in 0..3 {
        let request = Request::DocumentAdd { patient: patient_id.clone(), title: None, file_name: "large.bin".into() };
        let before = bytes_in(&data.join("content"));
        let refused = desk.perform(request, &mut Cursor::new(&large)).expect_err("there is no room");
        assert_eq!(refused.kind, Kind::Disk);
        assert_eq!(bytes_in(&data.join("content")), before, "what had been written is gone");
        let small = content(20_000, 100 + number);
        let document = work::import(&desk, &patient_id, &small).unwrap();
        assert_ne!(sha256(&small), sha256(&large));
        told.document(document, &small);
    }
    3
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}
