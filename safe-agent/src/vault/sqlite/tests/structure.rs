//! What `SQLite` reads without a complaint though rows are hidden by it.

use std::fs;
use std::path::Path;

use super::*;
use crate::testing::page::hide_a_row;

/// A vault of a hundred leaves, closed.
fn settled(place: &Path) {
    let mut store = fresh_database(place);
    let mut draft = Draft::new(&store);
    for number in 0..100 {
        draft.put(Table::Audit, format!("leaf {number:03}").as_bytes(), row("v")).unwrap();
    }
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(reopened_database(place).condition().structure, Structure::Sound);
}

fn told(place: &Path) -> SqliteStore<rand_chacha::ChaCha20Rng> {
    let store = reopened_database(place);
    assert_eq!(store.condition().structure, Structure::Damaged);
    assert_eq!(store.verify(), Err(StoreError::Damaged));
    store
}

#[test]
fn a_page_that_names_fewer_rows_than_it_holds_is_told_and_the_others_are_read() {
    let place = TempDir::new().unwrap();
    settled(place.path());
    let hidden = hide_a_row(&place.path().join("vault.db"), Table::Audit);
    for _ in 0..2 {
        let store = told(place.path());
        assert_eq!(store.get(Table::Audit, &hidden), Ok(None), "reading finds nothing wrong");
        assert_eq!(store.scan(Table::Audit, b"", None, 200).unwrap().len(), 99);
    }
}

/// In its page every byte is accounted for: `quick_check` finds nothing wrong.
#[test]
fn a_key_out_of_its_order_is_told() {
    let place = TempDir::new().unwrap();
    settled(place.path());
    let database = place.path().join("vault.db");
    let mut bytes = fs::read(&database).unwrap();
    let at = bytes.windows(8).position(|window| window == b"leaf 050").unwrap();
    bytes[at + 5] = b'9';
    fs::write(&database, bytes).unwrap();
    let quick = Connection::open(&database).unwrap().query_row("PRAGMA quick_check", [], |row| row.get::<_, String>(0));
    assert_eq!(quick.as_deref(), Ok("ok"));
    told(place.path());
}

/// Reading went round in a circle: behind the row that is out of its order came those before it once more.
#[test]
fn whoever_reads_keys_that_are_out_of_their_order_page_by_page_comes_to_an_end() {
    let place = TempDir::new().unwrap();
    settled(place.path());
    let database = place.path().join("vault.db");
    let mut bytes = fs::read(&database).unwrap();
    // Several, on several pages, in both directions.
    for (key, becomes) in [(b"leaf 010", b"leaf 090"), (b"leaf 050", b"leaf 005"), (b"leaf 095", b"leaf 001")] {
        let at = bytes.windows(8).position(|window| window == key).unwrap();
        bytes[at..at + 8].copy_from_slice(becomes);
    }
    fs::write(&database, bytes).unwrap();
    let store = reopened_database(place.path());
    assert_eq!(store.condition().structure, Structure::Damaged);
    for step in [1, 2, 7, 64] {
        let (mut seen, mut after): (Vec<Vec<u8>>, Option<Vec<u8>>) = (Vec::new(), None);
        loop {
            let page = store.keys(Table::Audit, b"", after.as_deref(), step).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            seen.extend(page);
            assert!(seen.len() <= 100, "in a circle");
        }
        assert!(seen.is_sorted_by(|one, next| one < next));
    }
}

#[test]
fn a_row_carried_off_to_where_nobody_looks_is_told() {
    for place_of_nobody in ["tab = 12", "tab = -1", "tab = 127", "tab = 0", "tab = 0, key = CAST('commit' AS BLOB)"] {
        let place = TempDir::new().unwrap();
        settled(place.path());
        let connection = Connection::open(place.path().join("vault.db")).unwrap();
        let sql = format!("UPDATE rows SET {place_of_nobody} WHERE tab = 9 AND key = CAST('leaf 050' AS BLOB)");
        assert_eq!(connection.execute(&sql, []), Ok(1));
        drop(connection);
        told(place.path());
    }
}
