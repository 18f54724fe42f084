//! Removing what a crash left among the content files. Done once at start, before anything is written.

use std::fs;
use std::io;
use std::path::Path;

use rohrpost_wire::fixed::Fixed;

use super::{ContentId, PART, SHELF_CHARS};
use crate::vault::durable;
use crate::vault::folder::Folder;
use crate::vault::store::StoreError;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that a document's row names.
    pub kept: u64,
    /// Files never finished, removed.
    pub unfinished: u64,
    /// Finished files that no row names, removed.
    pub unreferenced: u64,
    /// Things that are not ours, left alone.
    pub foreign: u64,
}

/// Why a sweep stopped. What it had not reached is still there.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store could not tell whether a file is known; an unknown one must not be taken for unreferenced.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system refused.
    #[error("the documents' folder cannot be read or written")]
    Io(#[from] io::Error),
}

/// Removes unfinished files and those that `known` denies. No writer may be at work.
pub fn sweep_content(
    folder: &Folder,
    mut known: impl FnMut(ContentId) -> Result<bool, StoreError>,
) -> Result<Swept, SweepError> {
    let mut swept = Swept::default();
    for shelf in fs::read_dir(folder.content_path())? {
        let shelf = shelf?;
        if shelf.file_type()?.is_dir() {
            sweep_shelf(&shelf.path(), &mut known, &mut swept)?;
        } else {
            swept.foreign += 1;
        }
    }
    Ok(swept)
}

fn sweep_shelf(
    shelf: &Path,
    known: &mut impl FnMut(ContentId) -> Result<bool, StoreError>,
    swept: &mut Swept,
) -> Result<(), SweepError> {
    let before = swept.unfinished + swept.unreferenced;
    for entry in fs::read_dir(shelf)? {
        let path = entry?.path();
        match classify(shelf, &path) {
            Kind::Unfinished => {
                fs::remove_file(&path)?;
                swept.unfinished += 1;
            }
            Kind::Finished(id) if known(id)? => swept.kept += 1,
            Kind::Finished(_) => {
                fs::remove_file(&path)?;
                swept.unreferenced += 1;
            }
            Kind::Foreign => swept.foreign += 1,
        }
    }
    if swept.unfinished + swept.unreferenced > before {
        durable::sync_folder(shelf)?;
    }
    Ok(())
}

enum Kind {
    Finished(ContentId),
    Unfinished,
    Foreign,
}

/// Tells by its name what a file is; a name that we would not have given on this shelf is foreign.
fn classify(shelf: &Path, path: &Path) -> Kind {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Kind::Foreign };
    let (stem, unfinished) = match name.strip_suffix(PART).and_then(|stem| stem.strip_suffix('.')) {
        Some(stem) => (stem, true),
        None => (name, false),
    };
    let id = Fixed::from_hex(stem).filter(|id: &Fixed<16>| id.to_hex() == stem).map(ContentId);
    let on_its_shelf = shelf.file_name().and_then(|name| name.to_str()) == stem.get(..SHELF_CHARS);
    match id {
        Some(_) if on_its_shelf && unfinished => Kind::Unfinished,
        Some(id) if on_its_shelf => Kind::Finished(id),
        Some(_) | None => Kind::Foreign,
    }
}
