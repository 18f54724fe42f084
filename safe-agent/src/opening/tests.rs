use tempfile::TempDir;

use super::*;
use crate::testing::{START, relay};

fn passphrase() -> Passphrase {
    Passphrase::new("an invented passphrase".into())
}

fn make(path: &Path) -> Result<NewSafe, Trouble> {
    create(path, &passphrase(), Cost::LOWEST, "Practice on the Hill", &relay(), START)
}

fn unlock_with(path: &Path) -> Result<OpenVault, Trouble> {
    open(path, &Unlock::Passphrase(&passphrase()))
}

/// The vault was final before its sheets were out: whoever could not read them had a safe without root keys.
#[test]
fn a_safe_whose_sheets_never_got_out_does_not_exist_and_is_made_anew() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    let lost = make(&path).unwrap().roots().root.public();
    let refused = unlock_with(&path).unwrap_err();
    assert!(matches!(refused.fault(), Fault::Folder(FolderError::Unfinished)), "{refused}");

    let new = make(&path).unwrap();
    assert!(new.roots().root.public() != lost, "with keys of its own");
    new.finish().unwrap();
    unlock_with(&path).unwrap();
}
