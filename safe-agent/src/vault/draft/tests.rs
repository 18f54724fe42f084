use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::vault::tests::{put, row, text};
use crate::vault::{MAX_WRITES, MemoryStore};

#[test]
fn a_draft_reads_what_it_wrote_and_the_store_does_not() {
    let mut store = MemoryStore::new();
    put(&mut store, Table::Links, b"old", "before");
    let mut draft = Draft::new(&store);
    draft.put(Table::Links, b"old", row("after")).unwrap();
    draft.put(Table::Links, b"new", row("new")).unwrap();
    assert_eq!(text(draft.get(Table::Links, b"old").unwrap()).unwrap(), "after");
    assert_eq!(text(draft.get(Table::Links, b"new").unwrap()).unwrap(), "new");
    drop(draft);
    assert_eq!(text(store.get(Table::Links, b"old").unwrap()).unwrap(), "before");
    assert!(store.get(Table::Links, b"new").unwrap().is_none());
}

#[test]
fn a_deleted_row_is_gone_from_the_draft() {
    let mut store = MemoryStore::new();
    put(&mut store, Table::Links, b"k", "v");
    let mut draft = Draft::new(&store);
    draft.delete(Table::Links, b"k").unwrap();
    assert!(draft.get(Table::Links, b"k").unwrap().is_none());
    assert!(draft.scan(Table::Links, b"", None, 9).unwrap().is_empty());
}

#[test]
fn a_draft_that_only_reads_has_nothing_to_apply() {
    let store = MemoryStore::new();
    let draft = Draft::new(&store);
    assert!(draft.get(Table::Links, b"k").unwrap().is_none());
    assert!(draft.into_writes().is_empty());
}

#[test]
fn a_draft_without_end_is_refused() {
    let store = MemoryStore::new();
    let mut draft = Draft::new(&store);
    for number in 0..MAX_WRITES {
        draft.delete(Table::Seen, &number.to_be_bytes()).unwrap();
    }
    assert_eq!(draft.delete(Table::Seen, b"one more"), Err(StoreError::TooManyWrites));
}

#[test]
fn a_poisoned_store_shows_through_the_draft() {
    let mut store = MemoryStore::new();
    store.fail_next_flush(StoreError::Unavailable(1));
    store.flush().unwrap_err();
    let draft = Draft::new(&store);
    assert_eq!(draft.get(Table::Links, b"k"), Err(StoreError::Poisoned));
    assert_eq!(draft.scan(Table::Links, b"", None, 1), Err(StoreError::Poisoned));
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(7), Just(255)], 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_merges_own_writes_and_deletes_as_if_they_were_applied(
        base in prop::collection::btree_map(key(), 0..9_u8, 0..20),
        own in prop::collection::btree_map(key(), prop::option::of(10..19_u8), 0..20),
        prefix in key(),
        after in prop::option::of(key()),
        limit in 0..7_usize,
    ) {
        let mut store = MemoryStore::new();
        for (key, value) in &base {
            put(&mut store, Table::Grants, key, &value.to_string());
        }
        let mut draft = Draft::new(&store);
        let mut model: BTreeMap<_, _> = base.iter().map(|(key, value)| (key.clone(), row(&value.to_string()))).collect();
        for (key, value) in own {
            if let Some(value) = value {
                draft.put(Table::Grants, &key, row(&value.to_string())).unwrap();
                model.insert(key, row(&value.to_string()));
            } else {
                draft.delete(Table::Grants, &key).unwrap();
                model.remove(&key);
            }
        }
        let expected: Vec<_> = model
            .into_iter()
            .filter(|(key, _)| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| key > after))
            .take(limit)
            .collect();
        prop_assert_eq!(draft.scan(Table::Grants, &prefix, after.as_deref(), limit).unwrap(), expected);
    }
}
