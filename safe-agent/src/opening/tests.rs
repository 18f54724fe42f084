use tempfile::TempDir;

use super::*;
use crate::office::{Office, Reply, Request};
use crate::presence::Presence;
use crate::testing::page::hide_a_row;
use crate::testing::{START, relay};
use crate::texts;
use crate::transfers::Transfers;
use crate::vault::{Standing, Table};

fn passphrase() -> Passphrase {
    Passphrase::new("an invented passphrase".into())
}

fn make(path: &Path) -> Result<NewSafe, Trouble> {
    create(path, &passphrase(), Cost::LOWEST, "Practice on the Hill", &relay(), START)
}

fn unlock_with(path: &Path) -> Result<OpenVault, Trouble> {
    open(path, &Unlock::Passphrase(&passphrase()))
}

/// The vault was final before its sheets were out: whoever could not read them had a safe without root keys.
#[test]
fn a_safe_whose_sheets_never_got_out_does_not_exist_and_is_made_anew() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    let lost = make(&path).unwrap().roots().root.public();
    let refused = unlock_with(&path).unwrap_err();
    assert!(matches!(refused.fault(), Fault::Folder(FolderError::Unfinished)), "{refused}");

    let new = make(&path).unwrap();
    assert!(new.roots().root.public() != lost, "with keys of its own");
    new.finish().unwrap();
    unlock_with(&path).unwrap();
}

fn desk(vault: &OpenVault) -> Office {
    let (handle, folder) = (vault.keeper.handle(), Arc::clone(&vault.folder));
    Office::new(handle, folder, Transfers::default(), Presence::not_served(), vault.condition)
}

fn documents(vault: &OpenVault) -> (usize, u64) {
    let request = Request::DocumentList { patient: None, after: None };
    let reply = desk(vault).perform(request, &mut std::io::empty(), START).unwrap();
    let damaged = reply.damaged_rows();
    let Reply::Documents { documents, .. } = reply else { panic!("another reply") };
    (documents.len(), damaged)
}

fn content_files(path: &Path) -> usize {
    let shelves = std::fs::read_dir(path.join("content")).unwrap().map(|shelf| shelf.unwrap().path());
    shelves.filter(|shelf| !shelf.ends_with("orphaned")).map(|shelf| std::fs::read_dir(shelf).unwrap().count()).sum()
}

/// One flipped bit in the row of one document made every command fail, because every document is asked for its file at
/// every start.
#[test]
fn a_vault_with_a_damaged_row_opens_and_shows_the_others_and_keeps_every_file() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    fill(&path, 3);
    damage_a_document(&path.join("vault.db"));

    let vault = unlock_with(&path).unwrap();
    assert_eq!(documents(&vault), (2, 1));
    assert_eq!(content_files(&path), 3);
    let request = Request::Status;
    assert_eq!(desk(&vault).perform(request, &mut std::io::empty(), START).unwrap().damaged_rows(), 1);
}

/// A page that names one row fewer than it holds: every list was short, nothing told, and the document's file was moved
/// away as one that nobody names.
#[test]
fn a_vault_that_hides_a_document_says_so_at_every_opening_and_keeps_its_file() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    fill(&path, 24);
    assert_eq!(warnings(&unlock_with(&path).unwrap()), Vec::<&str>::new());
    hide_a_row(&path.join("vault.db"), Table::Documents);
    for _ in 0..2 {
        let vault = unlock_with(&path).unwrap();
        assert_eq!(documents(&vault), (23, 0), "no list tells");
        assert_eq!(content_files(&path), 24);
        let said = warnings(&vault);
        assert!(said.len() == 1 && said[0].contains("(vault.db) is damaged"), "{said:?}");
    }
}

#[test]
fn what_is_found_at_opening_has_a_sentence_each() {
    let said = |standing, structure| texts::warnings(Condition { standing, structure }).count();
    let whole = Standing::Whole { unwitnessed: 0 };
    assert_eq!(said(whole, Structure::Sound), 0);
    assert_eq!(said(whole, Structure::Damaged), 1);
    assert_eq!(said(Standing::Doubtful, Structure::Sound), 1);
    assert_eq!(said(Standing::Doubtful, Structure::Damaged), 2);
}

fn warnings(vault: &OpenVault) -> Vec<&'static str> {
    texts::warnings(vault.condition).collect()
}

/// Makes a safe with one patient and so many documents.
fn fill(path: &Path, documents: u32) {
    make(path).unwrap().finish().unwrap();
    let vault = unlock_with(path).unwrap();
    let patient = Request::PatientAdd { name: "Ada Example".into(), birth_date: None, number: None };
    let Reply::PatientAdded { patient_id } = desk(&vault).perform(patient, &mut std::io::empty(), START).unwrap()
    else {
        panic!("another reply")
    };
    for number in 0..documents {
        let (patient, file_name) = (patient_id.clone(), format!("finding {number}"));
        let request = Request::DocumentAdd { patient, title: None, file_name: file_name.clone() };
        desk(&vault).perform(request, &mut file_name.as_bytes(), START).unwrap();
    }
}

fn damage_a_document(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let (key, mut value): (Vec<u8>, Vec<u8>) = connection
        .query_row("SELECT key, value FROM rows WHERE tab = 3 LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    value[100] ^= 1;
    connection.execute("UPDATE rows SET value = ?1 WHERE tab = 3 AND key = ?2", (value, key)).unwrap();
}
