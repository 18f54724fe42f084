use std::fs;
use std::path::PathBuf;

use rohrpost_wire::Timestamp;
use tempfile::TempDir;

use super::super::store::Store;
use super::*;

#[test]
fn a_database_behind_its_witness_is_set_back_and_one_ahead_is_whole() {
    assert_eq!(judge(7, Witness::Says(7)), (Standing::Whole, 7));
    assert_eq!(judge(9, Witness::Says(7)), (Standing::Whole, 9));
    assert_eq!(judge(6, Witness::Says(7)), (Standing::SetBack(1), 7));
    assert_eq!(judge(0, Witness::Says(7)), (Standing::SetBack(7), 7));
    assert_eq!(judge(0, Witness::Missing), (Standing::Unwitnessed, 0));
    assert_eq!(judge(7, Witness::Missing), (Standing::Doubtful, 7));
    assert_eq!(judge(7, Witness::Unreadable), (Standing::Doubtful, 7));
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

/// A spool, and what a kill would leave of it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        // Closed once, so that the database is laid out and its log empty.
        drop(bench.open());
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> Store {
        Store::open(&self.path("spool.db")).unwrap()
    }

    /// A folder with the files as they are while somebody has them open.
    fn killed(&self) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        for name in ["spool.db", "spool.db-wal", "spool.witness"] {
            fs::copy(self.path(name), copy.path(name)).unwrap();
        }
        copy
    }

    fn says(&self) -> Witness {
        decode(&fs::read(self.path("spool.witness")).unwrap())
    }
}

fn write(store: &mut Store, number: u64) {
    store.begin().unwrap();
    store.keep_high_water(Timestamp(number)).unwrap();
    store.commit().unwrap();
}

/// Each commit is one page, behind the log's header.
#[test]
fn a_spool_whose_log_is_cut_back_tells_how_many_commits_are_missing_until_it_commits_again() {
    let bench = Bench::new();
    let mut store = bench.open();
    (1..=9).for_each(|number| write(&mut store, number));
    let whole = bench.killed();
    for kept in 0..9 {
        let (cut, length) = (bench.killed(), 32 + kept * (24 + 4096));
        fs::File::options().write(true).open(cut.path("spool.db-wal")).unwrap().set_len(length).unwrap();
        for _ in 0..2 {
            assert_eq!(cut.open().standing(), Standing::SetBack(9 - kept));
        }
        write(&mut cut.open(), 1);
        assert_eq!(cut.open().standing(), Standing::Whole);
    }
    assert_eq!(whole.open().standing(), Standing::Whole);
}

#[test]
fn what_is_missing_is_counted_and_a_start_that_misses_nothing_counts_nothing() {
    let metrics = Metrics::default();
    for standing in [Standing::Whole, Standing::Unwitnessed, Standing::Doubtful] {
        tell(Path::new("spool.db"), standing, &metrics);
    }
    assert_eq!(metrics.missing.read(), 0);
    tell(Path::new("spool.db"), Standing::SetBack(3), &metrics);
    assert_eq!(metrics.missing.read(), 3);
}

/// As after a power cut, which the last writes of the witness did not outlive.
#[test]
fn a_witness_that_lags_is_missing_or_is_damaged_stops_nothing_and_is_put_right() {
    let bench = Bench::new();
    let mut store = bench.open();
    (1..=5).for_each(|number| write(&mut store, number));
    let lags = Some(encode(2).to_vec());
    for (left, standing) in [(lags, Standing::Whole), (None, Standing::Doubtful), (Some(vec![]), Standing::Doubtful)] {
        let cut = bench.killed();
        match left {
            Some(bytes) => fs::write(cut.path("spool.witness"), bytes).unwrap(),
            None => fs::remove_file(cut.path("spool.witness")).unwrap(),
        }
        assert_eq!(cut.open().standing(), standing);
        assert_eq!(cut.says(), Witness::Says(5));
    }
}

/// A relay is killed between the write of a commit and its sync, and after its restart the power fails, which takes from the
/// log whatever nobody has synced.
#[test]
fn what_a_killed_relay_had_not_synced_is_durable_before_it_is_witnessed_and_served() {
    let bench = Bench::new();
    let mut store = bench.open();
    (1..=4).for_each(|number| write(&mut store, number));
    let synced = fs::metadata(bench.path("spool.db-wal")).unwrap().len();
    write(&mut store, 5);
    let killed = bench.killed();
    fs::write(killed.path("spool.witness"), encode(4)).unwrap();
    let again = killed.open();
    assert_eq!((again.standing(), killed.says()), (Standing::Whole, Witness::Says(5)));
    let without_power = killed.killed();
    let log = fs::File::options().write(true).open(without_power.path("spool.db-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len().min(synced)).unwrap();
    let after = without_power.open();
    assert_eq!(after.standing(), Standing::Whole, "a false alarm");
    let kept: i64 = after.database().query_row("SELECT high_water FROM meta", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 5, "what was served is lost");
}

/// A transaction that reads alone costs no sync, and must not begin to for the sake of being counted.
#[test]
fn only_what_is_committed_and_written_is_witnessed() {
    let bench = Bench::new();
    let mut store = bench.open();
    assert_eq!(bench.says(), Witness::Says(0));
    store.begin().unwrap();
    store.keep_high_water(Timestamp(1)).unwrap();
    store.roll_back().unwrap();
    let log = || fs::metadata(bench.path("spool.db-wal")).map_or(0, |log| log.len());
    assert_eq!((bench.says(), log()), (Witness::Says(0), 0));
    store.begin().unwrap();
    assert!(store.unused().is_ok());
    store.commit().unwrap();
    assert_eq!((bench.says(), log()), (Witness::Says(0), 0), "it only read");
    write(&mut store, 2);
    assert_eq!(bench.says(), Witness::Says(1));
    assert!(log() > 0);
}

#[test]
fn a_database_from_before_commits_were_counted_begins_to_count() {
    let bench = Bench::new();
    let store = bench.open();
    store.database().execute_batch("ALTER TABLE meta DROP COLUMN commits").unwrap();
    drop(store);
    fs::remove_file(bench.path("spool.witness")).unwrap();
    let mut store = bench.open();
    assert_eq!(store.standing(), Standing::Unwitnessed);
    write(&mut store, 1);
    assert_eq!(bench.says(), Witness::Says(1));
}

#[test]
fn a_witness_that_cannot_be_written_stops_nothing() {
    let bench = Bench::new();
    fs::remove_file(bench.path("spool.witness")).unwrap();
    // A folder with something in it, so that no file can be renamed over it.
    fs::create_dir_all(bench.path("spool.witness").join("in the way")).unwrap();
    write(&mut bench.open(), 1);
    fs::remove_dir_all(bench.path("spool.witness")).unwrap();
    let store = bench.open();
    assert_eq!(store.standing(), Standing::Doubtful, "there ought to be one: the database counts");
    let commits: i64 = store.database().query_row("SELECT commits FROM meta", [], |row| row.get(0)).unwrap();
    assert_eq!(commits, 1);
}
