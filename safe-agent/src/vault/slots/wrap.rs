//! How the vault key is wrapped and unwrapped: Argon2id or HKDF to a key, ChaCha20-Poly1305 around the vault key.
//!
//! Every wrap draws a fresh salt, so no wrapping key seals twice; the seal covers the vault id and the slot's own
//! parameters, so a slot fits one vault and one cost.

use argon2::{Algorithm, Argon2, Params, Version};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::format::{Salt, Slot, Wrapped};
use super::{CreateError, Unlock, UnlockError};
use crate::vault::key::{self, OneSeal, Passphrase, RecoverySecret, SecretBytes, VaultKey};

/// What guessing one passphrase costs (Argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes; computed one after another here.
    pub lanes: u32,
}

impl Cost {
    /// What `init` takes: RFC 9106's second recommendation with one lane, about a fifth of a second.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// The least that a slot may have. For tests.
    pub const LOWEST: Self = Self { memory_kib: 8 * 1024, passes: 1, lanes: 1 };

    /// Whether a reader accepts it: an altered file must not make `unlock` take all memory or all day.
    pub(super) fn is_bounded(self) -> bool {
        const MOST: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };
        (Self::LOWEST.memory_kib..=MOST.memory_kib).contains(&self.memory_kib)
            && (Self::LOWEST.passes..=MOST.passes).contains(&self.passes)
            && (Self::LOWEST.lanes..=MOST.lanes).contains(&self.lanes)
    }
}

/// Wraps the vault key under a passphrase.
pub(super) fn with_passphrase(
    vault_id: &[u8; 16],
    key: &VaultKey,
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut impl CryptoRng,
) -> Result<Slot, CreateError> {
    let salt = draw_salt(rng);
    let wrapping = stretch(passphrase, cost, &salt).ok_or(CreateError::OutOfMemory)?;
    let mut slot = Slot::Passphrase { cost, salt, wrapped: UNWRAPPED };
    wrap(vault_id, &mut slot, &wrapping, key);
    Ok(slot)
}

/// Wraps the vault key under the secret of a recovery sheet.
pub(super) fn with_recovery(
    vault_id: &[u8; 16],
    key: &VaultKey,
    sheet: u8,
    secret: &RecoverySecret,
    rng: &mut impl CryptoRng,
) -> Slot {
    let salt = draw_salt(rng);
    let mut slot = Slot::Recovery { sheet, salt, wrapped: UNWRAPPED };
    wrap(vault_id, &mut slot, &recovery_key(secret, &salt), key);
    slot
}

/// Tries one slot. Nothing: the slot is of another kind, or this is not what opens it.
pub(super) fn open(vault_id: &[u8; 16], slot: &Slot, with: &Unlock<'_>) -> Result<Option<VaultKey>, UnlockError> {
    let wrapping = match (slot, with) {
        (Slot::Passphrase { cost, salt, .. }, Unlock::Passphrase(passphrase)) => {
            stretch(passphrase, *cost, salt).ok_or(UnlockError::OutOfMemory)?
        }
        (Slot::Recovery { salt, .. }, Unlock::Recovery(secret)) => recovery_key(secret, salt),
        (Slot::Passphrase { .. }, Unlock::Recovery(_)) | (Slot::Recovery { .. }, Unlock::Passphrase(_)) => {
            return Ok(None);
        }
    };
    let mut body = Zeroizing::new(slot.wrapped().to_vec());
    if one_seal(&wrapping).open(&associated(vault_id, slot), &mut body).is_err() {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(&body);
    Ok(Some(VaultKey::from_bytes(bytes)))
}

fn wrap(vault_id: &[u8; 16], slot: &mut Slot, wrapping: &SecretBytes, key: &VaultKey) {
    let associated = associated(vault_id, slot);
    let mut body = Zeroizing::new(Vec::with_capacity(UNWRAPPED.len()));
    body.extend_from_slice(key.expose());
    one_seal(wrapping).seal(&associated, &mut body);
    match slot {
        Slot::Passphrase { wrapped, .. } | Slot::Recovery { wrapped, .. } => wrapped.copy_from_slice(&body),
    }
}

fn one_seal(wrapping: &SecretBytes) -> OneSeal {
    OneSeal::derive(wrapping, &[b"rohrpost/1 vault slot"])
}

fn associated(vault_id: &[u8; 16], slot: &Slot) -> Vec<u8> {
    [b"rohrpost/1 vault slot".as_slice(), vault_id, &slot.public_bytes()].concat()
}

fn recovery_key(secret: &RecoverySecret, salt: &Salt) -> SecretBytes {
    key::derive(b"rohrpost/1 vault recovery", secret.expose(), &[salt])
}

/// Argon2id; nothing if the memory cannot be had.
fn stretch(passphrase: &Passphrase, cost: Cost, salt: &Salt) -> Option<SecretBytes> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, out.as_mut())
        .ok()?;
    Some(out)
}

fn draw_salt(rng: &mut impl CryptoRng) -> Salt {
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    salt
}

/// Stands where the wrapped key will.
const UNWRAPPED: Wrapped = [0; 48];
