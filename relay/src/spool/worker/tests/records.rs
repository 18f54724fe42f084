//! Record sets that are damaged by the time they are deleted: of such a one nobody knows whose pages it leads to.

use super::hidden::publish_of;
use super::*;

/// How many record sets are on disk, and how many of them are set aside.
fn kept(worker: &Worker) -> (i64, i64) {
    let query = "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM quarantined_records)";
    worker.executor.store.database().query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn a_record_set_whose_time_is_damaged_is_set_aside_and_not_erased() {
    let bench = Bench::new();
    *bench.now.lock().unwrap() = Timestamp(100 * DAY);
    let mut worker = bench.open();
    (0..3).for_each(|number| publish_of(&mut worker, number));
    damage(&worker, "UPDATE records SET published = 1 WHERE slot = 1");
    worker = reopen(&bench, worker);
    assert_eq!(list(&mut worker), vec![]);
    assert_eq!((kept(&worker), worker.metrics.quarantined.read()), ((3, 1), 1));
    assert_eq!(records_of(&mut worker, 1), Err(ErrorCode::Unknown));
    assert_eq!(records_of(&mut worker, 2), Ok(vec![2; 150]));
}

#[test]
fn a_damaged_record_set_is_set_aside_when_it_is_replaced() {
    let bench = Bench::new();
    let mut worker = bench.open();
    (0..3).for_each(|number| publish_of(&mut worker, number));
    damage(&worker, "UPDATE records SET bytes = x'00' WHERE slot = 1");
    (0..3).for_each(|number| publish_of(&mut worker, number));
    assert_eq!((kept(&worker), worker.metrics.quarantined.read()), ((4, 1), 1));
    assert_eq!(records_of(&mut worker, 1), Ok(vec![1; 150]));
}

/// To delete it, SQLite freed the pages of an envelope that was whole, and what came next was written over it.
#[test]
fn a_record_set_that_leads_to_the_pages_of_an_envelope_is_replaced_at_no_cost_to_it() {
    let bench = Bench::new();
    let mut worker = bench.open();
    publish(&mut worker, &vec![0x33; 30_000]).unwrap();
    store(&mut worker, &vec![0x22; 30_000]).unwrap();
    drop(worker);
    let path = bench.folder.path().join("spool.db");
    let mut database = std::fs::read(&path).unwrap();
    let (records, envelope) = (second_page(&database, 0x33), second_page(&database, 0x22));
    database.copy_within(envelope..envelope + 4, records);
    std::fs::write(&path, database).unwrap();
    let mut worker = bench.open();
    publish(&mut worker, b"next").unwrap();
    store(&mut worker, &vec![0x44; 30_000]).unwrap();
    let slots = list(&mut worker);
    assert_eq!(read(&mut worker, slots[0]).map(|stored| stored.bytes), Some(vec![0x22; 30_000]));
}
