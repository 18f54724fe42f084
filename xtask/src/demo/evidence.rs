//! Who got what: the patient's side beside the relay's, and a search of both for everything that is nobody's business.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::daemon::Daemon;
use super::encoding::from_base64url;
use super::memory;
use super::page::{Column, LEFT, Page, RIGHT, grouped, sized};
use super::scan::{self, FileSeen, Needle, Scanner};
use super::story::{ANNEGRET, Document, JOERG, JOERGS_TITLE, PRACTICE, Told};

/// Both sides as they lie on disk.
#[derive(Debug)]
pub(super) struct Evidence {
    folder: PathBuf,
    patient: Vec<FileSeen>,
    relay: Vec<FileSeen>,
    /// Nothing where the machine does not show it.
    memory: Option<Vec<FileSeen>>,
}

impl Evidence {
    /// Reads what the phone and the running relay have now.
    pub(super) fn collect(folder: &Path, relay: &Daemon) -> Result<Self> {
        let below = |names: &[&str]| scan::read(&names.iter().map(|name| folder.join(name)).collect::<Vec<_>>());
        let patient = below(&["got", "phone", "list.txt", "link.txt", "pin.txt"])?;
        let memory = relay.pid().and_then(|pid| memory::read(pid).ok());
        Ok(Self { folder: folder.to_owned(), patient, relay: below(&["relay", "relay.log"])?, memory })
    }

    /// Shows both sides.
    pub(super) fn show(&self, told: &Told, page: &Page) {
        let mut got = Vec::new();
        for document in &told.documents {
            got.push(document.title.to_owned());
            got.push(sized(&format!("  {}", document.fixture), document.bytes.len(), LEFT));
            got.push(format!("  sha256 {}…", document.sha256.get(..32).unwrap_or_default()));
        }
        let mut saw: Vec<String> =
            self.relay.iter().map(|file| sized(&self.name(file), file.bytes.len(), RIGHT)).collect();
        saw.extend(what_a_relay_knows(told));
        let left = Column { title: "What the patient got", lines: got };
        page.side_by_side(&left, &Column { title: "What the relay has: all of its files", lines: saw });
    }

    /// Searches all of it for the same things, and fails unless each is where it belongs and nowhere else.
    pub(super) fn search(&self, told: &Told) -> Result<()> {
        let clues = clues(told)?;
        let scanner = Scanner::new(clues.iter().map(|clue| &clue.needle));
        let patient = scanner.hits_in(&self.patient, &self.folder);
        let relay = scanner.hits_in(&self.relay, &self.folder);
        let memory = self.memory.as_ref().map(|memory| scanner.hits_in(memory, &self.folder));
        Page::line(&row("found how often", ["patient", "relay", "its memory"]));
        for (number, Clue { needle, with_patient, at_relay }) in clues.iter().enumerate() {
            let at = |hits: &[usize]| hits.get(number).copied().unwrap_or_default();
            let counts = [Some(at(&patient)), Some(at(&relay)), memory.as_deref().map(at)];
            let shown = counts.map(|count| count.map_or_else(|| "-".to_owned(), |count| count.to_string()));
            Page::line(&row(&needle.label, shown.each_ref().map(String::as_str)));
            for (place, (count, expected)) in PLACES.iter().zip(counts.iter().zip([with_patient, at_relay, at_relay])) {
                ensure!(
                    count.is_none_or(|count| (count > 0) == *expected),
                    "{} {place}: {count:?} times",
                    needle.label
                );
            }
        }
        Ok(())
    }

    /// What of the relay's was searched.
    pub(super) fn searched(&self) -> String {
        let bytes = |files: &[FileSeen]| grouped(files.iter().map(|file| file.bytes.len()).sum());
        let memory = self.memory.as_deref().map_or_else(
            || "This machine does not show the memory of a running program, so that was not searched".to_owned(),
            |memory| format!("{} bytes of its memory while it runs, freed pages included", bytes(memory)),
        );
        format!(
            "The relay's: {} bytes of its folder and of a log of everything it did.\n  {memory}.",
            bytes(&self.relay)
        )
    }

    fn name(&self, file: &FileSeen) -> String {
        file.path.strip_prefix(&self.folder).unwrap_or(&file.path).display().to_string()
    }
}

fn what_a_relay_knows(told: &Told) -> Vec<String> {
    let inbox = told.inbox_id.get(..6).unwrap_or_default();
    vec![
        String::new(),
        "In them: the safe's public keys. And it".to_owned(),
        format!("knows: 127.0.0.1 called inbox {inbox}…"),
        "then and then, in padded sizes.".to_owned(),
    ]
}

/// Something that one side has and the other has not.
#[derive(Debug)]
struct Clue {
    needle: Needle,
    with_patient: bool,
    at_relay: bool,
}

impl Clue {
    fn patients_own(needle: Needle) -> Self {
        Self { needle, with_patient: true, at_relay: false }
    }
}

fn clues(told: &Told) -> Result<Vec<Clue>> {
    let mut own = vec![
        Needle::new(format!("her name, {ANNEGRET}"), ANNEGRET),
        Needle::new(format!("her practice, {PRACTICE}"), PRACTICE),
        Needle::new("her number in two documents, BEISPIEL-0001", "BEISPIEL-0001"),
        Needle::new("a sentence of the finding, \u{201e}CRP leicht erh\u{2026}\u{201c}", "CRP leicht erh"),
    ];
    for Document { fixture, title, bytes, .. } in &told.documents {
        let opening = bytes.get(..OPENING).context("a sample document is too short")?;
        own.push(Needle::new(format!("title \u{201e}{title}\u{201c}"), *title));
        own.push(Needle::new(format!("file name {fixture}"), *fixture));
        own.push(Needle::new(format!("the first {OPENING} bytes of {fixture}"), opening));
    }
    own.push(Needle::alone("the PIN", told.pin.as_str()));
    own.push(Needle::new("the link's secret", link_secret(&told.link).context("the link cannot be read")?));

    let inbox = Needle::new("the safe's inbox id, which a relay must know", unhex(&told.inbox_id)?);
    let mut clues: Vec<_> = own.into_iter().map(Clue::patients_own).collect();
    for (label, word) in [("another patient's name", JOERG), ("another patient's title", JOERGS_TITLE)] {
        let needle = Needle::new(format!("{label}, {word}"), word);
        clues.push(Clue { needle, with_patient: false, at_relay: false });
    }
    clues.push(Clue { needle: inbox, with_patient: true, at_relay: true });
    Ok(clues)
}

fn row(what: &str, [patient, relay, memory]: [&str; 3]) -> String {
    format!("{what:<64} {patient:>8} {relay:>8} {memory:>12}")
}

/// The 32 secret bytes of a link: docs/protocol.md, section 11.
fn link_secret(link: &str) -> Option<Vec<u8>> {
    let fragment = from_base64url(link.split_once('#')?.1)?;
    let (_check_and_version, rest) = fragment.split_at_checked(4 + 1)?;
    let (_pin, rest) = after_varint(rest)?.split_at_checked(32)?;
    let (_inbox, rest) = after_varint(rest)?.split_at_checked(16)?;
    rest.get(..32).map(<[u8]>::to_vec)
}

fn after_varint(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    bytes.get(last + 1..)
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(str::from_utf8);
    pairs.map(|pair| Ok(u8::from_str_radix(pair?, 16)?)).collect()
}

/// Where the counts were made.
const PLACES: [&str; 3] = ["with the patient", "at the relay", "in the relay's memory"];

/// How much of a document's beginning is looked for: more than formats have in common.
const OPENING: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::encoding::{URL_ALPHABET, base64_anywhere};
    use super::*;

    #[test]
    fn a_links_secret_is_the_32_bytes_behind_pin_epoch_and_inbox() {
        // check, version, expires (two bytes), safe pin, epoch, inbox id, secret, no ticket.
        let link = [&[9; 4][..], &[1, 0x80, 0x01], &[2; 32], &[3], &[4; 16], &[5; 32], &[0]].concat();
        let digits = &base64_anywhere(&link, URL_ALPHABET)[0];
        assert_eq!(link_secret(&format!("https://app.example/#{digits}AA")).unwrap(), [5; 32]);
        assert_eq!(link_secret("https://app.example/#AAAA"), None);
        assert_eq!(link_secret("https://app.example/"), None);
    }

    #[test]
    fn hexadecimal_is_read_in_pairs() {
        assert_eq!(unhex("81eb").unwrap(), [0x81, 0xeb]);
        assert!(unhex("8x").is_err());
    }
}
