//! A page of a vault's database, spoiled so that it names one row fewer than it holds. `SQLite` reads such a page without
//! a complaint.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::vault::Table;

/// Hides one row of a table; its key. The database is closed, and its log written back.
pub(crate) fn hide_a_row(database: &Path, table: Table) -> Vec<u8> {
    let (sound, before) = (fs::read(database).unwrap(), keys(database, table));
    for page in (PAGE_BYTES..sound.len()).step_by(PAGE_BYTES) {
        let Some(spoiled) = without_its_last_row(&sound, page) else { continue };
        fs::write(database, spoiled).unwrap();
        let after = keys(database, table);
        let hidden: Vec<_> = before.iter().filter(|key| !after.contains(key)).collect();
        if let [key] = hidden.as_slice() {
            return (*key).clone();
        }
    }
    panic!("no page ends with a row of {table:?}")
}

/// The file with one count changed, if there is a leaf page with rows to spare at this place.
fn without_its_last_row(sound: &[u8], page: usize) -> Option<Vec<u8>> {
    let count = u16::from_be_bytes([sound[page + 3], sound[page + 4]]);
    if sound[page] != LEAF || count < 2 {
        return None;
    }
    let mut spoiled = sound.to_vec();
    spoiled[page + 3..page + 5].copy_from_slice(&(count - 1).to_be_bytes());
    Some(spoiled)
}

fn keys(database: &Path, table: Table) -> Vec<Vec<u8>> {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare("SELECT key FROM rows WHERE tab = ?1").unwrap();
    statement.query_map([table.number()], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

const PAGE_BYTES: usize = 8192;
/// The first byte of a leaf of a table without row numbers.
const LEAF: u8 = 10;
