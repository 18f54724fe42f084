//! `vault.keys`: the vault key, wrapped once per way to open it, as LUKS does.
//!
//! One slot opens with the passphrase (Argon2id), one with each recovery sheet. A checksum over the file tells damage
//! from a wrong passphrase. The file is replaced whole or not at all, and the vault key itself never changes, so a
//! change of passphrase touches no row. Who kept a copy of the old file can still open it with the old passphrase.

mod format;
mod wrap;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rand_core::CryptoRng;

use self::format::{KeysFile, Slot};
use super::durable;
use super::folder::Folder;
use super::key::{Passphrase, RecoverySecret, VaultKey};

pub use self::wrap::Cost;

/// What opens a vault.
#[derive(Debug)]
pub enum Unlock<'s> {
    /// What the owner types.
    Passphrase(&'s Passphrase),
    /// What stands on a recovery sheet.
    Recovery(&'s RecoverySecret),
}

/// Draws a vault key and writes it into a new folder, wrapped under the passphrase and every recovery secret.
pub fn create_keys(
    folder: &Folder,
    passphrase: &Passphrase,
    cost: Cost,
    recovery: &[RecoverySecret],
    rng: &mut impl CryptoRng,
) -> Result<VaultKey, CreateError> {
    if recovery.len() >= MAX_SLOTS {
        return Err(CreateError::TooManySlots);
    }
    check_new(passphrase, cost)?;
    let path = folder.keys_path();
    if path.try_exists()? {
        return Err(CreateError::Exists);
    }
    let key = VaultKey::generate(rng);
    let mut vault_id = [0; 16];
    rng.fill_bytes(&mut vault_id);
    let mut slots = vec![wrap::with_passphrase(&vault_id, &key, passphrase, cost, rng)?];
    for (secret, sheet) in recovery.iter().zip(1..) {
        slots.push(wrap::with_recovery(&vault_id, &key, sheet, secret, rng));
    }
    write(&path, &KeysFile { vault_id, slots })?;
    Ok(key)
}

/// Opens the vault with the passphrase.
pub fn unlock_with_passphrase(folder: &Folder, passphrase: &Passphrase) -> Result<VaultKey, UnlockError> {
    unlock(folder, &Unlock::Passphrase(passphrase))
}

/// Opens the vault with the secret of any of its recovery sheets.
pub fn unlock_with_recovery(folder: &Folder, secret: &RecoverySecret) -> Result<VaultKey, UnlockError> {
    unlock(folder, &Unlock::Recovery(secret))
}

/// Opens the vault with what there is.
pub fn unlock(folder: &Folder, with: &Unlock<'_>) -> Result<VaultKey, UnlockError> {
    open(&read(&folder.keys_path())?, with)
}

/// Puts a new passphrase in the old one's place, for whoever can open the vault.
pub fn change_passphrase(
    folder: &Folder,
    with: &Unlock<'_>,
    new: &Passphrase,
    cost: Cost,
    rng: &mut impl CryptoRng,
) -> Result<(), ChangeError> {
    check_new(new, cost)?;
    let path = folder.keys_path();
    let mut file = read(&path)?;
    let key = open(&file, with)?;
    let slot = wrap::with_passphrase(&file.vault_id, &key, new, cost, rng)?;
    file.slots.retain(|slot| matches!(slot, Slot::Recovery { .. }));
    file.slots.insert(0, slot);
    write(&path, &file)?;
    Ok(())
}

/// Why the vault does not open.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The file is sound, the passphrase is another.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The file is sound, the sheet belongs to another safe or was mistyped.
    #[error("the recovery secret does not belong to this safe")]
    WrongRecovery,
    /// The file is not what was written.
    #[error("the file of wrapped keys is damaged")]
    Damaged,
    /// Written by a newer release.
    #[error("the file of wrapped keys was written by a newer release")]
    Newer,
    /// There is no such file.
    #[error("the file of wrapped keys is missing")]
    Missing,
    /// Stretching the passphrase needs more memory than there is.
    #[error("there is not enough memory to check the passphrase")]
    OutOfMemory,
    /// The file cannot be read.
    #[error("the file of wrapped keys cannot be read")]
    Io(#[source] io::Error),
}

/// Why the wrapped keys were not written. The old file, if there was one, stands as before.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Below [`MIN_PASSPHRASE_CHARS`].
    #[error("the passphrase is too short")]
    PassphraseTooShort,
    /// Outside the bounds that a reader accepts.
    #[error("the cost of the passphrase is out of bounds")]
    CostOutOfBounds,
    /// More ways to open the vault than the file holds.
    #[error("too many recovery secrets")]
    TooManySlots,
    /// There is such a file already.
    #[error("the file of wrapped keys exists already")]
    Exists,
    /// Stretching the passphrase needs more memory than there is.
    #[error("there is not enough memory to stretch the passphrase")]
    OutOfMemory,
    /// The file cannot be written.
    #[error("the file of wrapped keys cannot be written")]
    Io(#[from] io::Error),
}

/// Why the passphrase was not changed. The old one opens as before.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The vault did not open.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The new file was not written.
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// The shortest passphrase taken for a new slot. Argon2id makes guessing dear, not impossible.
pub const MIN_PASSPHRASE_CHARS: usize = 10;

/// One passphrase, two sheets, and room for what later releases add.
const MAX_SLOTS: usize = 8;

/// Far above the largest file that eight slots make.
const MAX_FILE_BYTES: u64 = 4096;

fn check_new(passphrase: &Passphrase, cost: Cost) -> Result<(), CreateError> {
    if passphrase.expose().chars().count() < MIN_PASSPHRASE_CHARS {
        return Err(CreateError::PassphraseTooShort);
    }
    if cost.is_bounded() { Ok(()) } else { Err(CreateError::CostOutOfBounds) }
}

fn open(file: &KeysFile, with: &Unlock<'_>) -> Result<VaultKey, UnlockError> {
    for slot in &file.slots {
        if let Some(key) = wrap::open(&file.vault_id, slot, with)? {
            return Ok(key);
        }
    }
    Err(match with {
        Unlock::Passphrase(_) => UnlockError::WrongPassphrase,
        Unlock::Recovery(_) => UnlockError::WrongRecovery,
    })
}

fn read(path: &Path) -> Result<KeysFile, UnlockError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound { UnlockError::Missing } else { UnlockError::Io(error) }
    })?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(UnlockError::Io)?;
    KeysFile::decode(&bytes)
}

fn write(path: &Path, file: &KeysFile) -> Result<(), CreateError> {
    Ok(durable::replace(path, &file.encode())?)
}

#[cfg(test)]
mod tests;
