//! A sync that fails: nothing is answered after it, and the safe ends.

use std::io;
use std::path::Path;

use rohrpost_figures::Figures;
use rohrpost_safe_agent::office::Request;
use rohrpost_tests::content;
use tokio::task::spawn_blocking;

use super::found::Found;
use super::served::{Keys, desk, found, open};
use super::told::{Findings, Told};
use super::work;
use crate::plan::Plan;
use crate::site::Site;
use crate::syncs::Syncs;

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_whose_sync_failed_answers_no_change_and_ends() {
    let plan = Plan::of("disk.vault_sync");
    let Some(syncs) = Syncs::prepare("failed sync of a safe") else { return };
    let (site, keys, told) = (Site::folder(), Keys::write(), Told::default());
    let nowhere = format!("rohrpost-relay://127.0.0.1:9#{}", "00".repeat(32));
    found(&site.data(), &nowhere.parse().unwrap());
    let rounds = plan.rounds(3, 30);
    for _ in 0..rounds {
        let mut safe = syncs.spawn(&keys.command(&site.data()));
        open(&site.data()).await;
        let patient = {
            let (data, told) = (site.data(), told.clone());
            spawn_blocking(move || prepare(&data, &told)).await.unwrap()
        };
        syncs.fail(&safe);
        let data = site.data();
        spawn_blocking(move || refuse(&data, &patient)).await.unwrap();
        // Its agent meets the stopped store the next time that it tries to reach its relay.
        assert_eq!(safe.ended().await, 7);
        assert_eq!(told.compare(&Found::at(&site.data())), Findings::default());
    }
    Figures::of("disk.vault_sync")
        .seed(plan.seed)
        .count("failed syncs", rounds * 3)
        .none("changes answered after one")
        .none("answered before and lost")
        .publish();
}

/// A patient with a document, answered.
fn prepare(data: &Path, told: &Told) -> String {
    let desk = desk(data).unwrap();
    let patient = work::add_patient(&desk, told).unwrap();
    let bytes = content(70_000, told.draw());
    told.document(work::import(&desk, &patient, &bytes).unwrap(), &bytes);
    patient
}

/// A document, a patient, and once more when the store has stopped.
fn refuse(data: &Path, patient: &str) {
    let desk = desk(data).unwrap();
    assert!(work::import(&desk, patient, &content(1000, 1)).is_err(), "imported");
    for _ in 0..2 {
        let request = Request::PatientAdd { name: "Max Muster".into(), birth_date: None, number: None };
        assert!(desk.perform(request, &mut io::empty()).is_err(), "added");
    }
}
