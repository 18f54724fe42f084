//! Looks for words in files, their names, and memory: plain, in hexadecimal and in base64.

use std::collections::BTreeSet;
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

    fn disguises(&self) -> BTreeSet<String> {
        let lower = hex(&self.bytes);
        let upper = lower.to_uppercase();
        let base64 = [ALPHABET, URL_ALPHABET].into_iter().flat_map(|alphabet| base64_anywhere(&self.bytes, alphabet));
        [lower, upper].into_iter().chain(base64).collect()
    }
}

/// Looks for all needles in one pass: a relay's memory is large and this program is not optimised.
#[derive(Debug)]
pub(super) struct Scanner {
    needles: usize,
    forms: Vec<Form>,
    /// The forms that begin with two bytes, by these.
    by_start: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct Form {
    needle: usize,
    bytes: Vec<u8>,
    alone: bool,
}

impl Scanner {
    pub(super) fn new<'a>(needles: impl IntoIterator<Item = &'a Needle>) -> Self {
        let mut scanner = Self { needles: 0, forms: vec![], by_start: vec![vec![]; 1 << 16] };
        for needle in needles {
            let number = scanner.needles;
            scanner.needles += 1;
            scanner.add(Form { needle: number, bytes: needle.bytes.clone(), alone: needle.alone });
            for disguise in needle.disguises() {
                scanner.add(Form { needle: number, bytes: disguise.into_bytes(), alone: false });
            }
        }
        scanner
    }

    fn add(&mut self, form: Form) {
        let place =
            form.bytes.first_chunk().and_then(|start| self.by_start.get_mut(usize::from(u16::from_be_bytes(*start))));
        if let Some(forms) = place {
            forms.push(self.forms.len());
            self.forms.push(form);
        }
    }

    /// How often each needle occurs, in any of its forms.
    pub(super) fn hits(&self, text: &[u8]) -> Vec<usize> {
        let mut hits = vec![0; self.needles];
        for (at, start) in text.windows(2).enumerate() {
            let key = start.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            for form in self.by_start.get(key).into_iter().flatten().filter_map(|place| self.forms.get(*place)) {
                if let Some(count) = hits.get_mut(form.needle) {
                    *count += usize::from(form.is_at(text, at));
                }
            }
        }
        hits
    }

    /// How often each needle occurs in these files and in their names below `root`.
    pub(super) fn hits_in(&self, files: &[FileSeen], root: &Path) -> Vec<usize> {
        let mut sum = vec![0; self.needles];
        for file in files {
            let name = file.path.strip_prefix(root).unwrap_or(&file.path).as_os_str().as_encoded_bytes();
            let both = self.hits(&file.bytes).into_iter().zip(self.hits(name));
            sum.iter_mut().zip(both).for_each(|(sum, (content, name))| *sum += content + name);
        }
        sum
    }
}

impl Form {
    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let end = at + self.bytes.len();
        text.get(at..end) == Some(&self.bytes) && (!self.alone || stands_alone(text, at, end))
    }
}

fn stands_alone(text: &[u8], at: usize, end: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    [before, text.get(end)].into_iter().flatten().all(|byte| !byte.is_ascii_alphanumeric())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_form_and_nowhere_else() {
        let name = "Jörg Žofka";
        let scanner = Scanner::new(&[Needle::new("name", name)]);
        let mut forms = vec![name.to_owned(), hex(name.as_bytes()), hex(name.as_bytes()).to_uppercase()];
        forms.extend(base64_anywhere(name.as_bytes(), ALPHABET));
        forms.extend(base64_anywhere(name.as_bytes(), URL_ALPHABET));
        for form in forms {
            assert_eq!(scanner.hits(format!("…{form}…").as_bytes()), [1], "{form}");
            assert_eq!(scanner.hits(form.as_bytes()), [1], "{form} alone");
        }
        assert_eq!(scanner.hits("Jorg Zofka, 4a6f7267".as_bytes()), [0]);
    }

    #[test]
    fn each_needle_has_its_own_count() {
        let scanner = Scanner::new(&[Needle::new("one", "aab"), Needle::new("two", "aac")]);
        assert_eq!(scanner.hits(b"aaab aab aaac"), [2, 1]);
    }

    #[test]
    fn six_digits_inside_a_longer_number_are_no_pin() {
        let scanner = Scanner::new(&[Needle::alone("PIN", "010179")]);
        assert_eq!(scanner.hits(b"12:00:00.010179Z id=30101795 at=x010179"), [0]);
        assert_eq!(scanner.hits(b"pin=010179, again 010179"), [2]);
    }

    #[test]
    fn names_of_files_are_looked_at_too() {
        let root = Path::new("/relay");
        let files = [FileSeen { path: root.join("inner/Annegret Beispiel.pdf"), bytes: vec![] }];
        let scanner = Scanner::new(&[Needle::new("name", "Annegret Beispiel"), Needle::new("folder", "relay")]);
        assert_eq!(scanner.hits_in(&files, root), [1, 0]);
    }

    #[test]
    fn every_file_below_a_folder_is_read() {
        let files = read(&[PathBuf::from(env!("CARGO_MANIFEST_DIR"))]).unwrap();
        assert!(files.iter().any(|file| file.path.ends_with("src/demo/scan.rs")));
        assert!(files.iter().any(|file| file.path.ends_with("Cargo.toml") && !file.bytes.is_empty()));
    }
}
