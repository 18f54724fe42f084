use tempfile::TempDir;

use super::*;
use crate::vault::tests::fresh_folder;
use crate::vault::{SqliteStore, VaultKey, system_rng};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_folder_and_all_in_it_are_the_owners_alone() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    assert_eq!(mode(folder.path()), 0o700);
    assert_eq!(mode(&folder.content_path()), 0o700);
    assert_eq!(mode(&folder.path().join("lock")), 0o600);
}

#[test]
fn a_folder_that_others_could_enter_is_narrowed() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let folder = Folder::create(&path).unwrap().finish().unwrap();
    assert_eq!(mode(&path), 0o700);
    fs::write(folder.keys_path(), b"k").unwrap();
    drop(folder);
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    Folder::open(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
}

#[test]
fn a_folder_with_anything_foreign_in_it_is_refused_and_left_alone() {
    let place = TempDir::new().unwrap();
    for name in ["letter.odt", "vault.db", "content", ".hidden"] {
        let path = place.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join(name), b"theirs").unwrap();
        assert!(matches!(Folder::create(&path), Err(FolderError::NotEmpty)), "{name}");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "not even a lock was left");
    }
}

#[test]
fn a_vault_is_never_made_over_another() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    fs::write(folder.keys_path(), b"k").unwrap();
    let path = folder.path().to_path_buf();
    drop(folder);
    assert!(matches!(Folder::create(&path), Err(FolderError::AlreadyAVault)));
    assert_eq!(fs::read(path.join("vault.keys")).unwrap(), b"k");
}

#[test]
fn a_vault_that_lost_its_keys_is_not_overwritten() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    fs::write(folder.database_path(), b"d").unwrap();
    let path = folder.path().to_path_buf();
    drop(folder);
    assert!(matches!(Folder::open(&path), Err(FolderError::NotAVault)));
    assert!(matches!(Folder::create(&path), Err(FolderError::NotEmpty)));
    assert_eq!(fs::read(path.join("vault.db")).unwrap(), b"d");
}

#[test]
fn an_init_that_was_cut_off_does_not_open_and_may_be_run_again() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    let cut_off = Folder::create(&path).unwrap();
    fs::write(cut_off.folder().keys_path(), b"half").unwrap();
    fs::write(path.join("vault.db-wal"), b"half").unwrap();
    fs::write(cut_off.folder().content_path().join("half"), b"half").unwrap();
    drop(cut_off);
    assert!(matches!(Folder::open(&path), Err(FolderError::Unfinished)));

    let again = Folder::create(&path).unwrap();
    assert!(!again.folder().keys_path().exists());
    assert!(!path.join("vault.db-wal").exists());
    assert_eq!(fs::read_dir(again.folder().content_path()).unwrap().count(), 0);
    fs::write(again.folder().keys_path(), b"k").unwrap();
    drop(again.finish().unwrap());
    Folder::open(&path).unwrap();
}

#[test]
fn a_foreign_file_in_an_unfinished_folder_is_not_removed() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    drop(Folder::create(&path).unwrap());
    fs::write(path.join("letter.odt"), b"theirs").unwrap();
    assert!(matches!(Folder::create(&path), Err(FolderError::NotEmpty)));
    assert!(path.join("letter.odt").exists());
}

#[test]
fn one_process_alone_has_the_folder_open() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    fs::write(folder.keys_path(), b"k").unwrap();
    let path = folder.path().to_path_buf();
    assert!(matches!(Folder::open(&path), Err(FolderError::AlreadyOpen)));
    drop(folder);
    Folder::open(&path).unwrap();
}

#[test]
fn two_that_make_the_same_folder_do_not_meet() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    let first = Folder::create(&path).unwrap();
    assert!(matches!(Folder::create(&path), Err(FolderError::AlreadyOpen)));
    drop(first);
}

#[test]
fn a_folder_that_is_not_there_or_holds_no_vault_says_so() {
    let place = TempDir::new().unwrap();
    assert!(matches!(Folder::open(&place.path().join("nowhere")), Err(FolderError::Missing)));
    assert!(matches!(Folder::open(place.path()), Err(FolderError::NotAVault)));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "looking leaves nothing behind");
}

#[test]
fn a_fresh_file_systems_own_folder_does_not_count() {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("lost+found")).unwrap();
    Folder::create(place.path()).unwrap().finish().unwrap();
    assert!(place.path().join("lost+found").exists());
}

#[test]
fn an_empty_content_folder_that_a_restore_dropped_is_made_again() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    fs::write(folder.keys_path(), b"k").unwrap();
    fs::remove_dir(folder.content_path()).unwrap();
    let path = folder.path().to_path_buf();
    drop(folder);
    assert!(Folder::open(&path).unwrap().content_path().is_dir());
}

#[test]
fn a_folder_behind_a_symbolic_link_is_made_and_opened_where_it_lies() {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("disk")).unwrap();
    std::os::unix::fs::symlink(place.path().join("disk"), place.path().join("srv")).unwrap();
    let path = place.path().join("srv/safe");
    let key = VaultKey::generate(&mut system_rng());
    let folder = Folder::create(&path).unwrap().finish().unwrap();
    fs::write(folder.keys_path(), b"k").unwrap();
    drop(SqliteStore::create(&folder.database_path(), &key, system_rng()).unwrap());
    drop(folder);
    let folder = Folder::open(&path).unwrap();
    SqliteStore::open(&folder.database_path(), &key, system_rng()).unwrap();
    assert_eq!(folder.path(), fs::canonicalize(place.path().join("disk/safe")).unwrap());
}

/// Root ran a command on the folder of a safe that was not served, and left files that the safe could not read.
#[test]
fn a_folder_of_another_user_is_refused_and_left_alone() {
    let place = TempDir::new().unwrap();
    // Whoever is not root has a folder of another user in the root of the file system.
    let theirs = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(place.path(), Some(12_345), None).unwrap();
        place.path()
    } else {
        Path::new("/")
    };
    assert!(matches!(Folder::open(theirs), Err(FolderError::NotYours)));
    assert!(matches!(Folder::create(theirs), Err(FolderError::NotYours)));
    assert!(!theirs.join("lock").exists());
}
