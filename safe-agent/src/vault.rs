//! The safe's data at rest: sealed rows in one table, sealed documents beside it, and the keys that open both.
//!
//! Request handling sees a [`Draft`] over a [`Store`] and nothing else; a [`Keeper`] owns the store and answers only
//! after durability. On disk a [`Folder`] holds `vault.keys` (the vault key, wrapped), `vault.db` (rows), `vault.witness`
//! (how many commits were confirmed) and `content/` (documents). The invariant: a copy of the folder shows counts, size classes and random ids, never a
//! name, a title or content. The bytes are written down in `docs/storage-format.md`.

mod condition;
mod content;
mod draft;
mod durable;
mod folder;
mod keeper;
mod key;
mod memory;
mod sealing;
mod slots;
mod sqlite;
mod store;
mod trouble;
mod witness;

#[cfg(test)]
mod tests;

pub use condition::{Condition, Structure};
pub use content::{
    ContentDigest, ContentError, ContentId, ContentReader, ContentWriter, Swept, remove_content, sweep_content,
};
pub use draft::{Draft, MAX_WRITES, WriteSet};
pub use folder::{Folder, FolderError, NewFolder};
pub use keeper::{BATCH_JOBS, Counts, Keeper, QUEUE_JOBS, VaultHandle};
pub use key::{Passphrase, RecoverySecret, VaultKey};
pub use memory::MemoryStore;
pub use slots::{
    ChangeError, Cost, CreateError, MIN_PASSPHRASE_CHARS, Unlock, UnlockError, change_passphrase, create_keys, unlock,
    unlock_with_passphrase, unlock_with_recovery,
};
pub use sqlite::SqliteStore;
pub use store::{MAX_KEY_BYTES, MAX_ROW_BYTES, Row, Store, StoreError, Table};
pub use trouble::{Fault, Trouble};
pub use witness::Standing;

/// The operating system's generator as the pure parts take it. For drivers and mains.
pub type SystemRng = rand_core::UnwrapErr<getrandom::SysRng>;

/// Hands out the operating system's generator.
pub fn system_rng() -> SystemRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}
