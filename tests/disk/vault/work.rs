//! What goes on at a safe: an owner who imports and shares, patients who enrol, list and fetch.
//!
//! Each ends with the first answer that does not come.

use std::io::{self, Cursor};
use std::path::PathBuf;

use rohrpost_safe_agent::admin::Desk;
use rohrpost_safe_agent::failure::Failure;
use rohrpost_safe_agent::office::{Reply, Request};
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::{Patient, content};
use tokio::task::spawn_blocking;

use super::served::desk;
use super::told::Told;

/// The owner at the desk, until the safe is gone. Blocks.
pub(crate) fn own(data: &std::path::Path, told: &Told) -> Result<(), Failure> {
    let desk = desk(data)?;
    loop {
        let patient = add_patient(&desk, told)?;
        for _ in 0..3 {
            let seed = told.draw();
            // Some are empty, some are a chunk and more.
            let length = usize::try_from(seed % 7 * 23_000).unwrap();
            let document = import(&desk, &patient, &content(length, seed))?;
            told.document(document.clone(), &content(length, seed));
            share(&desk, told, &patient, &document, true)?;
            if seed.is_multiple_of(3) {
                share(&desk, told, &patient, &document, false)?;
            }
        }
    }
}

/// A person with a new device, until something is not answered.
pub(crate) async fn enrol_and_read(data: PathBuf, homes: PathBuf, told: Told) -> Option<()> {
    let ask = {
        let (data, told) = (data.clone(), told.clone());
        move || prepare(&data, &told).ok()
    };
    let (patient, document, invitation) = spawn_blocking(ask).await.ok()??;
    let device = Patient { home: homes.join(&patient) };
    enrol(&device, &invitation).await;
    told.enrolled(&patient);
    loop {
        device.list().await.ok()?;
        told.answered(&patient);
        let to = homes.join(format!("document {}", told.draw()));
        device.get(&document, &to, 1).await.ok()?;
        told.answered(&patient);
    }
}

/// Enrols a device. The safe may not be connected yet.
pub(crate) async fn enrol(device: &Patient, invitation: &Invitation) {
    let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
    while device.accept(invitation).await.is_err() {
        look.tick().await;
    }
}

/// A patient with a shared document and an invitation.
pub(crate) fn prepare(data: &std::path::Path, told: &Told) -> Result<(String, String, Invitation), Failure> {
    let desk = desk(data)?;
    let patient = add_patient(&desk, told)?;
    let content = content(50_000, told.draw());
    let document = import(&desk, &patient, &content)?;
    told.document(document.clone(), &content);
    share(&desk, told, &patient, &document, true)?;
    let request = Request::Link { patient: patient.clone(), app_url: None, until: None };
    let Reply::Link { link, pin, .. } = desk.perform(request, &mut io::empty())? else { panic!("no link") };
    Ok((patient, document, Invitation { link, pin }))
}

/// Adds a patient and returns the id.
pub(crate) fn add_patient(desk: &Desk, told: &Told) -> Result<String, Failure> {
    let request = Request::PatientAdd { name: "Erika Beispiel".into(), birth_date: None, number: None };
    let Reply::PatientAdded { patient_id } = desk.perform(request, &mut io::empty())? else { panic!("not added") };
    told.patient(patient_id.clone());
    Ok(patient_id)
}

/// Imports a document and returns its id.
pub(crate) fn import(desk: &Desk, patient: &str, content: &[u8]) -> Result<String, Failure> {
    let request = Request::DocumentAdd { patient: patient.into(), title: None, file_name: "finding.bin".into() };
    let reply = desk.perform(request, &mut Cursor::new(content))?;
    let Reply::DocumentAdded { document_id, .. } = reply else { panic!("not imported") };
    Ok(document_id)
}

fn share(desk: &Desk, told: &Told, patient: &str, document: &str, shared: bool) -> Result<(), Failure> {
    let (patient, id) = (patient.to_owned(), document.to_owned());
    let request = if shared {
        Request::Share { patient, document: id, until: None }
    } else {
        Request::Unshare { patient, document: id }
    };
    told.sharing(document);
    desk.perform(request, &mut io::empty())?;
    told.shared(document, shared);
    Ok(())
}
