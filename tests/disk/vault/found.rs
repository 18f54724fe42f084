//! What a vault holds, read by the product's own code after the safe that served it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ring::digest;
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_safe_agent::audit::{self, Action, Actor, Event};
use rohrpost_safe_agent::opening::{self, Attempt, OpenVault};
use rohrpost_safe_agent::rows::{self, DeviceRow, DocumentRow, GrantRow, PatientRow, Stored};
use rohrpost_safe_agent::vault::{
    ContentError, ContentReader, Draft, Folder, FolderError, SqliteStore, Standing, StoreError, Unlock, system_rng,
    unlock_with_passphrase,
};

use super::served::passphrase;

/// A hash over a document's bytes.
pub(crate) type Sha256 = [u8; 32];

/// Hashes a document's bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap()
}

/// Everything that somebody may have been told of.
pub(crate) struct Found {
    pub(crate) patients: BTreeSet<String>,
    /// What the bytes of each document hash to; nothing where they do not open.
    pub(crate) documents: BTreeMap<String, Option<Sha256>>,
    pub(crate) shared: BTreeSet<String>,
    /// Patients with a device.
    pub(crate) devices: BTreeSet<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) broken_leaves: u64,
    /// Commits that its witness did not know of.
    pub(crate) unwitnessed: u64,
}

impl Found {
    /// Opens a vault, verifies every row, and reads what is in it.
    pub(crate) fn at(data: &Path) -> Self {
        let unwitnessed = verify(data);
        let vault = opened(data);
        let folder = Arc::clone(&vault.folder);
        let read = move |draft: &mut Draft<'_>| Ok::<_, StoreError>(Self::read(draft, &folder));
        let found = move || vault.keeper.handle().transact_blocking(read).unwrap().unwrap();
        Self { unwitnessed, ..std::thread::spawn(found).join().unwrap() }
    }

    fn read(draft: &Draft<'_>, folder: &Folder) -> Self {
        let hex = |id: &rohrpost_wire::fixed::Fixed<16>| id.to_hex();
        let bytes = |row: &DocumentRow| (row.id.0.to_hex(), content_of(folder, row).ok().map(|bytes| sha256(&bytes)));
        let record = audit::part(draft, 0, usize::MAX).unwrap();
        Self {
            patients: all::<PatientRow>(draft).iter().map(|row| hex(&row.id.0)).collect(),
            documents: all::<DocumentRow>(draft).iter().map(bytes).collect(),
            shared: all::<GrantRow>(draft).iter().map(|row| row.document.0.to_hex()).collect(),
            devices: all::<DeviceRow>(draft).iter().map(|row| hex(&row.patient.0)).collect(),
            events: record.events.into_iter().map(|(_, event)| event).collect(),
            broken_leaves: record.damaged,
            unwitnessed: 0,
        }
    }

    /// How many answers to devices of a patient stand in the record.
    pub(crate) fn answers_recorded(&self, patient: &str) -> u64 {
        let of_device = |event: &&Event| {
            matches!(event.actor, Actor::Device(_))
                && matches!(event.action, Action::Listed { .. } | Action::Read { .. })
                && event.patient.is_some_and(|id| id.0.to_hex() == patient)
        };
        self.events.iter().filter(of_device).count() as u64
    }
}

/// Opens a vault. Its lock may live on for a moment in a child that another thread is just starting.
fn opened(data: &Path) -> OpenVault {
    opening::patiently(|| match opening::open(data, &Unlock::Passphrase(&passphrase())) {
        Err(trouble) if opening::is_open_elsewhere(&trouble) => Attempt::Again(Err(trouble)),
        vault => Attempt::Done(vault),
    })
    .unwrap()
}

/// The structure of the file and the seal of every row. How many commits its witness did not know of.
fn verify(data: &Path) -> u64 {
    let folder = opening::patiently(|| match Folder::open(data) {
        Err(FolderError::AlreadyOpen) => Attempt::Again(Err(FolderError::AlreadyOpen)),
        folder => Attempt::Done(folder),
    })
    .unwrap();
    let key = unlock_with_passphrase(&folder, &passphrase()).unwrap();
    let store = SqliteStore::open(&folder.database_path(), &key, system_rng()).unwrap();
    assert!(store.verify().unwrap() > 0);
    let Standing::Whole { unwitnessed } = store.standing() else { panic!("a false alarm: {:?}", store.standing()) };
    unwitnessed
}

fn all<T: Stored>(draft: &Draft<'_>) -> Vec<T> {
    rows::list(draft, &[], None, usize::MAX).unwrap()
}

/// The bytes of a document, if they open.
pub(crate) fn content_of(folder: &Folder, row: &DocumentRow) -> Result<Vec<u8>, ContentError> {
    let mut reader = ContentReader::open(folder, row.content_id(), &ObjectKey::from(&row.content_key))?;
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes.extend(&buffer[..count]),
        }
    }
}
