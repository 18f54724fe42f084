//! Rows that a damaged page of the database does not name any more, and what must not be taken for that.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;
use crate::spool::census::Reckoning;
use crate::spool::schema;
use crate::spool::witness::{Standing, WitnessFile};

/// Enough rows for several of them on each page.
pub(super) const ROWS: u8 = 40;
pub(super) const TABLES: [&str; 3] = ["envelope", "mailbox", "records"];
const ONE_MISSING: Reckoning = Reckoning::Uneven { missing: 1, surplus: 0 };

/// A closed spool with so many rows in each table, all of them counted.
pub(super) fn filled() -> Bench {
    let bench = Bench::new();
    let mut worker = bench.open();
    for number in 0..ROWS {
        request(&mut worker, number);
        publish_of(&mut worker, number);
    }
    bench
}

pub(super) fn path(bench: &Bench) -> PathBuf {
    bench.folder.path().join("spool.db")
}

pub(super) fn reckoning(bench: &Bench) -> Reckoning {
    Store::open(&path(bench)).unwrap().restore(&bench.limits).unwrap().1
}

pub(super) fn execute(bench: &Bench, statements: &str) {
    Connection::open(path(bench)).unwrap().execute_batch(statements).unwrap();
}

/// Deposits something whose header is changed before.
fn deposit_as(worker: &mut Worker, content: &[u8], change: impl FnOnce(&mut DepositAsk)) -> EnvelopeId {
    let (mut command, mut asked) = deposit(content);
    if let Ask::Deposit(ask, _) = &mut command.ask {
        change(ask);
        ask.id = ask.header.envelope_id(content);
    }
    worker.batch(vec![command]);
    asked.try_recv().unwrap().unwrap()
}

/// Deposits a request that opens a mailbox of its own.
pub(super) fn request(worker: &mut Worker, number: u8) -> EnvelopeId {
    deposit_as(worker, &[number; 150], |ask| ask.header.reply_mailbox = Some(Fixed([number; 32])))
}

pub(super) fn publish_of(worker: &mut Worker, number: u8) {
    let memory = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let inbox = InboxId(Fixed([number; 16]));
    let (answer, mut asked) = Answer::new();
    let ask = PublishAsk { inbox, records: vec![number; 150], _memory: memory };
    worker.batch(vec![command(Ask::Publish(ask, answer))]);
    assert_eq!(asked.try_recv().unwrap(), Ok(()));
}

/// How many rows the pages of each table name. By a column that no index holds, so that none answers in their place.
fn named(database: &Path) -> Option<[i64; 3]> {
    let connection = Connection::open(database).unwrap();
    let count = |table: &str, column: &str| {
        connection.query_row(&format!("SELECT count({column}) FROM {table}"), [], |row| row.get::<_, i64>(0)).ok()
    };
    Some([count("envelope", "expires")?, count("mailbox", "expires")?, count("records", "published")?])
}

/// Has one page of a table name one row fewer than it holds.
fn hide_a_row(database: &Path, table: usize) {
    let (sound, mut aim) = (fs::read(database).unwrap(), named(database).unwrap());
    aim[table] -= 1;
    for page in (PAGE_BYTES..sound.len()).step_by(PAGE_BYTES) {
        let mut spoiled = sound.clone();
        let count = u16::from_be_bytes([sound[page + 3], sound[page + 4]]);
        if sound[page] == LEAF && count > 1 {
            spoiled[page + 3..page + 5].copy_from_slice(&(count - 1).to_be_bytes());
            fs::write(database, spoiled).unwrap();
            if named(database) == Some(aim) {
                return;
            }
        }
    }
    panic!("no page of {} can be spoiled", TABLES[table]);
}

pub(super) const PAGE_BYTES: usize = 4096;
/// The first byte of a leaf of a table with row numbers.
pub(super) const LEAF: u8 = 13;

#[test]
fn a_page_that_names_fewer_rows_than_it_holds_is_told_until_the_next_commit_and_the_rest_is_served() {
    for (table, name) in TABLES.iter().enumerate() {
        let bench = filled();
        assert_eq!(reckoning(&bench), Reckoning::Even);
        hide_a_row(&path(&bench), table);
        for _ in 0..2 {
            assert_eq!(bench.open().metrics.hidden.read(), 1, "{name}");
        }
        let mut worker = bench.open();
        assert_eq!(list(&mut worker).len(), usize::from(ROWS) - usize::from(table == 0));
        store(&mut worker, b"another").unwrap();
        worker.restore().unwrap();
        assert_eq!(worker.metrics.hidden.read(), 1, "told twice by one relay");
        drop(worker);
        assert_eq!(bench.open().metrics.hidden.read(), 0, "told again after a commit");
        hide_a_row(&path(&bench), table);
        assert_eq!(reckoning(&bench), ONE_MISSING, "the next loss");
    }
}

#[test]
fn a_row_that_is_named_twice_in_the_place_of_another_is_told() {
    let bench = filled();
    let mut database = fs::read(path(&bench)).unwrap();
    let whole = named(&path(&bench));
    let twice = (PAGE_BYTES..database.len()).step_by(PAGE_BYTES).any(|page| {
        let (before, pointers) = (database.clone(), page + 8);
        database.copy_within(pointers..pointers + 2, pointers + 2);
        fs::write(path(&bench), &database).unwrap();
        let found = before[page] == LEAF && named(&path(&bench)) == whole && reckoning(&bench) != Reckoning::Even;
        database = before;
        found
    });
    assert!(twice);
    assert_eq!(reckoning(&bench), ONE_MISSING);
}

/// One bit of it, and all that waits had expired.
#[test]
fn a_damaged_time_erases_nothing() {
    let bench = filled();
    for high_water in [0, 1 << 40, i64::MAX] {
        execute(&bench, &format!("UPDATE meta SET high_water = {high_water}"));
        let mut worker = bench.open();
        assert_eq!((list(&mut worker).len(), worker.metrics.expired.read()), (usize::from(ROWS), 0));
        assert_eq!(worker.executor.mailboxes.high_water(), *bench.now.lock().unwrap());
    }
}

#[test]
fn rows_that_nobody_counted_are_told() {
    let bench = filled();
    execute(&bench, "INSERT INTO envelope SELECT slot + 1000, id, header, expires, sum, bytes FROM envelope LIMIT 3");
    assert_eq!(reckoning(&bench), Reckoning::Uneven { missing: 0, surplus: 3 });
}

/// What writes a row or erases one, what is taken back, and what is set aside.
#[test]
fn whatever_a_spool_does_its_count_is_that_of_its_rows() {
    let bench = filled();
    let mut worker = bench.open();
    answered(&mut worker, 3);
    publish_of(&mut worker, 4);
    damage(&worker, "UPDATE envelope SET bytes = x'00' WHERE slot = 7");
    damage(&worker, "UPDATE envelope SET header = x'00' WHERE slot = 8");
    let slots = list(&mut worker);
    assert_eq!(read(&mut worker, slots[6]), None, "set aside when it is read");
    cap(&worker, pages(&worker));
    assert_eq!(store(&mut worker, &vec![5; 200_000]), Err(ErrorCode::Busy), "taken back");
    assert_eq!(worker.metrics.hidden.read(), 0);
    drop(worker);
    assert_eq!(reckoning(&bench), Reckoning::Even);
    // Requests, then mailboxes and record sets, in steps that a clock is believed at a start.
    for _ in 0..30 {
        bench.pass(2 * DAY);
        let mut worker = bench.open();
        list(&mut worker);
        list(&mut worker);
        drop(worker);
        assert_eq!(reckoning(&bench), Reckoning::Even);
    }
    assert_eq!(named(&path(&bench)), Some([2, 0, 0]), "what was set aside stays");
}

/// The safe answers a request, the client takes the answer, and the safe takes the request over: the mailbox is closed.
fn answered(worker: &mut Worker, number: u8) {
    let place = Destination::Mailbox(rohrpost_wire::MailboxId::of_key(&[number; 32]));
    let request = request(worker, number);
    let open = worker.executor.mailboxes.mailboxes();
    let reply = deposit_as(worker, b"reply", |ask| (ask.header.to, ask.by) = (place, Some(inbox())));
    let (taking, mut taken) = ack(vec![request, request]);
    let (answer, _answered) = Answer::new();
    worker.batch(vec![command(Ask::Ack(place, vec![reply], answer)), taking]);
    assert_eq!((taken.try_recv().unwrap(), worker.executor.mailboxes.mailboxes()), (Ok(()), open - 1));
}

#[test]
fn a_spool_from_before_rows_were_counted_begins_to_count_with_its_next_commit() {
    let bench = filled();
    execute(&bench, "ALTER TABLE meta DROP COLUMN counted");
    for _ in 0..2 {
        assert_eq!(reckoning(&bench), Reckoning::Even);
    }
    store(&mut bench.open(), b"another").unwrap();
    hide_a_row(&path(&bench), 0);
    assert_eq!(reckoning(&bench), ONE_MISSING);
}

/// It counts its commits, and knows nothing of rows.
#[test]
fn an_older_relay_that_wrote_in_between_raises_no_alarm() {
    let bench = filled();
    for change in ["DELETE FROM envelope WHERE slot = 4", "INSERT INTO records VALUES (900, x'00', 1, x'00', x'00')"] {
        execute(&bench, &format!("BEGIN; {change}; UPDATE meta SET commits = commits + 1; COMMIT"));
        let database = Connection::open(path(&bench)).unwrap();
        let commits: i64 = database.query_row("SELECT commits FROM meta", [], |row| row.get(0)).unwrap();
        WitnessFile::open(&path(&bench), witness::read(&path(&bench)), commits.cast_unsigned());
        assert_eq!(reckoning(&bench), Reckoning::Even);
    }
    store(&mut bench.open(), b"another").unwrap();
    hide_a_row(&path(&bench), 0);
    assert_eq!(reckoning(&bench), ONE_MISSING);
}

/// As after a kill or a power cut: the log ends somewhere, and what it has of a transaction is passed over.
#[test]
fn a_log_that_ends_anywhere_raises_no_alarm_about_rows() {
    let bench = filled();
    let mut worker = bench.open();
    for number in 100..110 {
        request(&mut worker, number);
        publish_of(&mut worker, number % 3);
    }
    let log = fs::read(bench.folder.path().join("spool.db-wal")).unwrap();
    for end in (0..=log.len()).step_by(5000) {
        let cut = Bench::new();
        fs::copy(path(&bench), path(&cut)).unwrap();
        fs::write(cut.folder.path().join("spool.db-wal"), &log[..end]).unwrap();
        assert_eq!(reckoning(&cut), Reckoning::Even, "cut at {end}");
    }
}

#[test]
fn a_damaged_count_is_told_and_stops_nothing() {
    let bench = filled();
    execute(&bench, "UPDATE meta SET counted = zeroblob(72)");
    assert_eq!(reckoning(&bench), Reckoning::Doubtful);
    let mut worker = bench.open();
    assert_eq!((list(&mut worker).len(), worker.metrics.hidden.read()), (usize::from(ROWS), 0));
    store(&mut worker, b"another").unwrap();
    drop(worker);
    assert_eq!(reckoning(&bench), Reckoning::Even);
}

/// It had the witness made anew with a false number, and a damaged time was believed.
#[test]
fn a_damaged_number_of_commits_is_told_and_neither_guard_is_lost() {
    for bit in [0, 3, 6, 20, 62, 63] {
        let bench = filled();
        let witnessed = witness::read(&path(&bench)).says().unwrap();
        execute(&bench, &format!("UPDATE meta SET commits = {}", witnessed.cast_signed() ^ (1 << bit)));
        for _ in 0..2 {
            let mut store = Store::open(&path(&bench)).unwrap();
            let told = (store.standing(), store.restore(&bench.limits).unwrap().1);
            assert_eq!(told, (Standing::Whole, Reckoning::Doubtful), "bit {bit}");
            assert_eq!(witness::read(&path(&bench)).says(), Some(witnessed), "bit {bit}");
        }
        store(&mut bench.open(), b"another").unwrap();
        assert_eq!(witness::read(&path(&bench)).says(), Some(witnessed + 1), "bit {bit}");
        hide_a_row(&path(&bench), 0);
        assert_eq!(reckoning(&bench), ONE_MISSING, "bit {bit}");
    }
}

/// It was not served at all.
#[test]
fn an_older_spool_on_a_full_disk_is_served_and_counted_from_its_first_commit_on() {
    for missing in [&["counted"][..], &["counted", "commits"]] {
        let bench = filled();
        let database = schema::open(&path(&bench)).unwrap();
        for column in missing {
            database.execute_batch(&format!("ALTER TABLE meta DROP COLUMN {column}")).unwrap();
        }
        if missing.len() == 2 {
            fs::remove_file(path(&bench).with_extension("witness")).unwrap();
        }
        let mut store = Store::over(database, &path(&bench)).unwrap();
        assert_eq!(store.restore(&bench.limits).unwrap().1, Reckoning::Even);
        for number in 1..3 {
            store.begin().unwrap();
            store.keep_high_water(Timestamp(2_000_000 + number)).unwrap();
            store.commit().unwrap();
        }
        drop(store);
        hide_a_row(&path(&bench), 0);
        assert_eq!(reckoning(&bench), ONE_MISSING);
    }
}
