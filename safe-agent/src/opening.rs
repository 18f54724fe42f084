//! Making a vault and opening one: folder, keys, rows, documents, in that order.

pub mod loss;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rohrpost_wire::{RelayAddress, Timestamp};

use crate::identity::{self, RootKeys};
use crate::rows::DocumentRow;
use crate::rows::{self, Stored as _};
use crate::vault::{
    Condition, ContentId, Cost, Draft, Fault, Folder, FolderError, Keeper, MemoryStore, NewFolder, Passphrase,
    RecoverySecret, SqliteStore, Store, StoreError, Structure, Trouble, Unlock, VaultKey, create_keys, sweep_content,
    system_rng, unlock,
};

/// An open vault. Dropping it closes it.
#[derive(Debug)]
pub struct OpenVault {
    /// Where it lies; its lock is held.
    pub folder: Arc<Folder>,
    /// Owns its rows.
    pub keeper: Keeper,
    /// What was found when it was opened.
    pub condition: Condition,
}

/// A safe that is written and does not exist yet: its root keys are nowhere else, so it counts only once they have
/// reached paper. Dropped before that, it leaves a folder in which `init` starts anew.
#[derive(Debug)]
#[must_use = "a safe that is not finished is none"]
pub struct NewSafe {
    path: PathBuf,
    place: NewFolder,
    roots: RootKeys,
}

impl NewSafe {
    /// What goes on paper.
    pub fn roots(&self) -> &RootKeys {
        &self.roots
    }

    /// Makes it exist, now that the root keys are with its owner.
    pub fn finish(self) -> Result<(), Trouble> {
        self.place.finish().map(drop).map_err(|error| Trouble::new(self.path, error))
    }
}

/// Writes a new safe into an empty folder.
pub fn create(
    path: &Path,
    passphrase: &Passphrase,
    cost: Cost,
    practice: &str,
    relay: &RelayAddress,
    now: Timestamp,
) -> Result<NewSafe, Trouble> {
    let mut rng = system_rng();
    let new = Folder::create(path).map_err(|error| Trouble::new(path, error))?;
    let folder = new.folder();
    let database = folder.database_path();
    let store_trouble = |error: StoreError| Trouble::new(database.clone(), error);

    // The sheets open the vault too, so the root keys come before the vault key, and the rows they sign wait in memory.
    let scratch = MemoryStore::new();
    let mut draft = Draft::new(&scratch);
    let roots = identity::found(&mut draft, practice, relay, now, &mut rng).map_err(store_trouble)?;
    identity::top_up(&mut draft, now, &mut rng).map_err(store_trouble)?;
    let sheets = [&roots.root, &roots.next_root].map(|key| RecoverySecret::from_bytes(*key.expose().expose()));

    let keys_path = folder.keys_path();
    let key =
        create_keys(folder, passphrase, cost, &sheets, &mut rng).map_err(|error| Trouble::new(keys_path, error))?;
    let mut store = SqliteStore::create(&database, &key, rng).map_err(store_trouble)?;
    store.apply(draft.into_writes()).and_then(|()| store.flush()).map_err(store_trouble)?;
    drop(store);
    Ok(NewSafe { path: path.to_owned(), place: new, roots })
}

/// Opens a vault and sweeps away what an interrupted import left, unless rows may be hidden.
pub fn open(path: &Path, with: &Unlock<'_>) -> Result<OpenVault, Trouble> {
    let (folder, key) = unlocked(path, with)?;
    let database = folder.database_path();
    let store = SqliteStore::open(&database, &key, system_rng()).map_err(|error| Trouble::new(&database, error))?;
    let condition = store.condition();
    // A file whose row is hidden must not be taken for one that no row names.
    if condition.structure == Structure::Sound {
        sweep(&folder, &store);
    }
    Ok(OpenVault { folder: Arc::new(folder), keeper: Keeper::start(Box::new(store)), condition })
}

fn unlocked(path: &Path, with: &Unlock<'_>) -> Result<(Folder, VaultKey), Trouble> {
    let folder = Folder::open(path).map_err(|error| Trouble::new(path, error))?;
    let key = unlock(&folder, with).map_err(|error| Trouble::new(folder.keys_path(), error))?;
    Ok((folder, key))
}

/// Whether a vault could not be opened because another process has it open.
pub fn is_open_elsewhere(trouble: &Trouble) -> bool {
    matches!(trouble.fault(), Fault::Folder(FolderError::AlreadyOpen))
}

/// What a try came to.
#[derive(Debug)]
pub enum Attempt<T> {
    /// This is it.
    Done(T),
    /// This, unless another try helps.
    Again(T),
}

/// Tries for as long as a command holds a vault: a safe that starts and a command that runs meet now and then, and
/// neither is a reason to fail. Blocks.
pub fn patiently<T>(mut attempt: impl FnMut() -> Attempt<T>) -> T {
    // Shorter than the gap between two commands of a script, so that a starting safe finds one.
    const PAUSE: Duration = Duration::from_millis(5);
    const TRIES: u32 = 2000;
    for _ in 0..TRIES {
        if let Attempt::Done(result) = attempt() {
            return result;
        }
        std::thread::sleep(PAUSE);
    }
    match attempt() {
        Attempt::Done(result) | Attempt::Again(result) => result,
    }
}

/// Tidies up; what cannot be told for certain is left as it is, and is no reason not to open.
fn sweep(folder: &Folder, store: &impl Store) {
    let known = match named_contents(store) {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(reason = %error, "not every document can be read, so no file was cleared away");
            return;
        }
    };
    match sweep_content(folder, |id| known.contains(&id)) {
        Ok(swept) if swept.unfinished + swept.set_aside + swept.taken_back > 0 => {
            tracing::info!(?swept, "cleared up among the documents' files");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(kind = ?error.kind(), "the documents' folder could not be cleared up"),
    }
}

fn named_contents(store: &impl Store) -> Result<BTreeSet<ContentId>, StoreError> {
    let draft = Draft::new(store);
    let mut known = BTreeSet::new();
    let mut cursor: Option<Vec<u8>> = None;
    loop {
        let page: Vec<DocumentRow> = rows::list(&draft, &[], cursor.as_deref(), 512)?;
        let Some(last) = page.last() else { return Ok(known) };
        cursor = Some(last.key());
        known.extend(page.iter().map(DocumentRow::content_id));
    }
}

#[cfg(test)]
mod tests;
