//! Clearing up what a crash left among the content files. Done once at start, before anything is written.
//!
//! Nothing that was finished is ever removed: rows and files may come from backups of different days.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rohrpost_wire::fixed::Fixed;

use super::{ContentId, PART, SHELF_CHARS, content_path};
use crate::vault::durable;
use crate::vault::folder::Folder;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that a document's row names.
    pub kept: u64,
    /// Files never finished, removed.
    pub unfinished: u64,
    /// Finished files that no row names, moved to `content/orphaned`.
    pub set_aside: u64,
    /// Files that a row names again, moved back from there.
    pub taken_back: u64,
    /// Things that are not ours, left alone.
    pub foreign: u64,
}

/// Removes unfinished files, sets aside those that `known` denies, and takes back what was set aside and is known. No
/// writer may be at work.
pub fn sweep_content(folder: &Folder, known: impl Fn(ContentId) -> bool) -> io::Result<Swept> {
    let mut sweep = Sweep { folder, aside: folder.content_path().join(ASIDE), known, swept: Swept::default() };
    sweep.take_back()?;
    for shelf in fs::read_dir(folder.content_path())? {
        let shelf = shelf?;
        if shelf.file_name() == ASIDE {
            continue;
        }
        if shelf.file_type()?.is_dir() {
            sweep.tidy(&shelf.path())?;
        } else {
            sweep.swept.foreign += 1;
        }
    }
    Ok(sweep.swept)
}

struct Sweep<'f, K> {
    folder: &'f Folder,
    aside: PathBuf,
    known: K,
    swept: Swept,
}

impl<K: Fn(ContentId) -> bool> Sweep<'_, K> {
    fn tidy(&mut self, place: &Path) -> io::Result<()> {
        let before = self.swept.unfinished + self.swept.set_aside;
        for entry in fs::read_dir(place)? {
            let path = entry?.path();
            match classify(place, &path) {
                Kind::Unfinished => {
                    fs::remove_file(&path)?;
                    self.swept.unfinished += 1;
                }
                Kind::Finished(id) if (self.known)(id) => self.swept.kept += 1,
                Kind::Finished(id) => {
                    self.set_aside(&path, id)?;
                    self.swept.set_aside += 1;
                }
                Kind::Foreign => self.swept.foreign += 1,
            }
        }
        if self.swept.unfinished + self.swept.set_aside > before {
            durable::sync_folder(place)?;
        }
        Ok(())
    }

    /// Not removed: the database may be an older copy, and the file the only one of its document.
    fn set_aside(&self, path: &Path, id: ContentId) -> io::Result<()> {
        if !self.aside.try_exists()? {
            durable::create_private_folder(&self.aside)?;
            durable::sync_parent(&self.aside)?;
        }
        fs::rename(path, self.aside.join(id.0.to_hex()))?;
        durable::sync_folder(&self.aside)
    }

    fn take_back(&mut self) -> io::Result<()> {
        if !self.aside.try_exists()? {
            return Ok(());
        }
        for entry in fs::read_dir(&self.aside)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(id) = Fixed::from_hex(name).map(ContentId).filter(|id| (self.known)(*id)) else { continue };
            let place = content_path(self.folder, id);
            if place.try_exists()? {
                continue;
            }
            if let Some(shelf) = place.parent().filter(|shelf| !shelf.exists()) {
                durable::create_private_folder(shelf)?;
                durable::sync_parent(shelf)?;
            }
            fs::rename(&path, &place)?;
            durable::sync_parent(&place)?;
            self.swept.taken_back += 1;
        }
        Ok(())
    }
}

/// Where files lie that no row names.
const ASIDE: &str = "orphaned";

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
