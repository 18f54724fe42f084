use std::sync::Mutex;

use rohrpost_wire::EnvelopeId;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::time::DAY;
use tokio::sync::{Semaphore, oneshot};

use super::super::command::{Answer, Ask, DepositAsk, PublishAsk};
use super::super::row::Stored;
use super::super::schema::STORAGE_VERSION;
use super::*;
use crate::pace::Reading;

mod hidden;
mod keys;
mod records;

type Asked<T> = oneshot::Receiver<Result<T, ErrorCode>>;

struct Bench {
    folder: tempfile::TempDir,
    now: Arc<Mutex<Timestamp>>,
    limits: Limits,
}

impl Bench {
    fn new() -> Self {
        let now = Arc::new(Mutex::new(Timestamp(1_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), now, limits: Limits::default() }
    }

    fn open(&self) -> Worker {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || Reading::undisturbed(*now.lock().unwrap()));
        let path = self.folder.path().join("spool.db");
        let (metrics, arrivals) = (Arc::default(), Arc::default());
        Worker::open(&path, &self.limits, clock, metrics, arrivals, watch::Sender::new(None)).unwrap()
    }

    fn pass(&self, seconds: u64) {
        let mut now = self.now.lock().unwrap();
        *now = now.plus(seconds);
    }
}

fn inbox() -> InboxId {
    InboxId(Fixed([1; 16]))
}

fn place() -> Destination {
    Destination::Inbox(inbox())
}

fn command(ask: Ask) -> Command {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    Command { ask, _room: room }
}

fn deposit(content: &[u8]) -> (Command, Asked<EnvelopeId>) {
    let header = Deposit { to: place(), ticket: None, ttl: TtlClass::Day, reply_mailbox: None };
    let memory = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let id = header.envelope_id(content);
    let ask = Box::new(DepositAsk { header, id, envelope: content.to_vec(), by: None, _memory: memory });
    let (answer, asked) = Answer::new();
    (command(Ask::Deposit(ask, answer)), asked)
}

fn store(worker: &mut Worker, content: &[u8]) -> Result<EnvelopeId, ErrorCode> {
    let (command, mut asked) = deposit(content);
    worker.batch(vec![command]);
    asked.try_recv().unwrap()
}

fn list(worker: &mut Worker) -> Vec<Slot> {
    let (answer, mut asked) = Answer::new();
    worker.batch(vec![command(Ask::List(place(), answer))]);
    asked.try_recv().unwrap().unwrap().into_iter().map(|(slot, _)| slot).collect()
}

fn read(worker: &mut Worker, slot: Slot) -> Option<Stored> {
    let (answer, mut asked) = Answer::new();
    worker.batch(vec![command(Ask::Read(place(), slot, answer))]);
    asked.try_recv().unwrap().unwrap()
}

fn ack(ids: Vec<EnvelopeId>) -> (Command, Asked<()>) {
    let (answer, asked) = Answer::new();
    (command(Ask::Ack(place(), ids, answer)), asked)
}

fn publish(worker: &mut Worker, content: &[u8]) -> Result<(), ErrorCode> {
    let (answer, mut asked) = Answer::new();
    let memory = Arc::new(Semaphore::new(1));
    let permit = Arc::clone(&memory).try_acquire_owned().unwrap();
    let ask = command(Ask::Publish(PublishAsk { inbox: inbox(), records: content.to_vec(), _memory: permit }, answer));
    // As long as the bytes wait, whoever asked having gone or not, so does the memory they were allowed.
    assert_eq!(memory.available_permits(), 0);
    worker.batch(vec![ask]);
    assert_eq!(memory.available_permits(), 1);
    asked.try_recv().unwrap()
}

fn records(worker: &mut Worker) -> Result<Vec<u8>, ErrorCode> {
    records_of(worker, 1)
}

fn records_of(worker: &mut Worker, number: u8) -> Result<Vec<u8>, ErrorCode> {
    let (answer, mut asked) = Answer::new();
    worker.batch(vec![command(Ask::Records(InboxId(Fixed([number; 16])), answer))]);
    asked.try_recv().unwrap()
}

fn reopen(bench: &Bench, worker: Worker) -> Worker {
    drop(worker);
    bench.open()
}

/// Overwrites stored bytes behind the spool's back, as a dying disk would.
fn damage(worker: &Worker, statement: &str) {
    assert_eq!(worker.executor.store.database().execute(statement, []).unwrap(), 1);
}

fn pages(worker: &Worker) -> i64 {
    worker.executor.store.database().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
}

/// Lets the database grow to so many pages, as a full disk does.
fn cap(worker: &Worker, pages: i64) {
    let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    assert_eq!(worker.executor.store.database().pragma_update_and_check(None, "max_page_count", pages, set), Ok(pages));
}

#[test]
fn what_was_stored_is_read_after_a_restart() {
    let bench = Bench::new();
    let mut worker = bench.open();
    let id = store(&mut worker, b"sealed").unwrap();
    assert_eq!(publish(&mut worker, b"records"), Ok(()));
    drop(worker);
    let mut worker = bench.open();
    let slots = list(&mut worker);
    let stored = read(&mut worker, slots[0]).unwrap();
    assert_eq!((slots.len(), stored.id, stored.bytes), (1, id, b"sealed".to_vec()));
    assert_eq!(records(&mut worker), Ok(b"records".to_vec()));
}

#[test]
fn a_damaged_envelope_is_set_aside_for_good_and_blocks_nothing() {
    let bench = Bench::new();
    let mut worker = bench.open();
    store(&mut worker, b"first").unwrap();
    store(&mut worker, b"second").unwrap();
    damage(&worker, "UPDATE envelope SET bytes = x'6669727375' WHERE slot = 0");
    let slots = list(&mut worker);
    assert_eq!(read(&mut worker, slots[0]), None);
    assert_eq!(read(&mut worker, slots[1]).unwrap().bytes, b"second");
    assert_eq!(worker.metrics.quarantined.read(), 1);
    drop(worker);
    let mut worker = bench.open();
    assert_eq!(list(&mut worker), vec![slots[1]]);
    assert_eq!(worker.metrics.quarantined.read(), 0);
    store(&mut worker, b"first").unwrap();
    assert_eq!(list(&mut worker).len(), 2);
}

#[test]
fn a_row_whose_columns_were_changed_is_set_aside_at_the_start() {
    let changes = ["expires = expires + 1", "id = zeroblob(32)", "header = x'00'", "sum = x'00'", "slot = 77"];
    for change in changes {
        let bench = Bench::new();
        let mut worker = bench.open();
        store(&mut worker, b"first").unwrap();
        store(&mut worker, b"second").unwrap();
        damage(&worker, &format!("UPDATE envelope SET {change} WHERE slot = 0"));
        drop(worker);
        let mut worker = bench.open();
        assert_eq!(worker.metrics.quarantined.read(), 1, "{change}");
        let slots = list(&mut worker);
        assert_eq!(slots.len(), 1, "{change}");
        assert_eq!(read(&mut worker, slots[0]).unwrap().bytes, b"second");
    }
}

#[test]
fn a_damaged_record_set_is_unknown_until_it_is_published_again() {
    let bench = Bench::new();
    let mut worker = bench.open();
    assert_eq!(publish(&mut worker, b"records"), Ok(()));
    damage(&worker, "UPDATE records SET bytes = x'00'");
    assert_eq!(records(&mut worker), Err(ErrorCode::Unknown));
    assert_eq!(publish(&mut worker, b"again"), Ok(()));
    assert_eq!(records(&mut worker), Ok(b"again".to_vec()));
}

/// One flipped bit in the pointer from a row to its second page, and the spool could neither set the row aside, for that
/// rewrote it, nor erase it when its time was up: the relay stopped, again at every start.
struct BrokenChain {
    bench: Bench,
    worker: Worker,
    id: EnvelopeId,
    slots: Vec<Slot>,
}

/// An envelope on several pages whose pointer to the second leads behind the end of the file, and a whole one.
fn broken_chain() -> BrokenChain {
    let bench = Bench::new();
    let mut worker = bench.open();
    let id = store(&mut worker, &vec![0x22; 30_000]).unwrap();
    store(&mut worker, b"whole").unwrap();
    publish(&mut worker, &vec![0x33; 30_000]).unwrap();
    drop(worker);
    let path = bench.folder.path().join("spool.db");
    let mut database = std::fs::read(&path).unwrap();
    for filling in [0x22, 0x33] {
        let pointer = second_page(&database, filling);
        assert_eq!(database[pointer], 0);
        database[pointer] ^= 0x40;
    }
    std::fs::write(&path, database).unwrap();
    let mut worker = bench.open();
    let slots = list(&mut worker);
    assert_eq!(slots.len(), 2);
    BrokenChain { bench, worker, id, slots }
}

/// Where a row that is filled with this byte says which page is its second: behind what lies of it on its first.
fn second_page(database: &[u8], filling: u8) -> usize {
    let start = database.windows(100).position(|window| window.iter().all(|byte| *byte == filling)).unwrap();
    start + database[start..].iter().take_while(|byte| **byte == filling).count()
}

impl BrokenChain {
    /// The damaged one is out of the way, the relay works, and so it does after a restart.
    fn goes_on(mut self, left: usize) {
        assert_eq!(*self.worker.failed.borrow(), None);
        assert_eq!(self.worker.metrics.quarantined.read(), 1);
        for _ in 0..2 {
            assert_eq!(list(&mut self.worker).len(), left);
            drop(self.worker);
            self.worker = self.bench.open();
            assert_eq!(self.worker.metrics.quarantined.read(), 0);
        }
        assert!(store(&mut self.worker, b"another").is_ok());
        let database = self.worker.executor.store.database();
        let rows: i64 = database.query_row("SELECT count(*) FROM quarantined_envelope", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }
}

#[test]
fn an_envelope_whose_pages_lead_nowhere_is_set_aside_when_it_is_read() {
    let mut broken = broken_chain();
    assert_eq!(read(&mut broken.worker, broken.slots[0]), None);
    assert_eq!(read(&mut broken.worker, broken.slots[1]).unwrap().bytes, b"whole");
    broken.goes_on(1);
}

#[test]
fn an_envelope_whose_pages_lead_nowhere_is_set_aside_when_it_is_acked() {
    let mut broken = broken_chain();
    let (acking, mut acked) = ack(vec![broken.id]);
    broken.worker.batch(vec![acking]);
    assert_eq!(acked.try_recv().unwrap(), Ok(()));
    broken.goes_on(1);
}

#[test]
fn an_envelope_whose_pages_lead_nowhere_is_set_aside_when_its_time_is_up() {
    let mut broken = broken_chain();
    broken.bench.pass(DAY);
    assert_eq!(list(&mut broken.worker), vec![]);
    broken.goes_on(0);
}

#[test]
fn a_record_set_whose_pages_lead_nowhere_is_replaced_by_the_next() {
    let mut broken = broken_chain();
    assert_eq!(publish(&mut broken.worker, b"next"), Ok(()));
    assert_eq!(records(&mut broken.worker), Ok(b"next".to_vec()));
    assert_eq!(broken.worker.metrics.quarantined.read(), 1);
    let mut broken = broken_chain();
    assert_eq!(records(&mut broken.worker), Err(ErrorCode::Unknown));
    assert_eq!(publish(&mut broken.worker, b"next"), Ok(()));
    assert_eq!(records(&mut broken.worker), Ok(b"next".to_vec()));
}

#[test]
fn a_full_disk_refuses_deposits_lets_acks_through_and_recovers() {
    let bench = Bench::new();
    let mut worker = bench.open();
    let first = store(&mut worker, &vec![1; 20_000]).unwrap();
    let pages = pages(&worker);
    cap(&worker, pages);
    let (growing, mut queued) = deposit(&vec![2; 50_000]);
    let (acking, mut acked) = ack(vec![first]);
    worker.batch(vec![growing, acking]);
    assert_eq!(queued.try_recv().unwrap(), Err(ErrorCode::Busy));
    assert_eq!(acked.try_recv().unwrap(), Ok(()));
    assert_eq!((worker.executor.mailboxes.envelopes(), worker.executor.mailboxes.bytes()), (0, 0));
    // What was erased has made room, but not enough: the disk is tried again, and then not before its time.
    assert_eq!(store(&mut worker, &vec![2; 50_000]), Err(ErrorCode::Busy));
    cap(&worker, pages + 1000);
    assert_eq!(store(&mut worker, b"small"), Err(ErrorCode::Busy));
    assert_eq!(list(&mut worker), vec![]);
    bench.pass(10);
    assert!(store(&mut worker, &vec![2; 50_000]).is_ok());
    assert_eq!(*worker.failed.borrow(), None);
}

/// It was taken for written down, and another minute had to pass.
#[test]
fn a_time_that_found_no_room_is_written_down_by_the_next_commit() {
    let bench = Bench::new();
    let mut worker = bench.open();
    store(&mut worker, b"first").unwrap();
    cap(&worker, pages(&worker));
    bench.pass(600);
    assert_eq!(store(&mut worker, &vec![2; 50_000]), Err(ErrorCode::Busy));
    let kept: i64 =
        worker.executor.store.database().query_row("SELECT high_water FROM meta", [], |row| row.get(0)).unwrap();
    assert_eq!(Timestamp(kept.cast_unsigned()), *bench.now.lock().unwrap());
}

/// A copy that an operator took with another program stopped the relay.
#[test]
fn a_database_held_by_another_process_is_busy_and_nothing_worse() {
    let bench = Bench::new();
    let mut worker = bench.open();
    worker.executor.store.database().busy_timeout(Duration::from_millis(1)).unwrap();
    let other = rusqlite::Connection::open(bench.folder.path().join("spool.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store(&mut worker, b"during"), Err(ErrorCode::Busy));
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store(&mut worker, b"after").is_ok());
    assert_eq!(*worker.failed.borrow(), None);
}

#[test]
fn a_failed_write_poisons_the_spool() {
    let bench = Bench::new();
    let mut worker = bench.open();
    store(&mut worker, b"before").unwrap();
    worker.executor.store.database().pragma_update(None, "query_only", true).unwrap();
    assert_eq!(store(&mut worker, b"during"), Err(ErrorCode::Unavailable));
    worker.executor.store.database().pragma_update(None, "query_only", false).unwrap();
    assert_eq!(store(&mut worker, b"after"), Err(ErrorCode::Unavailable));
    assert_eq!(*worker.failed.borrow(), Some(Failure::Disk));
    drop(worker);
    assert_eq!(list(&mut bench.open()).len(), 1);
}

#[test]
fn what_has_expired_is_erased_and_a_restart_with_an_older_clock_does_not_bring_time_back() {
    let bench = Bench::new();
    let mut worker = bench.open();
    store(&mut worker, b"short-lived").unwrap();
    bench.pass(DAY);
    assert_eq!(list(&mut worker), vec![]);
    let rows: i64 =
        worker.executor.store.database().query_row("SELECT count(*) FROM envelope", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
    let high_water = worker.executor.mailboxes.high_water();
    drop(worker);
    *bench.now.lock().unwrap() = Timestamp(5);
    assert_eq!(bench.open().executor.mailboxes.high_water(), high_water);
}

/// A clock that was once set years ahead erased all that waited, and so did the next start.
#[test]
fn nothing_is_erased_because_a_clock_jumped_ahead() {
    let bench = Bench::new();
    let mut worker = bench.open();
    let start = Timestamp(1_000_000);
    store(&mut worker, b"waits").unwrap();
    let ahead = Reading { wall: start.plus(1000 * DAY), running: Duration::from_secs(start.0 + 60) };
    worker.clock = Arc::new(move || ahead);
    assert_eq!(list(&mut worker).len(), 1);
    assert_eq!(worker.executor.mailboxes.high_water(), start.plus(60));
    drop(worker);
    bench.pass(1000 * DAY);
    let mut worker = bench.open();
    assert_eq!(list(&mut worker).len(), 1);
    bench.pass(DAY);
    assert_eq!(list(&mut worker), vec![]);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let bench = Bench::new();
    let worker = bench.open();
    worker.executor.store.database().pragma_update(None, "user_version", STORAGE_VERSION + 1).unwrap();
    drop(worker);
    let path = bench.folder.path().join("spool.db");
    assert!(matches!(Store::open(&path), Err(OpenError::Newer)));
}

#[test]
fn a_database_from_before_the_first_release_is_left_alone() {
    let bench = Bench::new();
    bench.open().executor.store.database().pragma_update(None, "user_version", 1).unwrap();
    assert!(matches!(Store::open(&bench.folder.path().join("spool.db")), Err(OpenError::Older)));
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let bench = Bench::new();
    let path = bench.folder.path().join("spool.db");
    std::fs::write(&path, [0x55; 8192]).unwrap();
    assert!(matches!(Store::open(&path), Err(OpenError::Damaged(_))));
}
