//! What neither the engine nor any seal sees: rows that are gone, or older than they were committed.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::vault::Standing;
use crate::vault::tests::reopen;

const LEAVES: usize = 100;
const PAGE_BYTES: usize = 8192;

fn leaf(number: usize) -> Vec<u8> {
    format!("leaf {number:03}").into_bytes()
}

fn database(place: &TempDir) -> PathBuf {
    place.path().join("vault.db")
}

/// A vault of a hundred leaves, closed.
fn settled() -> TempDir {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    for number in 0..LEAVES {
        put(&mut store, Table::Audit, &leaf(number), "first");
    }
    store.flush().unwrap();
    drop(store);
    assert_eq!(reopened_database(place.path()).condition().structure, Structure::Sound);
    place
}

fn change(place: &TempDir, sql: &str) {
    let connection = Connection::open(database(place)).unwrap();
    assert_eq!(connection.execute(sql, []), Ok(1));
}

fn open_anyway(place: &Path) -> SqliteStore<rand_chacha::ChaCha20Rng> {
    SqliteStore::open_set_back(&place.join("vault.db"), &vault_key(1), rng(3)).unwrap()
}

#[test]
fn a_page_that_the_disk_never_wrote_is_missed_until_its_owner_accepts_that() {
    let place = settled();
    let before = fs::read(database(&place)).unwrap();
    let mut store = reopened_database(place.path());
    put(&mut store, Table::Audit, &leaf(90), "second");
    store.flush().unwrap();
    drop(store);
    let after = fs::read(database(&place)).unwrap();
    assert_eq!(before.len(), after.len());
    let pages = (0..after.len()).step_by(PAGE_BYTES);
    // The first page counts changes, and the page of the count is the row that tells; each other is a row that it tells of.
    let counts = |page: &[u8]| page.windows(7).any(|bytes| bytes == b"commits");
    let lost = pages.filter(|at| *at > 0 && before[*at..at + PAGE_BYTES] != after[*at..at + PAGE_BYTES]);
    let lost: Vec<_> = lost.filter(|at| !counts(&after[*at..at + PAGE_BYTES])).collect();
    let [lost] = lost.as_slice() else { panic!("pages {lost:?} were written") };
    let mut old = after.clone();
    old[*lost..lost + PAGE_BYTES].copy_from_slice(&before[*lost..lost + PAGE_BYTES]);
    fs::write(database(&place), old).unwrap();

    for _ in 0..2 {
        assert_eq!(reopen(place.path()).unwrap_err(), StoreError::Altered);
    }
    let mut store = open_anyway(place.path());
    assert_eq!(text(store.get(Table::Audit, &leaf(90)).unwrap()).as_deref(), Some("first"), "it opens, and is old");
    assert_eq!(store.verify(), Err(StoreError::Damaged));
    store.accept_rows().unwrap();
    put(&mut store, Table::Audit, b"accepted", "v");
    store.flush().unwrap();
    drop(store);
    let store = reopened_database(place.path());
    assert_eq!((store.condition().structure, store.verify()), (Structure::Sound, Ok(LEAVES as u64 + 1)));
}

#[test]
fn a_row_that_is_gone_is_missed_whatever_is_written_after() {
    let place = settled();
    change(&place, "DELETE FROM rows WHERE tab = 9 AND key = CAST('leaf 050' AS BLOB)");
    assert_eq!(reopen(place.path()).unwrap_err(), StoreError::Altered);
    let mut store = open_anyway(place.path());
    for number in 0..LEAVES {
        put(&mut store, Table::Audit, &leaf(number), "written over, and the lost one anew");
    }
    store.flush().unwrap();
    drop(store);
    assert_eq!(reopen(place.path()).unwrap_err(), StoreError::Altered);
}

/// In its order still, so the engine finds nothing wrong; but under a key that its seal does not hold for.
#[test]
fn a_row_under_another_key_is_told_and_the_others_are_served() {
    let place = settled();
    change(&place, "UPDATE rows SET key = CAST('leaf 05A' AS BLOB) WHERE tab = 9 AND key = CAST('leaf 059' AS BLOB)");
    for _ in 0..2 {
        let store = reopened_database(place.path());
        assert_eq!(store.condition().structure, Structure::Damaged);
        assert_eq!(text(store.get(Table::Audit, &leaf(60)).unwrap()).as_deref(), Some("first"));
    }
}

#[test]
fn a_count_that_is_gone_is_in_doubt_and_is_not_the_loss_of_everything() {
    let place = settled();
    change(&place, "DELETE FROM rows WHERE tab = 0 AND key = CAST('commits' AS BLOB)");
    let condition = reopened_database(place.path()).condition();
    assert_eq!((condition.standing, condition.structure), (Standing::Doubtful, Structure::Sound));
}

#[test]
fn an_older_release_that_counted_no_rows_is_taken_as_it_is_and_counted_from_then_on() {
    let place = settled();
    let mut store = reopened_database(place.path());
    let commits = Row::new(store.witness.next().to_be_bytes().to_vec());
    let sealed = store.sealer.seal(Place::COMMITS, &commits, &mut store.rng).unwrap();
    store.put(Place::COMMITS, Some(&sealed)).unwrap();
    drop(store);
    let mut store = reopened_database(place.path());
    assert_eq!(store.condition().structure, Structure::Sound);
    put(&mut store, Table::Audit, b"counted", "v");
    store.flush().unwrap();
    drop(store);
    change(&place, "DELETE FROM rows WHERE tab = 9 AND key = CAST('counted' AS BLOB)");
    assert_eq!(reopen(place.path()).unwrap_err(), StoreError::Altered);
}

#[test]
fn the_tally_is_that_of_the_rows_whatever_was_written_over_deleted_or_undone() {
    let place = settled();
    let mut store = reopened_database(place.path());
    for round in 0..3 {
        for number in (0..LEAVES).step_by(7) {
            put(&mut store, Table::Audit, &leaf(number), &format!("round {round}"));
        }
        let mut draft = Draft::new(&store);
        draft.delete(Table::Audit, &leaf(round)).unwrap();
        draft.delete(Table::Audit, b"no such leaf").unwrap();
        let writes = draft.into_writes();
        store.apply(writes).unwrap();
        assert_eq!(
            reading::tally(&store.connection, &store.fingerprint).unwrap(),
            store.fingerprint.written(),
            "before it is committed"
        );
        store.flush().unwrap();
    }
    put(&mut store, Table::Audit, b"never committed", "v");
    assert_eq!(store.settle(Err(StoreError::DiskFull)), Err(StoreError::DiskFull));
    assert_eq!(reading::tally(&store.connection, &store.fingerprint).unwrap(), store.fingerprint.committed());
    put(&mut store, Table::Audit, b"after it", "v");
    store.flush().unwrap();
    // The first was written again in the next round.
    assert_eq!(store.verify(), Ok(LEAVES as u64 - 2 + 1));
    drop(store);
    assert_eq!(reopened_database(place.path()).condition().structure, Structure::Sound);
}
