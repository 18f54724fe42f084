use super::*;

/// A copy of the files at some instant is what a kill at that instant leaves.
#[test]
fn a_kill_at_any_step_keeps_what_was_flushed_and_nothing_else() {
    let place = TempDir::new().unwrap();
    let live = place.path().join("live");
    std::fs::create_dir(&live).unwrap();
    let mut store = fresh_database(&live);
    for step in 0..40_u8 {
        put(&mut store, Table::Documents, &[step], "applied");
        assert_eq!(survivors(&live, &place.path().join(format!("applied-{step}"))), keys_below(step));
        store.flush().unwrap();
        assert_eq!(survivors(&live, &place.path().join(format!("flushed-{step}"))), keys_below(step + 1));
    }
}

fn survivors(live: &Path, copy: &Path) -> Vec<Vec<u8>> {
    copy_folder(live, copy);
    let store = reopened_database(copy);
    store.scan(Table::Documents, b"", None, 1000).unwrap().into_iter().map(|(key, _)| key).collect()
}

fn keys_below(end: u8) -> Vec<Vec<u8>> {
    (0..end).map(|key| vec![key]).collect()
}

/// A power cut may leave any part of the log's last write.
#[test]
fn a_log_torn_at_any_byte_keeps_every_commit_before_the_tear() {
    let place = TempDir::new().unwrap();
    let live = place.path().join("live");
    std::fs::create_dir(&live).unwrap();
    let mut store = fresh_database(&live);
    put(&mut store, Table::Documents, b"acknowledged", "x");
    store.flush().unwrap();
    let safe = std::fs::metadata(live.join("vault.db-wal")).unwrap().len();
    let witness = std::fs::read(live.join("vault.witness")).unwrap();
    put(&mut store, Table::Documents, b"in flight", "x");
    store.flush().unwrap();
    let whole = std::fs::metadata(live.join("vault.db-wal")).unwrap().len();
    assert!(whole > safe, "the second commit lies behind the first");
    for (number, length) in (safe..whole).step_by(997).enumerate() {
        let copy = place.path().join(format!("torn-{number}"));
        copy_folder(&live, &copy);
        let log = std::fs::File::options().write(true).open(copy.join("vault.db-wal")).unwrap();
        log.set_len(length).unwrap();
        assert_eq!(reopen(&copy).unwrap_err(), StoreError::SetBack(1), "a commit that was confirmed is missed");
        // The power was cut within the write: nothing had been confirmed yet.
        std::fs::write(copy.join("vault.witness"), &witness).unwrap();
        let found = reopen(&copy).unwrap().scan(Table::Documents, b"", None, 9).unwrap();
        assert_eq!(found.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [b"acknowledged"]);
    }
}
