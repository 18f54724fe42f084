//! Looks for all forms of all secrets in one pass.
//!
//! Bytes of any length go by in windows: a hit belongs to the window in which it begins, and each window sees enough of
//! what comes behind it that nothing is cut by its end.

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::canary::Canary;
use crate::findings::{Findings, Hit};
use crate::nested::Unpacker;
use crate::{forms, memory, places};

/// Looks for a set of secrets.
#[derive(Debug)]
pub struct Scanner {
    labels: Vec<String>,
    forms: Vec<Known>,
    automaton: AhoCorasick,
}

/// A form, without its bytes, which the automaton has.
#[derive(Debug)]
struct Known {
    canary: usize,
    name: String,
    alone: bool,
}

/// What a window owns.
const OWN: usize = 1 << 20;
/// What it sees besides: more than the longest form, and as much as is unpacked of one compressed piece.
pub(crate) const AHEAD: usize = 1 << 16;
/// How often something is unpacked out of what was unpacked: base64 of gzip of base64.
const DEPTH: u32 = 3;

impl Scanner {
    /// Prepares to look for these.
    ///
    /// # Panics
    ///
    /// If there are so many secrets that no automaton can hold their forms: a test has tens.
    pub fn new<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Self {
        let (mut labels, mut known, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
        for canary in canaries {
            for form in forms::of(canary) {
                known.push(Known { canary: labels.len(), name: form.name, alone: form.alone });
                patterns.push(form.bytes);
            }
            labels.push(canary.label().to_owned());
        }
        assert!(patterns.iter().all(|form| form.len() < AHEAD / 4), "a canary is a sentence, not a file");
        let mut builder = AhoCorasick::builder();
        #[expect(clippy::expect_used, reason = "the automaton's limit is two billion states")]
        let automaton =
            builder.kind(Some(AhoCorasickKind::ContiguousNFA)).build(&patterns).expect("few secrets have few forms");
        Self { labels, forms: known, automaton }
    }

    /// How many forms are looked for.
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    /// Searches a file.
    pub fn file(&self, path: &Path) -> io::Result<Findings> {
        places::file(self, path)
    }

    /// Searches all files below a folder, and the names below it.
    pub fn folder(&self, root: &Path) -> io::Result<Findings> {
        places::folder(self, root)
    }

    /// Searches the memory of a running process, freed pages included. An error where the system does not show it.
    pub fn memory(&self, pid: u32) -> io::Result<Findings> {
        memory::search(self, pid)
    }

    /// Searches bytes that are at hand.
    pub fn bytes(&self, place: &str, bytes: &[u8]) -> Findings {
        let mut search = Search { scanner: self, place, findings: Findings::in_bytes(bytes.len() as u64) };
        let mut unpacker = Unpacker::new();
        let mut start = 0;
        while start < bytes.len() {
            let end = (start + OWN).min(bytes.len());
            let (from, to) = (start.saturating_sub(1), (end + AHEAD).min(bytes.len()));
            let window = Window { bytes: bytes.get(from..to).unwrap_or_default(), own: start - from..end - from };
            search.window(&window, from as u64, DEPTH, &mut unpacker);
            start = end;
        }
        search.findings
    }

    /// Searches bytes as they are read.
    pub fn stream(&self, place: &str, mut source: impl Read) -> io::Result<Findings> {
        let mut search = Search { scanner: self, place, findings: Findings::in_bytes(0) };
        let mut unpacker = Unpacker::new();
        let (mut buffer, mut behind, mut offset) = (Vec::new(), 0, 0);
        loop {
            let wanted = (behind + OWN + AHEAD - buffer.len()) as u64;
            let read = source.by_ref().take(wanted).read_to_end(&mut buffer)? as u64;
            search.findings.join(Findings::in_bytes(read));
            let is_last = read < wanted;
            let end = if is_last { buffer.len() } else { behind + OWN };
            let window = Window { bytes: &buffer, own: behind..end };
            search.window(&window, offset, DEPTH, &mut unpacker);
            if is_last {
                return Ok(search.findings);
            }
            let gone = end - 1;
            buffer.drain(..gone);
            (offset, behind) = (offset + gone as u64, 1);
        }
    }
}

/// Bytes to search, and which of them are this window's own.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) own: Range<usize>,
}

impl Window<'_> {
    fn stands_alone(&self, at: &Range<usize>) -> bool {
        let before = at.start.checked_sub(1).and_then(|before| self.bytes.get(before));
        [before, self.bytes.get(at.end)].into_iter().flatten().all(|byte| !byte.is_ascii_alphanumeric())
    }
}

struct Search<'a> {
    scanner: &'a Scanner,
    place: &'a str,
    findings: Findings,
}

impl Search<'_> {
    fn window(&mut self, window: &Window<'_>, offset: u64, depth: u32, unpacker: &mut Unpacker) {
        for found in self.scanner.automaton.find_overlapping_iter(window.bytes) {
            let Some(form) = self.scanner.forms.get(found.pattern().as_usize()) else { continue };
            let at = found.start()..found.end();
            if window.own.contains(&at.start) && (!form.alone || window.stands_alone(&at)) {
                let canary = self.scanner.labels.get(form.canary).cloned().unwrap_or_default();
                let offset = offset + at.start as u64;
                self.findings.add(Hit { canary, form: form.name.clone(), place: self.place.to_owned(), offset });
            }
        }
        if depth == 0 {
            return;
        }
        let mut inner = Vec::new();
        unpacker.each(window, |unpacked, at| inner.push((unpacked.to_vec(), at)));
        for (bytes, at) in inner {
            let all = Window { bytes: &bytes, own: 0..bytes.len() };
            self.window(&all, offset + at as u64, depth - 1, unpacker);
        }
    }
}
