//! What a running program has in its memory: every writable page, freed ones included.
//!
//! Linux shows it to the owner of a program under `/proc`; elsewhere, or where it is forbidden, nothing is read and the
//! caller says so.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::scan::FileSeen;

/// Reads the writable memory of a process, region by region.
pub(super) fn read(pid: u32) -> io::Result<Vec<FileSeen>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let regions: Vec<_> = maps.lines().filter_map(writable).collect();
    Ok(regions.into_iter().filter_map(|region| copy(&memory, region)).collect())
}

/// From where to where, and nothing for what a program cannot write to.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let bounds = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
    rest.starts_with("rw").then_some(bounds)
}

/// A region that went away meanwhile, or that the kernel keeps for itself, is none.
fn copy(memory: &File, (from, to): (u64, u64)) -> Option<FileSeen> {
    let mut bytes = vec![0; usize::try_from(to - from).ok()?];
    memory.read_exact_at(&mut bytes, from).ok()?;
    Some(FileSeen { path: PathBuf::new(), bytes })
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Needle, Scanner};
    use super::*;

    #[test]
    fn a_word_in_memory_is_found() {
        let word = format!("a word that only process {} knows", std::process::id());
        let Ok(regions) = read(std::process::id()) else { return };
        let scanner = Scanner::new(&[Needle::new("word", word.as_str())]);
        let hits: usize = regions.iter().flat_map(|region| scanner.hits(&region.bytes)).sum();
        assert!(hits > 0);
    }

    #[test]
    fn only_writable_memory_is_read() {
        assert_eq!(writable("7f00-7f10 rw-p 00000000 00:00 0  [heap]"), Some((0x7f00, 0x7f10)));
        assert_eq!(writable("7f00-7f10 r-xp 00000000 00:00 0"), None);
    }
}
