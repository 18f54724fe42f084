use super::*;

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    Folder::open(folder.path()).unwrap().key().unwrap();
    for (mode, refused) in [(0o640, true), (0o604, true), (0o620, true), (0o400, false), (0o600, false)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path().join("relay.key"), permissions).unwrap();
        let read = read_key(folder.path());
        assert_eq!(matches!(read, Err(FolderError::ExposedKey)), refused, "{mode:o}");
        assert_eq!(read.is_ok(), !refused, "{mode:o}");
    }
}

/// Whoever put a file where the key is first written could have kept it open, or have made it readable.
#[cfg(unix)]
#[test]
fn a_key_is_written_into_a_file_of_its_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let others = elsewhere.path().join("others");
    std::fs::write(&others, b"before").unwrap();
    std::os::unix::fs::symlink(&others, folder.path().join("relay.key.new")).unwrap();
    Folder::open(folder.path()).unwrap().key().unwrap();
    assert_eq!(std::fs::read(&others).unwrap(), b"before");
    let key = std::fs::symlink_metadata(folder.path().join("relay.key")).unwrap();
    assert_eq!((key.is_file(), key.permissions().mode() & 0o777), (true, 0o600));
}

#[test]
fn a_folder_is_made_with_all_it_lies_in() {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("a").join("b").join("c");
    Folder::open(&inner).unwrap().key().unwrap();
    assert!(read_key(&inner).is_ok());
}

#[test]
fn a_key_is_made_once_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let first = Folder::open(folder.path()).unwrap().key().unwrap().hash();
    assert_eq!(Folder::open(folder.path()).unwrap().key().unwrap().hash(), first);
    assert_eq!(read_key(folder.path()).unwrap().hash(), first);
}

#[test]
fn a_key_file_with_any_flipped_bit_or_length_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    Folder::open(folder.path()).unwrap().key().unwrap();
    let path = folder.path().join("relay.key");
    let good = std::fs::read(&path).unwrap();
    let flipped = (0..good.len()).map(|place| {
        let mut bad = good.clone();
        bad[place] ^= 4;
        bad
    });
    let resized = [good[1..].to_vec(), [&good[..], &[0]].concat(), Vec::new()];
    for bad in flipped.chain(resized) {
        std::fs::write(&path, bad).unwrap();
        let again = Folder::open(folder.path()).unwrap().key();
        assert!(matches!(again, Err(FolderError::DamagedKey)));
    }
}

#[test]
fn a_lost_key_is_not_replaced_beside_what_was_served_with_it() {
    for rest in ["spool.db", "relay.url"] {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::open(folder.path()).unwrap();
        opened.key().unwrap();
        opened.spool().unwrap();
        opened.keep_url("url").unwrap();
        for gone in ["relay.key", "spool.db", "relay.url"].iter().filter(|name| **name != rest) {
            std::fs::remove_file(folder.path().join(gone)).unwrap();
        }
        assert!(matches!(opened.key(), Err(FolderError::LostKey)), "{rest}");
        assert!(!folder.path().join("relay.key").exists());
    }
}

#[test]
fn a_url_that_has_not_changed_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Folder::open(folder.path()).unwrap();
    opened.keep_url("url").unwrap();
    // A folder in the way of the second file stands for a disk without room.
    std::fs::create_dir(folder.path().join("relay.url.new")).unwrap();
    assert!(opened.keep_url("url").is_ok());
    assert!(opened.keep_url("another").is_err());
}

#[test]
fn a_folder_is_served_by_one_relay_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_served(folder.path()));
    let first = Folder::open(folder.path()).unwrap();
    assert!(is_served(folder.path()));
    assert!(matches!(Folder::open(folder.path()), Err(FolderError::InUse)));
    drop(first);
    assert!(!is_served(folder.path()));
}

#[cfg(unix)]
#[test]
fn nobody_else_on_the_machine_reads_the_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("relay");
    let folder = Folder::open(&inner).unwrap();
    folder.key().unwrap();
    folder.spool().unwrap();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(inner.clone()), 0o700);
    assert_eq!(mode(inner.join("relay.key")), 0o600);
    assert_eq!(mode(inner.join("spool.db")), 0o600);
}
