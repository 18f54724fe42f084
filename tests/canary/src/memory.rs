//! The memory of a running program: every readable region, freed pages included.
//!
//! Linux shows it to root and to the owner of a program under `/proc`; where it is forbidden, that is an error and the
//! caller says so.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use crate::findings::Findings;
use crate::scanner::Scanner;

/// Searches the memory of a process as it is now.
pub(crate) fn search(scanner: &Scanner, pid: u32) -> io::Result<Findings> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut findings = Findings::default();
    for region in maps.lines().filter_map(Region::parse) {
        let place = format!("memory at {:x} {}", region.from, region.name);
        findings.join(scanner.stream(&place, Reader { memory: &memory, at: region.from, to: region.to })?);
    }
    if findings.bytes() == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(findings)
}

#[derive(Debug, PartialEq, Eq)]
struct Region<'a> {
    from: u64,
    to: u64,
    name: &'a str,
}

impl<'a> Region<'a> {
    /// A line of `/proc/PID/maps`; nothing for what cannot be read, or what the kernel lends to every program alike.
    fn parse(line: &'a str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let name = rest.split_whitespace().nth(4).unwrap_or("anonymous");
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let is_kernels = ["[vvar]", "[vvar_vclock]", "[vsyscall]"].contains(&name);
        (rest.starts_with('r') && !is_kernels).then_some(Self { from, to, name })
    }
}

/// Reads a region; one that went away meanwhile ends.
struct Reader<'a> {
    memory: &'a File,
    at: u64,
    to: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.to - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..left).filter(|room| !room.is_empty()) else { return Ok(0) };
        let read = self.memory.read_at(room, self.at).unwrap_or(0);
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canary;

    #[test]
    fn a_word_in_memory_is_found_and_one_that_was_never_written_is_not() {
        let word = format!("a word that only process {} knows", std::process::id());
        let Ok(findings) = Scanner::new(&[Canary::text("word", &word)]).memory(std::process::id()) else { return };
        assert!(findings.count("word") > 0 && findings.bytes() > 1_000_000, "{findings}");
    }

    #[test]
    fn what_can_be_read_is_a_region() {
        let heap = Region::parse("7f00-7f10 rw-p 00000000 00:00 0  [heap]");
        assert_eq!(heap, Some(Region { from: 0x7f00, to: 0x7f10, name: "[heap]" }));
        assert_eq!(Region::parse("7f00-7f10 ---p 00000000 00:00 0"), None);
        assert_eq!(Region::parse("7f00-7f10 r--p 00000000 00:00 0  [vvar]"), None);
    }
}
