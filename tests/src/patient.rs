//! A patient with a device: the library behind the command line, with a folder of its own.

use std::path::{Path, PathBuf};

use rohrpost_e2ee::body::{DocumentEntry, Pin};
use rohrpost_patient::console::Console;
use rohrpost_patient::enrol::{self, Accepted};
use rohrpost_patient::listing::{self, IdPrefix};
use rohrpost_patient::place::Place;
use rohrpost_patient::retry::Retry;
use rohrpost_patient::transfer::{self, Saved};
use rohrpost_patient::{Home, Problem, Session};

use crate::practice::Invitation;
use crate::{Practice, World, until};

/// A device, or a person who would like it to be one.
#[derive(Clone, Debug)]
pub struct Patient {
    /// Where its keys lie.
    pub home: PathBuf,
}

impl Patient {
    /// A device that has not been enrolled.
    pub fn new(world: &World, name: &str) -> Self {
        Self { home: world.place(format!("home of {name}")) }
    }

    /// A patient whom the practice knows, with a device that is enrolled. Returns the patient's id too.
    pub async fn enrolled(world: &World, practice: &Practice, name: &str) -> (Self, String) {
        let id = practice.patient(name).await;
        let patient = Self::new(world, name);
        patient.accept(&practice.invite(&id).await).await.unwrap();
        (patient, id)
    }

    /// Accepts an invitation.
    pub async fn accept(&self, invitation: &Invitation) -> Result<Accepted, Problem> {
        let invitation = enrol::Invitation {
            link: enrol::parse_link(&invitation.link)?,
            pin: Pin::parse(&invitation.pin).unwrap(),
            device_name: "a test device".into(),
        };
        enrol::accept(&Home::at(&self.home), &invitation).await
    }

    /// The account, for asking.
    pub fn session(&self) -> Result<Session, Problem> {
        Session::open(Home::at(&self.home))
    }

    /// Everything that is shared.
    pub async fn list(&self) -> Result<Vec<DocumentEntry>, Problem> {
        let mut session = self.session()?;
        let documents = listing::all(&mut session).await;
        session.end().await;
        documents
    }

    /// Fetches a document into a file, with so many tries.
    pub async fn get(&self, document: &str, to: &Path, tries: u32) -> Result<Saved, Problem> {
        let mut session = self.session()?;
        let place = Place::File { path: to.to_owned(), replace: false };
        let prefix = IdPrefix::parse(document)?;
        let saved = transfer::get(&mut session, &Console::silent(), prefix, place, Retry::new(tries)).await;
        session.end().await;
        saved
    }
}

/// A transfer into a folder of its own, well under way.
#[derive(Debug)]
pub struct Transfer {
    /// Where the document will lie.
    pub to: PathBuf,
    getting: tokio::task::JoinHandle<Result<Saved, Problem>>,
}

impl Transfer {
    /// Begins to fetch a document and waits until so many bytes of it have come.
    pub async fn begun(world: &World, patient: &Patient, document: &str, tries: u32, bytes: u64) -> Self {
        let folder = world.place("inbox");
        std::fs::create_dir_all(&folder).unwrap();
        let to = folder.join("document");
        let (patient, document, place) = (patient.clone(), document.to_owned(), to.clone());
        let getting = tokio::spawn(async move { patient.get(&document, &place, tries).await });
        until("the middle of the transfer", || part_length(&folder) > bytes).await;
        Self { to, getting }
    }

    /// Waits for its end.
    pub async fn ended(self) -> Result<Saved, Problem> {
        self.getting.await.unwrap()
    }
}

/// How much of a document has been written towards a file.
pub fn part_length(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let parts = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".rohrpost-part"));
    parts.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).max().unwrap_or(0)
}
