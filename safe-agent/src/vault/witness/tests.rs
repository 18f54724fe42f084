use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::vault::tests::{copy_folder, fresh_database, put, reopen, reopened_database, rng, vault_key};
use crate::vault::{SqliteStore, Store as _, StoreError, Table};

#[test]
fn a_database_behind_its_witness_is_set_back_and_one_ahead_is_whole() {
    let whole = |unwitnessed| Standing::Whole { unwitnessed };
    for (counted, witness, standing, next) in [
        (Some(7), Witness::Says(7), whole(0), 7),
        (Some(9), Witness::Says(7), whole(2), 9),
        (Some(6), Witness::Says(7), Standing::SetBack { missing: 1 }, 7),
        (Some(0), Witness::Says(7), Standing::Doubtful, 7),
        (Some(1), Witness::Says(7), Standing::SetBack { missing: 6 }, 7),
        (Some(0), Witness::Missing, Standing::Unwitnessed, 0),
        (Some(7), Witness::Missing, Standing::Doubtful, 7),
        (Some(7), Witness::Unreadable, Standing::Doubtful, 7),
        (None, Witness::Says(7), Standing::Doubtful, 7),
        (None, Witness::Missing, Standing::Doubtful, 0),
    ] {
        assert_eq!((judge(counted, witness), resume(counted, witness)), (standing, next), "{counted:?} {witness:?}");
    }
}

#[test]
fn a_witness_with_any_bit_flipped_or_of_another_length_says_nothing() {
    let good = encode(0x0102_0304_0506_0708);
    assert_eq!(decode(&good), Witness::Says(0x0102_0304_0506_0708));
    for bit in 0..good.len() * 8 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(&bad), Witness::Unreadable, "bit {bit}");
    }
    for bad in [&good[..40], &[&good[..], &[0]].concat(), &[], &[0; 41]] {
        assert_eq!(decode(bad), Witness::Unreadable);
    }
}

/// A vault in which so many commits are in the log, and what its folder holds after a kill.
fn killed(commits: u8) -> (TempDir, PathBuf) {
    let place = TempDir::new().unwrap();
    let (live, dead) = (place.path().join("live"), place.path().join("dead"));
    fs::create_dir(&live).unwrap();
    drop(fresh_database(&live));
    let mut store = reopened_database(&live);
    for number in 0..commits {
        put(&mut store, Table::Devices, &[number], "revoked");
        store.flush().unwrap();
    }
    copy_folder(&live, &dead);
    (place, dead)
}

fn cut_log(folder: &Path, length: u64) {
    fs::File::options().write(true).open(folder.join("vault.db-wal")).unwrap().set_len(length).unwrap();
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |entry: fs::DirEntry| (entry.path(), fs::read(entry.path()).unwrap());
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap())).collect();
    all.sort();
    all
}

/// Every commit of the log is cut off, one page after the other.
#[test]
fn a_log_cut_back_behind_what_was_confirmed_is_refused_and_left_as_it_is() {
    let (_place, dead) = killed(12);
    let log = fs::metadata(dead.join("vault.db-wal")).unwrap().len();
    let mut most = 0;
    for length in (0..log).step_by(24 + 8192) {
        let copy = dead.with_file_name(format!("cut at {length}"));
        copy_folder(&dead, &copy);
        cut_log(&copy, length);
        let before = contents(&copy);
        for _ in 0..2 {
            let Err(StoreError::SetBack(missing)) = reopen(&copy) else { panic!("opened, cut at {length}") };
            assert!(missing >= 1);
            most = missing.max(most);
        }
        assert_eq!(contents(&copy), before, "cut at {length}");
    }
    assert_eq!(most, 12);
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
}

#[test]
fn a_loss_is_accepted_by_the_next_commit_and_not_before() {
    let (_place, dead) = killed(5);
    cut_log(&dead, fs::metadata(dead.join("vault.db-wal")).unwrap().len() - 1);
    let again = || SqliteStore::open_set_back(&dead.join("vault.db"), &vault_key(1), rng(5)).unwrap();
    for _ in 0..2 {
        let store = again();
        assert_eq!(store.standing(), Standing::SetBack { missing: 1 });
        assert_eq!(store.get(Table::Devices, &[4]), Ok(None), "it had been revoked");
    }
    let mut store = again();
    put(&mut store, Table::Audit, b"word", "accepted");
    store.flush().unwrap();
    drop(store);
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
}

/// A safe is killed between the write of a commit and its flush, and after its restart the power fails, which takes from the
/// log whatever nobody has flushed.
#[test]
fn what_a_killed_safe_had_not_flushed_is_durable_before_it_is_witnessed() {
    let (_place, dead) = killed(5);
    let flushed = fs::metadata(dead.join("vault.db-wal")).unwrap().len() - 1;
    fs::write(dead.join("vault.witness"), encode(5)).unwrap();
    let store = reopen(&dead).unwrap();
    assert_eq!(store.standing(), Standing::Whole { unwitnessed: 1 });
    let without_power = dead.with_file_name("without power");
    copy_folder(&dead, &without_power);
    cut_log(&without_power, fs::metadata(without_power.join("vault.db-wal")).unwrap().len().min(flushed));
    let after = reopen(&without_power).unwrap();
    assert_eq!(after.standing(), Standing::Whole { unwitnessed: 0 }, "a false alarm");
    assert!(after.get(Table::Devices, &[4]).unwrap().is_some(), "what was relied on is lost");
}

/// As after a power cut, which the last writes of the witness did not outlive.
#[test]
fn a_witness_that_lags_raises_no_alarm_and_has_caught_up_when_the_vault_is_open() {
    let (_place, dead) = killed(5);
    fs::write(dead.join("vault.witness"), encode(2)).unwrap();
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 4 });
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
}

#[test]
fn without_a_witness_or_with_a_damaged_one_a_vault_opens_and_makes_it_anew() {
    let (_place, dead) = killed(5);
    let witness = dead.join("vault.witness");
    fs::remove_file(&witness).unwrap();
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Doubtful, "there was one: the database counts");
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
    fs::write(&witness, []).unwrap();
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Doubtful);
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
}

#[test]
fn a_damaged_count_is_doubtful_until_the_next_commit() {
    let (_place, dead) = killed(5);
    drop(reopen(&dead).unwrap());
    let connection = rusqlite::Connection::open(dead.join("vault.db")).unwrap();
    let sql = "UPDATE rows SET value = zeroblob(297) WHERE tab = 0 AND key = CAST('commits' AS BLOB)";
    assert_eq!(connection.execute(sql, []), Ok(1));
    drop(connection);
    let mut store = reopen(&dead).unwrap();
    assert_eq!(store.standing(), Standing::Doubtful);
    put(&mut store, Table::Audit, b"next", "v");
    store.flush().unwrap();
    drop(store);
    assert_eq!(reopen(&dead).unwrap().standing(), Standing::Whole { unwitnessed: 0 });
}

/// The folder of an older release counts nothing and has no witness.
#[test]
fn a_vault_that_never_counted_begins_to_with_its_next_commit() {
    let (_place, dead) = killed(5);
    drop(reopen(&dead).unwrap());
    fs::remove_file(dead.join("vault.witness")).unwrap();
    let connection = rusqlite::Connection::open(dead.join("vault.db")).unwrap();
    connection.execute("DELETE FROM rows WHERE tab = 0 AND key = CAST('commits' AS BLOB)", []).unwrap();
    drop(connection);
    let mut store = reopen(&dead).unwrap();
    assert_eq!(store.standing(), Standing::Unwitnessed);
    put(&mut store, Table::Audit, b"next", "v");
    store.flush().unwrap();
    assert_eq!(fs::read(dead.join("vault.witness")).unwrap(), encode(1));
}

#[test]
fn what_was_undone_is_not_witnessed_and_what_was_confirmed_is_at_once() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    let says = || decode(&fs::read(place.path().join("vault.witness")).unwrap());
    assert_eq!(says(), Witness::Says(1));
    put(&mut store, Table::Links, b"a", "v");
    assert_eq!(says(), Witness::Says(1), "applied is not confirmed");
    store.fail_the_next_commit_for_tests();
    assert!(store.flush().is_err());
    assert_eq!(says(), Witness::Says(1));
    drop(store);
    let mut store = reopened_database(place.path());
    put(&mut store, Table::Links, b"a", "v");
    store.flush().unwrap();
    assert_eq!(says(), Witness::Says(2));
    store.flush().unwrap();
    assert_eq!(says(), Witness::Says(2), "nothing was committed");
}

/// The commit is durable already: whoever waits for it must not be told that it failed.
#[test]
fn a_witness_that_cannot_be_written_stops_nothing() {
    let place = TempDir::new().unwrap();
    drop(fresh_database(place.path()));
    let witness = place.path().join("vault.witness");
    fs::remove_file(&witness).unwrap();
    // A folder with something in it, so that no file can be renamed over it.
    fs::create_dir_all(witness.join("in the way")).unwrap();
    let mut store = reopened_database(place.path());
    put(&mut store, Table::Links, b"a", "v");
    store.flush().unwrap();
    drop(store);
    fs::remove_dir_all(&witness).unwrap();
    assert!(reopened_database(place.path()).get(Table::Links, b"a").unwrap().is_some());
}
