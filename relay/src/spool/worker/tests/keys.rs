//! Rows whose key is damaged: they lie where they lay, out of order, and stand in nobody else's way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::hidden::{LEAF, PAGE_BYTES, ROWS, TABLES, filled, path, publish_of, reckoning};
use super::*;
use crate::spool::census::Reckoning;

/// The keys of a table, in the order in which its pages name them.
fn keys(database: &Path, table: &str) -> Option<Vec<u8>> {
    let connection = Connection::open(database).unwrap();
    let mut select = connection.prepare(&format!("SELECT rowid FROM {table} NOT INDEXED")).ok()?;
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().ok()
}

/// Where each row on the leaves of a database has its key, of those that are one byte long.
fn places_of_keys(database: &[u8]) -> Vec<usize> {
    let number = |at: usize| usize::from(u16::from_be_bytes([database[at], database[at + 1]]));
    let leaves = (PAGE_BYTES..database.len()).step_by(PAGE_BYTES).filter(|page| database[*page] == LEAF);
    let rows = leaves.flat_map(|page| (0..number(page + 3)).map(move |row| page + number(page + 8 + 2 * row)));
    // The length of the row comes before it, seven bits in each byte.
    rows.map(|row| row + 1 + database[row..].iter().take_while(|byte| **byte > 127).count()).collect()
}

/// Gives a row another key where it lies, as a flipped bit does.
fn rename(bench: &Bench, table: &str, from: u8, to: u8) {
    let (database, sound) = (path(bench), fs::read(path(bench)).unwrap());
    let mut aim = keys(&database, table).unwrap();
    *aim.iter_mut().find(|key| **key == from).unwrap() = to;
    for place in places_of_keys(&sound).into_iter().filter(|place| sound[*place] == from) {
        let mut spoiled = sound.clone();
        spoiled[place] = to;
        fs::write(&database, spoiled).unwrap();
        if keys(&database, table).as_ref() == Some(&aim) {
            return;
        }
    }
    panic!("no row {from} of {table}");
}

/// The first byte of each envelope that is delivered, by which the test knows it.
fn delivered(worker: &mut Worker) -> BTreeSet<u8> {
    let slots = list(worker);
    slots.into_iter().filter_map(|slot| Some(read(worker, slot)?.bytes[0])).collect()
}

fn all_but(number: u8) -> BTreeSet<u8> {
    (0..ROWS).filter(|other| *other != number).collect()
}

/// A confirmed envelope lay under the number of one that had been set aside, and was passed over with it.
#[test]
fn a_slot_that_was_set_aside_is_never_given_again() {
    let bench = filled();
    let mut worker = bench.open();
    let last = Slot(u64::from(ROWS) - 1);
    // As its page does that hides its last row while the relay runs.
    damage(&worker, "DELETE FROM envelope WHERE slot = 39");
    damage(&worker, "DELETE FROM records WHERE slot = 39");
    assert_eq!((read(&mut worker, last), records_of(&mut worker, 39)), (None, Err(ErrorCode::Unknown)));
    worker = reopen(&bench, worker);
    store(&mut worker, &[200]).unwrap();
    publish_of(&mut worker, 100);
    worker = reopen(&bench, worker);
    assert!(delivered(&mut worker).contains(&200));
    assert_eq!(records_of(&mut worker, 100), Ok(vec![100; 150]));
}

#[test]
fn a_key_that_is_damaged_to_a_later_one_costs_nothing_that_comes_later() {
    let bench = filled();
    rename(&bench, "envelope", 5, 60);
    rename(&bench, "records", 5, 60);
    let mut worker = bench.open();
    for number in 100..140 {
        store(&mut worker, &[number]).unwrap();
        publish_of(&mut worker, number);
    }
    worker = reopen(&bench, worker);
    assert!(delivered(&mut worker).is_superset(&(100..140).collect()));
    for number in 100..140 {
        assert_eq!(records_of(&mut worker, number), Ok(vec![number; 150]));
    }
}

/// Whatever comes after it in its page was told as hidden.
#[test]
fn a_damaged_key_is_no_hidden_row_and_never_becomes_one() {
    for table in TABLES {
        for (from, to) in [(5, 100), (20, 1), (20, 21), (20, 0)] {
            let bench = filled();
            rename(&bench, table, from, to);
            for start in 0..3 {
                assert_eq!(reckoning(&bench), Reckoning::Even, "{table}, {from} to {to}, start {start}");
                let mut worker = bench.open();
                delivered(&mut worker);
                let records = records_of(&mut worker, from);
                assert!(records.is_ok() || (table, start) == ("records", 0), "{table}, {from} to {to}, start {start}");
                publish_of(&mut worker, from);
            }
        }
    }
}

/// It was set aside under the number of its neighbour, which was whole.
#[test]
fn a_key_that_is_damaged_to_a_neighbours_withholds_nothing_of_the_neighbour() {
    for number in (1..ROWS).step_by(3) {
        for to in [number - 1, number ^ 1] {
            let bench = filled();
            rename(&bench, "envelope", number, to);
            rename(&bench, "records", number, to);
            let mut worker = bench.open();
            assert_eq!(delivered(&mut worker), all_but(number), "{number} to {to}");
            assert_eq!(records_of(&mut worker, to), Ok(vec![to; 150]), "{number} to {to}");
            store(&mut worker, &[200]).unwrap();
            worker = reopen(&bench, worker);
            let mut expected = all_but(number);
            expected.insert(200);
            assert_eq!((delivered(&mut worker), worker.metrics.hidden.read()), (expected, 0), "{number} to {to}");
        }
    }
}

#[test]
fn an_envelope_that_is_named_twice_is_in_the_index_once() {
    let bench = filled();
    let sound = fs::read(path(&bench)).unwrap();
    let expected = keys(&path(&bench), "envelope").unwrap();
    let twice = (PAGE_BYTES..sound.len()).step_by(PAGE_BYTES).any(|page| {
        let mut spoiled = sound.clone();
        spoiled.copy_within(page + 8..page + 10, page + 10);
        fs::write(path(&bench), spoiled).unwrap();
        sound[page] == LEAF && keys(&path(&bench), "envelope").is_some_and(|keys| keys != expected)
    });
    assert!(twice);
    let mut worker = bench.open();
    let left = u64::from(ROWS) - 1;
    assert_eq!((worker.executor.mailboxes.envelopes() as u64, worker.executor.mailboxes.bytes()), (left, left * 150));
    assert_eq!(delivered(&mut worker).len() as u64, left);
}
