use super::*;

#[test]
fn every_fault_is_a_sentence_that_names_the_file_and_what_to_do() {
    let all: Vec<Fault> = vec![
        FolderError::AlreadyOpen.into(),
        FolderError::AlreadyAVault.into(),
        FolderError::NotEmpty.into(),
        FolderError::Missing.into(),
        FolderError::NotYours.into(),
        FolderError::NotAVault.into(),
        FolderError::Unfinished.into(),
        FolderError::Io(unreadable()).into(),
        UnlockError::WrongPassphrase.into(),
        UnlockError::WrongRecovery.into(),
        UnlockError::Damaged.into(),
        UnlockError::Newer.into(),
        UnlockError::Missing.into(),
        UnlockError::OutOfMemory.into(),
        UnlockError::Io(unreadable()).into(),
        CreateError::PassphraseTooShort.into(),
        CreateError::Exists.into(),
        CreateError::Io(unreadable()).into(),
        StoreError::Poisoned.into(),
        StoreError::DiskFull.into(),
        StoreError::Damaged.into(),
        StoreError::Foreign.into(),
        StoreError::WrongKey.into(),
        StoreError::SetBack(3).into(),
        StoreError::Unavailable(14).into(),
        ContentError::Damaged.into(),
        ContentError::Missing.into(),
        ContentError::DiskFull.into(),
    ];
    for fault in all {
        let remedy = fault.remedy();
        let sentence = Trouble::new("/srv/safe/vault.db", fault).to_string();
        assert!(sentence.starts_with("/srv/safe/vault.db: "), "{sentence}");
        assert!(remedy.len() > 10 && sentence.ends_with(remedy), "{sentence}");
    }
}

#[test]
fn a_wrong_passphrase_reads_as_one() {
    let trouble = Trouble::new("/srv/safe/vault.keys", UnlockError::WrongPassphrase);
    assert_eq!(
        trouble.to_string(),
        "/srv/safe/vault.keys: the passphrase is wrong; type it again, or unlock with a recovery sheet"
    );
}

#[test]
fn a_full_disk_reads_alike_wherever_it_is_met() {
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let faults: [Fault; 5] = [
        FolderError::Io(full()).into(),
        CreateError::Io(full()).into(),
        ChangeError::Create(CreateError::Io(full())).into(),
        StoreError::DiskFull.into(),
        ContentError::from(full()).into(),
    ];
    for fault in faults {
        assert_eq!(fault.remedy(), "free some space and try again; nothing was lost");
    }
}

fn unreadable() -> std::io::Error {
    std::io::Error::from(std::io::ErrorKind::PermissionDenied)
}
