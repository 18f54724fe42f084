//! What both stores owe their users, held against each other, and what a stolen data folder shows.

mod behaviour;
mod canary;
mod crash;
mod secrets;
mod sentences;

use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tempfile::TempDir;

use super::*;

/// A generator that repeats itself from run to run.
pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn vault_key(seed: u64) -> VaultKey {
    VaultKey::generate(&mut rng(seed))
}

pub(super) fn row(text: &str) -> Row {
    Row::new(text.as_bytes().to_vec())
}

pub(super) fn fresh_database(folder: &Path) -> SqliteStore<ChaCha20Rng> {
    SqliteStore::create(&folder.join("vault.db"), &vault_key(1), rng(2)).unwrap()
}

pub(super) fn reopened_database(folder: &Path) -> SqliteStore<ChaCha20Rng> {
    reopen(folder).unwrap()
}

pub(super) fn reopen(folder: &Path) -> Result<SqliteStore<ChaCha20Rng>, StoreError> {
    SqliteStore::open(&folder.join("vault.db"), &vault_key(1), rng(3))
}

/// A data folder as `init` makes one, without wrapped keys.
pub(super) fn fresh_folder(place: &TempDir) -> Folder {
    Folder::create(&place.path().join("safe")).unwrap().finish().unwrap()
}

/// Writes one row and applies it.
pub(super) fn put(store: &mut dyn Store, table: Table, key: &[u8], value: &str) {
    let mut draft = Draft::new(store);
    draft.put(table, key, row(value)).unwrap();
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
}

pub(super) fn text(row: Option<Row>) -> Option<String> {
    row.map(|row| String::from_utf8(row.as_bytes().to_vec()).unwrap())
}

/// Copies a folder with everything in it, as a thief or a crash leaves it.
pub(super) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
