//! The bytes of `vault.keys`, one way to write them and none besides.
//!
//! `version ‖ vault id (16) ‖ count ‖ slots ‖ checksum (32)`, numbers big-endian. The checksum finds accidents; that
//! nobody altered a slot is seen by its seal.

use ring::digest;

use super::wrap::Cost;
use super::{MAX_SLOTS, UnlockError};

/// What `vault.keys` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeysFile {
    /// Random, so that no slot fits another vault.
    pub(super) vault_id: [u8; 16],
    /// At least one.
    pub(super) slots: Vec<Slot>,
}

/// One way to open the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// With the passphrase, stretched at this cost.
    Passphrase { cost: Cost, salt: Salt, wrapped: Wrapped },
    /// With the secret on the sheet of this number.
    Recovery { sheet: u8, salt: Salt, wrapped: Wrapped },
}

pub(super) type Salt = [u8; 16];
/// The vault key, sealed: 32 bytes and the tag.
pub(super) type Wrapped = [u8; 48];

impl KeysFile {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![KEYS_VERSION];
        out.extend_from_slice(&self.vault_id);
        out.extend(u8::try_from(self.slots.len()));
        for slot in &self.slots {
            out.extend_from_slice(&slot.public_bytes());
            out.extend_from_slice(slot.wrapped());
        }
        let checksum = checksum(&out);
        out.extend_from_slice(checksum.as_ref());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, UnlockError> {
        let (said, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(UnlockError::Damaged)?;
        if checksum(said).as_ref() != found {
            return Err(UnlockError::Damaged);
        }
        let mut cursor = Cursor(said);
        if cursor.byte()? != KEYS_VERSION {
            return Err(UnlockError::Newer);
        }
        let vault_id = cursor.array()?;
        let count = cursor.byte()?;
        if count == 0 || usize::from(count) > MAX_SLOTS {
            return Err(UnlockError::Damaged);
        }
        let slots = (0..count).map(|_| Slot::decode(&mut cursor)).collect::<Result<_, _>>()?;
        if cursor.0.is_empty() { Ok(Self { vault_id, slots }) } else { Err(UnlockError::Damaged) }
    }
}

impl Slot {
    /// Everything but the wrapped key: what the seal covers besides it.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::Passphrase { cost, salt, .. } => {
                let [memory, passes, lanes] = [cost.memory_kib, cost.passes, cost.lanes].map(u32::to_be_bytes);
                [&[PASSPHRASE], memory.as_slice(), &passes, &lanes, salt].concat()
            }
            Self::Recovery { sheet, salt, .. } => [&[RECOVERY, *sheet], salt.as_slice()].concat(),
        }
    }

    pub(super) fn wrapped(&self) -> &Wrapped {
        match self {
            Self::Passphrase { wrapped, .. } | Self::Recovery { wrapped, .. } => wrapped,
        }
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<Self, UnlockError> {
        match cursor.byte()? {
            PASSPHRASE => {
                let [memory_kib, passes, lanes] = [cursor.number()?, cursor.number()?, cursor.number()?];
                let cost = Cost { memory_kib, passes, lanes };
                if !cost.is_bounded() {
                    return Err(UnlockError::Damaged);
                }
                Ok(Self::Passphrase { cost, salt: cursor.array()?, wrapped: cursor.array()? })
            }
            RECOVERY => Ok(Self::Recovery { sheet: cursor.byte()?, salt: cursor.array()?, wrapped: cursor.array()? }),
            // The checksum fits, so somebody wrote this on purpose.
            _ => Err(UnlockError::Newer),
        }
    }
}

struct Cursor<'b>(&'b [u8]);

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnlockError> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(UnlockError::Damaged)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, UnlockError> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, UnlockError> {
        self.array().map(u32::from_be_bytes)
    }
}

fn checksum(bytes: &[u8]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"rohrpost/1 vault.keys");
    context.update(bytes);
    context.finish()
}

const KEYS_VERSION: u8 = 1;
const PASSPHRASE: u8 = 1;
const RECOVERY: u8 = 2;
const CHECKSUM_BYTES: usize = 32;

#[cfg(test)]
mod tests;
