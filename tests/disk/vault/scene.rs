//! A vault with one of everything in it, as a stop and as a crash leave it, and all that its rows have ever been.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rohrpost_safe_agent::vault::{
    Folder, SqliteStore, Store as _, SystemRng, Table, system_rng, unlock_with_passphrase,
};
use rohrpost_tests::{Patient, Practice, World, content};
use tempfile::TempDir;

use super::served::passphrase;
use crate::damage;

/// Folders to copy from.
pub(crate) struct Scene {
    _folder: TempDir,
    /// After a stop.
    pub(crate) settled: PathBuf,
    /// As a crash leaves it: much of it is in the log only.
    pub(crate) crashed: PathBuf,
    /// The documents' files, from the folder on.
    pub(crate) documents: Vec<PathBuf>,
    /// What has been written.
    pub(crate) history: History,
}

/// Every state that the log of the crashed folder can be cut back to.
#[derive(Default)]
pub(crate) struct History {
    /// What each row has been.
    pub(crate) rows: BTreeMap<RowPlace, BTreeSet<Vec<u8>>>,
    /// What each row is.
    pub(crate) newest: BTreeMap<RowPlace, Vec<u8>>,
    /// Bytes by file name.
    pub(crate) documents: BTreeMap<String, Vec<u8>>,
}

/// Table and key.
type RowPlace = (Table, Vec<u8>);

impl Scene {
    /// Fills a vault, step by step.
    pub(crate) async fn make() -> Self {
        let world = World::start().await;
        let mut practice = Practice::open(&world, "practice").await;
        let mut bytes_of = BTreeMap::new();
        for number in 0..4_u64 {
            let (device, patient) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
            let name = format!("finding {number}.bin");
            // None, a part of a chunk, and more than one.
            let bytes = content(usize::try_from(number).unwrap() * 45_000, number);
            practice.shared(&patient, &name, &bytes).await;
            bytes_of.insert(name, bytes);
            device.list().await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let (settled, crashed) = (folder.path().join("settled"), folder.path().join("crashed"));
        damage::copy(&practice.data, &crashed);
        practice.closes().await;
        damage::copy(&practice.data, &settled);
        let history = History { documents: bytes_of, ..History::of(&crashed) };
        assert_eq!(history.newest, History::of(&settled).newest, "stopping writes no row");
        let documents = files(&settled.join("content"), Path::new("content"));
        Self { _folder: folder, settled, crashed, documents, history }
    }
}

impl History {
    /// Cuts the log after every page that was written to it, and reads what is left.
    fn of(data: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        damage::copy(data, copy.path());
        let folder = Folder::open(copy.path()).unwrap();
        let key = unlock_with_passphrase(&folder, &passphrase()).unwrap();
        let (database, log) = (folder.database_path(), copy.path().join("vault.db-wal"));
        let witness = copy.path().join("vault.witness");
        let whole = fs::read(data.join("vault.db-wal")).unwrap_or_default();
        let mut history = Self::default();
        for end in (LOG_HEADER..whole.len()).step_by(LOG_FRAME).chain([whole.len()]) {
            fs::copy(data.join("vault.db"), &database).unwrap();
            fs::write(&log, &whole[..end]).unwrap();
            // It would tell that the log is not whole.
            fs::remove_file(&witness).unwrap();
            let store = SqliteStore::open(&database, &key, system_rng()).unwrap();
            history.newest = rows_of(&store);
            for (place, row) in &history.newest {
                history.rows.entry(place.clone()).or_default().insert(row.clone());
            }
        }
        history
    }
}

fn rows_of(store: &SqliteStore<SystemRng>) -> BTreeMap<RowPlace, Vec<u8>> {
    let rows = |table| store.scan(table, &[], None, usize::MAX).unwrap().into_iter().map(move |row| (table, row));
    Table::ALL.into_iter().flat_map(rows).map(|(table, (key, row))| ((table, key), row.as_bytes().to_vec())).collect()
}

/// What stands before the first page of a log, and each page with what stands before it.
pub(crate) const LOG_HEADER: usize = 32;
pub(crate) const LOG_FRAME: usize = 24 + PAGE;
pub(crate) const PAGE: usize = 8192;

fn files(folder: &Path, name: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = name.join(entry.file_name());
        if entry.path().is_dir() { found.extend(files(&entry.path(), &name)) } else { found.push(name) }
    }
    found
}
