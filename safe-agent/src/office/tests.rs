//! The owner's desk through its one door, over a vault on disk.

mod documents;
mod people;
mod record;
mod sharing;

use std::io;

use rohrpost_wire::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::identity;
use crate::testing::{START, relay};
use crate::vault::{Condition, Fault, Keeper, SqliteStore, Store, VaultKey, system_rng};

/// An open vault with a desk.
struct Desk {
    office: Office,
    keeper: Keeper,
    now: Timestamp,
    place: TempDir,
}

impl Desk {
    fn open() -> Self {
        let key = VaultKey::generate(&mut system_rng());
        Self::over(|folder| Box::new(SqliteStore::create(&folder.database_path(), &key, system_rng()).unwrap()))
    }

    fn over(store: impl FnOnce(&Folder) -> Box<dyn Store + Send>) -> Self {
        let place = TempDir::new().unwrap();
        let folder = Folder::create(&place.path().join("safe")).unwrap().finish().unwrap();
        let keeper = Keeper::start(store(&folder));
        let found = |draft: &mut Draft<'_>| {
            identity::found(draft, "Practice on the Hill", &relay(), START, &mut system_rng())?;
            identity::top_up(draft, START, &mut system_rng())
        };
        keeper.handle().transact_blocking(found).unwrap().unwrap();
        let office = Office::new(
            keeper.handle(),
            Arc::new(folder),
            Transfers::default(),
            Presence::not_served(),
            Condition::NEW,
        );
        Self { office, keeper, now: START, place }
    }

    fn perform(&self, request: Request) -> Result<Reply, OfficeError> {
        self.office.perform(request, &mut io::empty(), self.now)
    }

    fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.keeper.handle().transact_blocking(look).unwrap().unwrap()
    }

    fn patient(&self, name: &str) -> String {
        let request = Request::PatientAdd { name: name.into(), birth_date: None, number: None };
        let Reply::PatientAdded { patient_id } = self.perform(request).unwrap() else { panic!("another reply") };
        patient_id
    }

    fn import(&self, patient: &str, file_name: &str, content: &mut dyn Read) -> Result<Reply, OfficeError> {
        let request = Request::DocumentAdd { patient: patient.into(), title: None, file_name: file_name.into() };
        self.office.perform(request, content, self.now)
    }

    fn document(&self, patient: &str, content: &[u8]) -> String {
        let reply = self.import(patient, "finding.txt", &mut io::Cursor::new(content)).unwrap();
        let Reply::DocumentAdded { document_id, .. } = reply else { panic!("another reply") };
        document_id
    }

    fn documents(&self, patient: Option<&str>, after: Option<String>) -> (Vec<view::Document>, Option<String>) {
        let request = Request::DocumentList { patient: patient.map(str::to_owned), after };
        let Reply::Documents { documents, next, .. } = self.perform(request).unwrap() else { panic!("another reply") };
        (documents, next)
    }

    fn status(&self) -> view::Status {
        let Reply::Status(status) = self.perform(Request::Status).unwrap() else { panic!("another reply") };
        *status
    }

    fn log(&self, patient: Option<&str>) -> Vec<view::Entry> {
        let request = Request::Log { patient: patient.map(str::to_owned), from: 0 };
        let Reply::Log { entries, next: None, .. } = self.perform(request).unwrap() else { panic!("another reply") };
        entries
    }

    /// Names of the content files, finished and not.
    fn content_files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for shelf in std::fs::read_dir(self.place.path().join("safe/content")).unwrap() {
            for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
                names.push(file.unwrap().file_name().into_string().unwrap());
            }
        }
        names
    }
}

fn invalid(result: Result<Reply, OfficeError>) -> Invalid {
    match result {
        Err(OfficeError::Invalid(invalid)) => invalid,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("was carried out"),
    }
}
