//! Looks for words in a folder: in the names and the bytes of all its files, plain, in hexadecimal and in base64.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::encoding::{ALPHABET, URL_ALPHABET, base64_anywhere, hex};

/// Something to look for.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    /// What it is, for people.
    pub(super) label: String,
    bytes: Vec<u8>,
    /// So short that longer numbers hold it by accident.
    alone: bool,
}

impl Needle {
    pub(super) fn new(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { label: label.into(), bytes: bytes.into(), alone: false }
    }

    /// Counts, when plain, only where no letter or digit stands beside it.
    pub(super) fn alone(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { label: label.into(), bytes: bytes.into(), alone: true }
    }

    /// How often it occurs in any of its forms.
    pub(super) fn hits(&self, text: &[u8]) -> usize {
        let plain = places(text, &self.bytes).filter(|at| !self.alone || self.stands_alone(text, *at)).count();
        plain + self.disguises().iter().map(|disguise| places(text, disguise.as_bytes()).count()).sum::<usize>()
    }

    fn stands_alone(&self, text: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(at + self.bytes.len());
        [before, after].into_iter().flatten().all(|byte| !byte.is_ascii_alphanumeric())
    }

    fn disguises(&self) -> Vec<String> {
        let lower = hex(&self.bytes);
        let upper = lower.to_uppercase();
        let mut all = vec![lower, upper];
        for alphabet in [ALPHABET, URL_ALPHABET] {
            all.extend(base64_anywhere(&self.bytes, alphabet));
        }
        all.sort();
        all.dedup();
        all
    }
}

/// A file of a folder that was looked through.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileSeen {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// Every file below these folders, and files named by themselves.
pub(super) fn read(roots: &[PathBuf]) -> Result<Vec<FileSeen>> {
    let mut found = Vec::new();
    let mut waiting = roots.to_vec();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).with_context(|| format!("cannot look into {}", path.display()))?;
            for entry in entries {
                waiting.push(entry?.path());
            }
        } else {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            found.push(FileSeen { path, bytes });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// How often a needle occurs in these files and their names below `root`.
pub(super) fn count(needle: &Needle, files: &[FileSeen], root: &Path) -> usize {
    let in_file = |file: &FileSeen| {
        let name = file.path.strip_prefix(root).unwrap_or(&file.path);
        needle.hits(&file.bytes) + needle.hits(name.as_os_str().as_encoded_bytes())
    };
    files.iter().map(in_file).sum()
}

fn places<'a>(text: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = text.windows(wanted.len().max(1)).enumerate();
    // Compared whole only where the first byte fits: this runs unoptimised.
    windows.filter(move |(_, window)| window.first() == wanted.first() && *window == wanted).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_form_and_nowhere_else() {
        let name = "Jörg Žofka";
        let needle = Needle::new("name", name);
        let mut forms = vec![name.to_owned(), hex(name.as_bytes()), hex(name.as_bytes()).to_uppercase()];
        forms.extend(base64_anywhere(name.as_bytes(), ALPHABET));
        forms.extend(base64_anywhere(name.as_bytes(), URL_ALPHABET));
        for form in forms {
            assert!(needle.hits(format!("…{form}…").as_bytes()) > 0, "{form}");
        }
        assert_eq!(needle.hits("Jorg Zofka, 4a6f7267".as_bytes()), 0);
    }

    #[test]
    fn six_digits_inside_a_longer_number_are_no_pin() {
        let needle = Needle::alone("PIN", "010179");
        assert_eq!(needle.hits(b"12:00:00.010179Z id=30101795 at=x010179"), 0);
        assert_eq!(needle.hits(b"pin=010179, again 010179"), 2);
    }

    #[test]
    fn names_of_files_are_looked_at_too() {
        let root = Path::new("/relay");
        let files = [FileSeen { path: root.join("inner/Annegret Beispiel.pdf"), bytes: vec![] }];
        assert_eq!(count(&Needle::new("name", "Annegret Beispiel"), &files, root), 1);
        assert_eq!(count(&Needle::new("folder", "relay"), &files, root), 0);
    }

    #[test]
    fn every_file_below_a_folder_is_read() {
        let files = read(&[PathBuf::from(env!("CARGO_MANIFEST_DIR"))]).unwrap();
        assert!(files.iter().any(|file| file.path.ends_with("src/demo/scan.rs")));
        assert!(files.iter().any(|file| file.path.ends_with("Cargo.toml") && !file.bytes.is_empty()));
    }
}
