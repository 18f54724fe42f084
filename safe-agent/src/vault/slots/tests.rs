use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::vault::tests::{fresh_folder, rng};

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into())
}

fn sheet(byte: u8) -> RecoverySecret {
    RecoverySecret::from_bytes([byte; 32])
}

/// A folder whose vault opens with "old passphrase" and with sheets 1 and 2.
fn made(place: &TempDir) -> (Folder, VaultKey) {
    let folder = fresh_folder(place);
    let key =
        create_keys(&folder, &passphrase("old passphrase"), Cost::LOWEST, &[sheet(1), sheet(2)], &mut rng(1)).unwrap();
    (folder, key)
}

#[test]
fn the_passphrase_and_each_sheet_open_the_same_key() {
    let place = TempDir::new().unwrap();
    let (folder, key) = made(&place);
    let opened = [
        unlock_with_passphrase(&folder, &passphrase("old passphrase")).unwrap(),
        unlock_with_recovery(&folder, &sheet(1)).unwrap(),
        unlock_with_recovery(&folder, &sheet(2)).unwrap(),
    ];
    for other in opened {
        assert_eq!(other.expose(), key.expose());
    }
}

#[test]
fn a_wrong_passphrase_and_a_wrong_sheet_say_so() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    for wrong in ["old passphrasE", "old passphrase ", "", "old passphrase\0"] {
        let refused = unlock_with_passphrase(&folder, &passphrase(wrong));
        assert!(matches!(refused, Err(UnlockError::WrongPassphrase)), "{wrong:?}");
    }
    assert!(matches!(unlock_with_recovery(&folder, &sheet(3)), Err(UnlockError::WrongRecovery)));
}

#[test]
fn every_flipped_bit_is_damage_and_never_a_wrong_passphrase() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    let sound = std::fs::read(folder.keys_path()).unwrap();
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(matches!(opens_with(&folder, &flipped), Err(UnlockError::Damaged)), "byte {at}");
    }
    for length in 0..sound.len() {
        assert!(matches!(opens_with(&folder, &sound[..length]), Err(UnlockError::Damaged)), "{length} bytes");
    }
    assert!(matches!(opens_with(&folder, &vec![b'x'; 100_000]), Err(UnlockError::Damaged)));
    opens_with(&folder, &sound).unwrap();
}

fn opens_with(folder: &Folder, bytes: &[u8]) -> Result<VaultKey, UnlockError> {
    std::fs::write(folder.keys_path(), bytes).unwrap();
    unlock_with_passphrase(folder, &passphrase("old passphrase"))
}

#[test]
fn a_missing_file_says_so() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    assert!(matches!(unlock_with_recovery(&folder, &sheet(1)), Err(UnlockError::Missing)));
}

#[test]
fn a_slot_fits_no_other_vault_and_no_other_cost() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    let sound = KeysFile::decode(&std::fs::read(folder.keys_path()).unwrap()).unwrap();

    let mut moved = sound.clone();
    moved.vault_id[0] ^= 1;
    assert!(matches!(opens_with(&folder, &moved.encode()), Err(UnlockError::WrongPassphrase)));
    assert!(matches!(unlock_with_recovery(&folder, &sheet(1)), Err(UnlockError::WrongRecovery)));

    let mut renumbered = sound;
    let Slot::Recovery { sheet: number, .. } = &mut renumbered.slots[1] else { panic!("the second slot is a sheet's") };
    *number = 9;
    opens_with(&folder, &renumbered.encode()).unwrap();
    assert!(matches!(unlock_with_recovery(&folder, &sheet(1)), Err(UnlockError::WrongRecovery)));
}

#[test]
fn a_changed_passphrase_replaces_the_old_one_and_leaves_key_and_sheets() {
    let place = TempDir::new().unwrap();
    let (folder, key) = made(&place);
    let old = passphrase("old passphrase");
    change_passphrase(&folder, &Unlock::Passphrase(&old), &passphrase("new passphrase"), Cost::LOWEST, &mut rng(2))
        .unwrap();
    assert!(matches!(unlock_with_passphrase(&folder, &old), Err(UnlockError::WrongPassphrase)));
    assert_eq!(unlock_with_passphrase(&folder, &passphrase("new passphrase")).unwrap().expose(), key.expose());
    assert_eq!(unlock_with_recovery(&folder, &sheet(2)).unwrap().expose(), key.expose());
}

#[test]
fn a_sheet_sets_a_new_passphrase_when_the_old_one_is_lost() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    let new = passphrase("new passphrase");
    change_passphrase(&folder, &Unlock::Recovery(&sheet(2)), &new, Cost::LOWEST, &mut rng(2)).unwrap();
    unlock_with_passphrase(&folder, &new).unwrap();
}

#[test]
fn a_change_that_is_refused_changes_nothing() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    let before = std::fs::read(folder.keys_path()).unwrap();
    let wrong = passphrase("wrong passphrase");
    let old = passphrase("old passphrase");
    let new = passphrase("new passphrase");
    let refused = change_passphrase(&folder, &Unlock::Passphrase(&wrong), &new, Cost::LOWEST, &mut rng(2));
    assert!(matches!(refused, Err(ChangeError::Unlock(UnlockError::WrongPassphrase))));
    let short = passphrase("neun zei.");
    let refused = change_passphrase(&folder, &Unlock::Passphrase(&old), &short, Cost::LOWEST, &mut rng(2));
    assert!(matches!(refused, Err(ChangeError::Create(CreateError::PassphraseTooShort))));
    assert_eq!(std::fs::read(folder.keys_path()).unwrap(), before);
}

#[test]
fn what_a_cut_off_change_left_is_in_nobodys_way() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    std::fs::write(folder.path().join("vault.keys.new"), b"half").unwrap();
    let old = passphrase("old passphrase");
    unlock_with_passphrase(&folder, &old).unwrap();
    change_passphrase(&folder, &Unlock::Passphrase(&old), &passphrase("new passphrase"), Cost::LOWEST, &mut rng(2))
        .unwrap();
    assert!(!folder.path().join("vault.keys.new").exists());
}

#[test]
fn keys_are_made_once_for_their_owner_alone() {
    let place = TempDir::new().unwrap();
    let (folder, _) = made(&place);
    let mode = std::fs::metadata(folder.keys_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = create_keys(&folder, &passphrase("old passphrase"), Cost::LOWEST, &[], &mut rng(1));
    assert!(matches!(again, Err(CreateError::Exists)));
}

#[test]
fn what_no_reader_would_accept_is_not_written() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    let good = passphrase("old passphrase");
    let cheap = Cost { memory_kib: 8 * 1024 - 1, ..Cost::LOWEST };
    let endless = Cost { passes: 17, ..Cost::STANDARD };
    for cost in [cheap, endless] {
        assert!(matches!(create_keys(&folder, &good, cost, &[], &mut rng(1)), Err(CreateError::CostOutOfBounds)));
    }
    let sheets: Vec<_> = (0..8).map(sheet).collect();
    let refused = create_keys(&folder, &good, Cost::LOWEST, &sheets, &mut rng(1));
    assert!(matches!(refused, Err(CreateError::TooManySlots)));
    assert!(!folder.keys_path().exists());
    create_keys(&folder, &good, Cost::LOWEST, &sheets[..7], &mut rng(1)).unwrap();
    unlock_with_recovery(&folder, &sheet(6)).unwrap();
}

#[test]
fn the_standard_cost_opens_what_it_sealed() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    let key = create_keys(&folder, &passphrase("old passphrase"), Cost::STANDARD, &[], &mut rng(1)).unwrap();
    let opened = unlock_with_passphrase(&folder, &passphrase("old passphrase")).unwrap();
    assert_eq!(opened.expose(), key.expose());
}
