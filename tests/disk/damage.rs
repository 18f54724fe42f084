//! What a bad disk does to a file, drawn by chance.

use std::fs;
use std::path::Path;

use crate::plan::Dice;

/// One kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Damage {
    /// One bit is another.
    Bit,
    /// A sector of 512 bytes is zeros.
    Zeros,
    /// A sector is another sector of the same file.
    Misplaced,
    /// The end is missing.
    Cut,
}

impl Damage {
    /// Damages a file somewhere, and says how. Every fourth damage is greater than a bit.
    pub(crate) fn inflict(file: &Path, dice: &mut Dice) -> Self {
        let before = fs::read(file).unwrap();
        loop {
            let mut bytes = before.clone();
            let damage = Self::draw(dice);
            damage.apply(&mut bytes, dice);
            // Zeros over zeros are no damage.
            if bytes != before {
                fs::write(file, bytes).unwrap();
                return damage;
            }
        }
    }

    /// Flips a bit of what SQLite finds its way by in a closed database.
    pub(crate) fn mislead(database: &Path, pages: &Pages, dice: &mut Dice) -> Self {
        let mut bytes = fs::read(database).unwrap();
        let places = pages.signposts(&bytes);
        bytes[places[dice.place(places.len())]] ^= 1 << dice.below(8);
        fs::write(database, bytes).unwrap();
        Self::Bit
    }

    fn draw(dice: &mut Dice) -> Self {
        match dice.below(12) {
            0 => Self::Zeros,
            1 => Self::Misplaced,
            2 => Self::Cut,
            _ => Self::Bit,
        }
    }

    fn apply(self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.place(bytes.len());
        let sector = |at: usize| at / SECTOR * SECTOR;
        match self {
            Self::Bit => bytes[at] ^= 1 << dice.below(8),
            Self::Zeros => {
                let end = (sector(at) + SECTOR).min(bytes.len());
                bytes[sector(at)..end].fill(0);
            }
            Self::Misplaced => {
                let from = sector(dice.place(bytes.len()));
                let moved = bytes[from..(from + SECTOR).min(bytes.len())].to_vec();
                let end = (sector(at) + moved.len()).min(bytes.len());
                let kept = end - sector(at);
                bytes[sector(at)..end].copy_from_slice(&moved[..kept]);
            }
            Self::Cut => bytes.truncate(at),
        }
    }
}

const SECTOR: usize = 512;

/// Flips a bit in the last page of a log: the commit that it ends is not there any more.
pub(crate) fn spoil_the_end(log: &Path) {
    let mut bytes = fs::read(log).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(log, bytes).unwrap();
}

/// A closed database whose rows can be hidden.
pub(crate) struct Pages {
    bytes: usize,
    /// What a leaf page of its tables begins with.
    leaf: u8,
}

/// Of a safe: the tables have no row numbers.
pub(crate) const VAULT: Pages = Pages { bytes: 8192, leaf: 10 };
/// Of a relay.
pub(crate) const SPOOL: Pages = Pages { bytes: 4096, leaf: 13 };

/// The head of a leaf page, before the pointers to its rows.
const HEAD: usize = 8;
/// Of a row: its length, its key, and what its columns are.
const ROW_HEAD: usize = 8;

impl Pages {
    /// The heads of all leaf pages, their pointers to rows, and the heads of these rows.
    fn signposts(&self, database: &[u8]) -> Vec<usize> {
        let number = |at: usize| usize::from(u16::from_be_bytes([database[at], database[at + 1]]));
        let mut places = Vec::new();
        let starts = (self.bytes..database.len()).step_by(self.bytes);
        for page in starts.filter(|start| database[*start] == self.leaf) {
            let pointers = (0..number(page + 3)).map(|row| page + HEAD + 2 * row);
            places.extend(page..page + HEAD);
            places.extend(pointers.clone().flat_map(|pointer| [pointer, pointer + 1]));
            places.extend(pointers.map(|pointer| page + number(pointer)).flat_map(|row| row..row + ROW_HEAD));
        }
        places.retain(|place| *place < database.len());
        places
    }

    /// Takes the last row off a leaf page: it names one row fewer than it holds, which reading does not notice.
    pub(crate) fn hide_a_row(&self, database: &Path) {
        let mut bytes = fs::read(database).unwrap();
        let count = |page: &[u8]| u16::from_be_bytes([page[3], page[4]]);
        // The last that fits: the first one may hold the row that tells whose database it is.
        let page = bytes.chunks_mut(self.bytes).skip(1).rfind(|page| page[0] == self.leaf && count(page) > 1).unwrap();
        let fewer = count(page) - 1;
        page[3..5].copy_from_slice(&fewer.to_be_bytes());
        fs::write(database, bytes).unwrap();
    }
}

/// Copies a folder with the folders in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            // A socket of a running program is not data.
            kind if kind.is_file() => drop(fs::copy(entry.path(), target).unwrap()),
            _ => {}
        }
    }
}

/// Counts panics anywhere in this process, those that a runtime catches too.
pub(crate) fn count_panics() -> &'static std::sync::atomic::AtomicU64 {
    static PANICS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        usual(panic);
    }));
    &PANICS
}
