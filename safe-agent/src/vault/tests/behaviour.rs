use proptest::prelude::*;

use super::*;

#[test]
fn the_memory_store_behaves_as_a_store() {
    behaves_as_a_store(&mut MemoryStore::new());
}

#[test]
fn the_sqlite_store_behaves_as_a_store() {
    let place = TempDir::new().unwrap();
    behaves_as_a_store(&mut fresh_database(place.path()));
}

fn behaves_as_a_store(store: &mut dyn Store) {
    a_row_is_read_back_once_applied(store);
    tables_do_not_see_each_other(store);
    a_scan_is_ordered_bounded_and_starts_behind_its_mark(store);
    a_row_is_replaced_and_deleted(store);
    the_largest_row_and_key_fit(store);
    store.flush().unwrap();
    store.flush().unwrap();
}

fn a_row_is_read_back_once_applied(store: &mut dyn Store) {
    assert!(store.get(Table::Patients, b"p1").unwrap().is_none());
    put(store, Table::Patients, b"p1", "Erika Mustermann");
    assert_eq!(text(store.get(Table::Patients, b"p1").unwrap()).unwrap(), "Erika Mustermann");
}

fn tables_do_not_see_each_other(store: &mut dyn Store) {
    assert!(store.get(Table::Documents, b"p1").unwrap().is_none());
    assert!(store.scan(Table::Documents, b"", None, 10).unwrap().is_empty());
}

fn a_scan_is_ordered_bounded_and_starts_behind_its_mark(store: &mut dyn Store) {
    for key in [b"a/2".as_slice(), b"a/1", b"b/1", b"a/\xff\xff", b"a/", b"a/1\0", b"\xff\xff"] {
        put(store, Table::Grants, key, "g");
    }
    assert_eq!(keys(store, b"a/", None, 9), [b"a/".as_slice(), b"a/1", b"a/1\0", b"a/2", b"a/\xff\xff"]);
    assert_eq!(keys(store, b"a/", Some(b"a/1"), 2), [b"a/1\0".as_slice(), b"a/2"]);
    assert!(keys(store, b"a/", Some(b"a/\xff\xff"), 9).is_empty());
    assert_eq!(keys(store, b"b", Some(b"a"), 9), [b"b/1"], "a mark before the prefix hides nothing");
    assert!(keys(store, b"a", Some(b"b"), 9).is_empty(), "a mark behind the prefix hides all");
    assert_eq!(keys(store, b"\xff", None, 9), [b"\xff\xff"]);
    assert!(keys(store, b"", None, 0).is_empty());
    assert_eq!(keys(store, b"", None, usize::MAX).len(), 7);
}

fn keys(store: &dyn Store, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
    let rows = store.scan(Table::Grants, prefix, after, limit).unwrap();
    let keys = store.keys(Table::Grants, prefix, after, limit).unwrap();
    assert!(rows.iter().map(|(key, _)| key).eq(&keys), "with and without their rows");
    keys
}

fn a_row_is_replaced_and_deleted(store: &mut dyn Store) {
    put(store, Table::Links, b"l", "one");
    put(store, Table::Links, b"l", "two");
    assert_eq!(text(store.get(Table::Links, b"l").unwrap()).unwrap(), "two");
    for _ in 0..2 {
        let mut draft = Draft::new(store);
        draft.delete(Table::Links, b"l").unwrap();
        let writes = draft.into_writes();
        store.apply(writes).unwrap();
        assert!(store.get(Table::Links, b"l").unwrap().is_none());
    }
}

fn the_largest_row_and_key_fit(store: &mut dyn Store) {
    let key = [7; MAX_KEY_BYTES];
    let mut draft = Draft::new(store);
    draft.put(Table::Documents, &key, Row::new(vec![1; MAX_ROW_BYTES])).unwrap();
    assert_eq!(draft.put(Table::Documents, &key, Row::new(vec![1; MAX_ROW_BYTES + 1])), Err(StoreError::RowTooLarge));
    assert_eq!(draft.delete(Table::Documents, &[7; MAX_KEY_BYTES + 1]), Err(StoreError::KeyTooLong));
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    assert_eq!(store.get(Table::Documents, &key).unwrap().unwrap().as_bytes().len(), MAX_ROW_BYTES);
}

#[derive(Clone, Debug)]
enum Step {
    Put(Table, Vec<u8>, Vec<u8>),
    Delete(Table, Vec<u8>),
    Flush,
    Crash,
    Scan(Table, Vec<u8>, Option<Vec<u8>>, usize),
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(Table::Settings), Just(Table::Audit), Just(Table::Sequences)]
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(1), Just(255)], 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (table(), key(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(t, k, v)| Step::Put(t, k, v)),
        2 => (table(), key()).prop_map(|(t, k)| Step::Delete(t, k)),
        1 => Just(Step::Flush),
        1 => Just(Step::Crash),
        3 => (table(), key(), prop::option::of(key()), 0..5_usize).prop_map(|(t, p, a, l)| Step::Scan(t, p, a, l)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_alike_through_flushes_and_crashes(steps in prop::collection::vec(step(), 1..60)) {
        let place = TempDir::new().unwrap();
        let mut memory = MemoryStore::new();
        let mut sqlite = Some(fresh_database(place.path()));
        for step in steps {
            let disk = sqlite.as_mut().unwrap();
            match step {
                Step::Put(table, key, value) => {
                    both(&mut memory, disk, |draft| draft.put(table, &key, Row::new(value.clone())));
                }
                Step::Delete(table, key) => both(&mut memory, disk, |draft| draft.delete(table, &key)),
                Step::Flush => {
                    memory.flush().unwrap();
                    disk.flush().unwrap();
                }
                Step::Crash => {
                    memory.crash();
                    drop(sqlite.take());
                    sqlite = Some(reopened_database(place.path()));
                }
                Step::Scan(table, prefix, after, limit) => prop_assert_eq!(
                    memory.scan(table, &prefix, after.as_deref(), limit),
                    disk.scan(table, &prefix, after.as_deref(), limit)
                ),
            }
        }
        let disk = sqlite.as_ref().unwrap();
        for table in Table::ALL {
            prop_assert_eq!(memory.scan(table, b"", None, 1000), disk.scan(table, b"", None, 1000));
        }
    }
}

fn both(memory: &mut MemoryStore, disk: &mut dyn Store, write: impl Fn(&mut Draft<'_>) -> Result<(), StoreError>) {
    for store in [memory as &mut dyn Store, disk] {
        let mut draft = Draft::new(store);
        write(&mut draft).unwrap();
        let writes = draft.into_writes();
        store.apply(writes).unwrap();
    }
}
