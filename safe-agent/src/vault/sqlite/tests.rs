mod fingerprint;
mod structure;

use std::os::unix::fs::PermissionsExt as _;

use rusqlite::ffi;
use tempfile::TempDir;

use super::*;
use crate::vault::Draft;
use crate::vault::tests::{fresh_database, put, reopened_database, rng, row, text, vault_key};

#[test]
fn a_failed_commit_poisons_the_store() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    put(&mut store, Table::Links, b"kept", "v");
    store.flush().unwrap();
    put(&mut store, Table::Links, b"lost", "v");
    store.fail_the_next_commit_for_tests();
    assert_eq!(store.flush(), Err(StoreError::Unavailable(ffi::SQLITE_CONSTRAINT_FOREIGNKEY)));

    assert_eq!(store.get(Table::Links, b"kept"), Err(StoreError::Poisoned));
    assert_eq!(store.scan(Table::Links, b"", None, 1), Err(StoreError::Poisoned));
    assert_eq!(store.apply(WriteSet::default()), Err(StoreError::Poisoned));
    assert_eq!(store.flush(), Err(StoreError::Poisoned));
    assert_eq!(store.verify(), Err(StoreError::Poisoned));
    drop(store);
    let store = reopened_database(place.path());
    assert!(store.get(Table::Links, b"kept").unwrap().is_some());
    assert!(store.get(Table::Links, b"lost").unwrap().is_none());
}

#[test]
fn every_error_but_a_full_disk_poisons() {
    let codes = [
        (ffi::SQLITE_IOERR_FSYNC, StoreError::Unavailable(ffi::SQLITE_IOERR_FSYNC)),
        (ffi::SQLITE_IOERR_WRITE, StoreError::Unavailable(ffi::SQLITE_IOERR_WRITE)),
        (ffi::SQLITE_CORRUPT, StoreError::Damaged),
        (ffi::SQLITE_BUSY, StoreError::Busy),
        (ffi::SQLITE_FULL, StoreError::DiskFull),
    ];
    for (code, expected) in codes {
        let place = TempDir::new().unwrap();
        let mut store = fresh_database(place.path());
        put(&mut store, Table::Links, b"k", "v");
        let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("quotes the file".into()));
        assert_eq!(store.settle(Err(kind(failure))), Err(expected));
        assert_eq!(store.poisoned, expected != StoreError::DiskFull);
        assert!(store.connection.is_autocommit(), "nothing is left open");
    }
}

#[test]
fn a_full_disk_undoes_the_batch_and_the_store_goes_on() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    put(&mut store, Table::Links, b"kept", "v");
    store.flush().unwrap();
    put(&mut store, Table::Links, b"same batch", "v");
    limit_pages(&store, 12);
    assert_eq!(store.apply(large_write(&store)), Err(StoreError::DiskFull));
    store.flush().unwrap();

    assert!(store.get(Table::Links, b"same batch").unwrap().is_none(), "the batch went as a whole");
    assert!(store.get(Table::Documents, b"large").unwrap().is_none());
    assert!(store.get(Table::Links, b"kept").unwrap().is_some());
    put(&mut store, Table::Links, b"small", "fits");
    store.flush().unwrap();
    limit_pages(&store, 1_000_000);
    let writes = large_write(&store);
    store.apply(writes).unwrap();
    store.flush().unwrap();
    drop(store);
    let store = reopened_database(place.path());
    assert!(store.get(Table::Links, b"small").unwrap().is_some());
    assert!(store.get(Table::Documents, b"large").unwrap().is_some());
    assert_eq!(store.verify().unwrap(), 3);
}

fn limit_pages(store: &SqliteStore<rand_chacha::ChaCha20Rng>, pages: u32) {
    store.connection.pragma(None, "max_page_count", pages, |_| Ok(())).unwrap();
}

fn large_write(store: &dyn Store) -> WriteSet {
    let mut draft = Draft::new(store);
    draft.put(Table::Documents, b"large", Row::new(vec![1; 200_000])).unwrap();
    draft.into_writes()
}

#[test]
fn a_row_altered_or_moved_in_the_file_is_damaged() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    for key in [b"a", b"b", b"c"] {
        put(&mut store, Table::Links, key, "v");
    }
    store.flush().unwrap();
    let connection = &store.connection;
    let changed = connection.execute(
        "UPDATE rows SET value = (SELECT value FROM rows WHERE tab = 5 AND key = x'61') WHERE tab = 5 AND key = x'62'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    connection.execute("UPDATE rows SET value = x'' WHERE tab = 5 AND key = x'63'", []).unwrap();
    connection.execute("INSERT INTO rows SELECT 6, key, value FROM rows WHERE tab = 5 AND key = x'61'", []).unwrap();

    assert_eq!(text(store.get(Table::Links, b"a").unwrap()).unwrap(), "v");
    assert_eq!(store.get(Table::Links, b"b"), Err(StoreError::Damaged));
    assert_eq!(store.get(Table::Links, b"c"), Err(StoreError::Damaged));
    assert_eq!(store.get(Table::Devices, b"a"), Err(StoreError::Damaged));
    assert_eq!(store.scan(Table::Links, b"", None, 9), Err(StoreError::Damaged));
    assert_eq!(store.scan(Table::Links, b"", None, 1).unwrap().len(), 1, "what is sound is still read");
    assert_eq!(store.verify(), Err(StoreError::Damaged));
}

#[test]
fn another_vaults_key_is_told_apart_at_once() {
    let place = TempDir::new().unwrap();
    drop(fresh_database(place.path()));
    let opened = SqliteStore::open(&place.path().join("vault.db"), &vault_key(9), rng(1));
    assert_eq!(opened.unwrap_err(), StoreError::WrongKey);
}

#[test]
fn a_missing_a_foreign_and_a_newer_file_are_refused_and_left_alone() {
    let place = TempDir::new().unwrap();
    let open = |name: &str| SqliteStore::open(&place.path().join(name), &vault_key(1), rng(1)).map(drop);
    assert_eq!(open("missing.db"), Err(StoreError::Unavailable(ffi::SQLITE_CANTOPEN)));
    assert!(!place.path().join("missing.db").exists(), "an empty vault is never made up");

    std::fs::write(place.path().join("noise.db"), vec![b'x'; 8192]).unwrap();
    assert_eq!(open("noise.db"), Err(StoreError::Damaged));
    assert_eq!(std::fs::read(place.path().join("noise.db")).unwrap(), vec![b'x'; 8192]);

    let other = Connection::open(place.path().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (id); INSERT INTO theirs VALUES (1)").unwrap();
    drop(other);
    assert_eq!(open("other.db"), Err(StoreError::Foreign));

    drop(fresh_database(place.path()));
    let ours = Connection::open(place.path().join("vault.db")).unwrap();
    ours.pragma_update(None, "user_version", 2).unwrap();
    drop(ours);
    assert_eq!(open("vault.db"), Err(StoreError::Newer));
}

#[test]
fn a_vault_is_made_once() {
    let place = TempDir::new().unwrap();
    drop(fresh_database(place.path()));
    let again = SqliteStore::create(&place.path().join("vault.db"), &vault_key(1), rng(1));
    assert_eq!(again.unwrap_err(), StoreError::Unavailable(ffi::SQLITE_CANTOPEN));
    reopened_database(place.path());
}

#[test]
fn a_second_owner_is_refused() {
    let place = TempDir::new().unwrap();
    let _store = fresh_database(place.path());
    let second = SqliteStore::open(&place.path().join("vault.db"), &vault_key(1), rng(1));
    assert_eq!(second.unwrap_err(), StoreError::Busy);
}

#[test]
fn every_file_of_the_database_is_its_owners_alone() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    put(&mut store, Table::Links, b"k", "v");
    store.flush().unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["vault.db", "vault.db-wal", "vault.witness"], "the log's index lives on the heap");
}

#[test]
fn a_deleted_row_leaves_no_bytes_in_the_closed_file() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    put(&mut store, Table::Links, b"key that was here", "v");
    store.flush().unwrap();
    let sealed: Vec<u8> =
        store.connection.query_row("SELECT value FROM rows WHERE tab = 5", [], |row| row.get(0)).unwrap();
    drop(store);
    assert!(file_holds(place.path(), b"key that was here") && file_holds(place.path(), &sealed[1..25]));

    let mut store = reopened_database(place.path());
    let mut draft = Draft::new(&store);
    draft.delete(Table::Links, b"key that was here").unwrap();
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    store.flush().unwrap();
    drop(store);
    assert!(!file_holds(place.path(), b"key that was here") && !file_holds(place.path(), &sealed[1..25]));
}

fn file_holds(place: &Path, needle: &[u8]) -> bool {
    std::fs::read(place.join("vault.db")).unwrap().windows(needle.len()).any(|window| window == needle)
}

#[test]
fn verify_counts_every_row() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    let mut draft = Draft::new(&store);
    for number in 0..600_u32 {
        draft.put(Table::Audit, &number.to_be_bytes(), row("leaf")).unwrap();
    }
    draft.put(Table::Settings, b"name", row("Praxis")).unwrap();
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    store.flush().unwrap();
    assert_eq!(store.verify().unwrap(), 601);
}

impl<R> SqliteStore<R> {
    /// A deferred constraint is checked by COMMIT itself: the one failure of a commit that needs no broken disk.
    pub(in crate::vault) fn fail_the_next_commit_for_tests(&self) {
        self.connection
            .execute_batch(
                "CREATE TABLE parent (id INTEGER PRIMARY KEY);
                 CREATE TABLE child (id REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);
                 INSERT INTO child VALUES (1);",
            )
            .unwrap();
    }

    /// A row as it stands in the file.
    pub(in crate::vault) fn sealed_for_tests(&self, table: Table, key: &[u8]) -> Vec<u8> {
        self.connection.query_row(reading::READ, params![table.number(), key], |row| row.get(0)).unwrap()
    }
}
