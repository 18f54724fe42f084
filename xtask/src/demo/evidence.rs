//! Who got what: the patient's side beside the relay's, and a search of both for everything that is nobody's business.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rohrpost_canary::{Canary, Findings, Scanner};

use super::daemon::Daemon;
use super::page::{Column, LEFT, Page, RIGHT, grouped, sized};
use super::story::{ANNEGRET, Document, JOERG, JOERGS_TITLE, PRACTICE, Told};

/// Both sides as they lie on disk, and the relay as it runs.
#[derive(Debug)]
pub(super) struct Evidence {
    folder: PathBuf,
    /// The relay's files and their lengths.
    relay: Vec<(String, usize)>,
    /// Nothing where the machine does not show it.
    pid: Option<u32>,
}

impl Evidence {
    /// Looks at what the phone and the running relay have now.
    pub(super) fn collect(folder: &Path, relay: &Daemon) -> Result<Self> {
        let mut files = Vec::new();
        for name in RELAYS {
            list(&folder.join(name), folder, &mut files)?;
        }
        files.sort();
        Ok(Self { folder: folder.to_owned(), relay: files, pid: relay.pid() })
    }

    /// Shows both sides.
    pub(super) fn show(&self, told: &Told, page: &Page) {
        let mut got = Vec::new();
        for document in &told.documents {
            got.push(document.title.to_owned());
            got.push(sized(&format!("  {}", document.fixture), document.bytes.len(), LEFT));
            got.push(format!("  sha256 {}…", document.sha256.get(..32).unwrap_or_default()));
        }
        let mut saw: Vec<String> = self.relay.iter().map(|(name, length)| sized(name, *length, RIGHT)).collect();
        saw.extend(what_a_relay_knows(told));
        let left = Column { title: "What the patient got", lines: got };
        page.side_by_side(&left, &Column { title: "What the relay has: all of its files", lines: saw });
    }

    /// Searches all of it for the same things, fails unless each is where it belongs and nowhere else, and says how much
    /// was searched.
    pub(super) fn search(&self, told: &Told) -> Result<String> {
        let clues = clues(told)?;
        let scanner = Scanner::new(clues.iter().map(|clue| &clue.canary));
        let patient = self.below(&scanner, &PATIENTS)?;
        let relay = self.below(&scanner, &RELAYS)?;
        let memory = self.pid.and_then(|pid| scanner.memory(pid).ok());
        Page::line(&row("found how often", ["patient", "relay", "its memory"]));
        for Clue { canary, with_patient, at_relay } in &clues {
            let label = canary.label();
            let counts = [Some(&patient), Some(&relay), memory.as_ref()].map(|found| found.map(|all| all.count(label)));
            let shown = counts.map(|count| count.map_or_else(|| "-".to_owned(), |count| count.to_string()));
            Page::line(&row(label, shown.each_ref().map(String::as_str)));
            for (place, (count, expected)) in PLACES.iter().zip(counts.iter().zip([with_patient, at_relay, at_relay])) {
                ensure!(count.is_none_or(|count| (count > 0) == *expected), "{label} {place}: {count:?} times");
            }
        }
        Ok(searched(&relay, memory.as_ref()))
    }

    fn below(&self, scanner: &Scanner, names: &[&str]) -> Result<Findings> {
        let mut findings = Findings::default();
        for name in names {
            findings.join(scanner.folder(&self.folder.join(name)).with_context(|| format!("cannot search {name}"))?);
        }
        Ok(findings)
    }
}

/// What of the relay's was searched.
fn searched(relay: &Findings, memory: Option<&Findings>) -> String {
    let bytes = |found: &Findings| grouped(usize::try_from(found.bytes()).unwrap_or(usize::MAX));
    let memory = memory.map_or_else(
        || "This machine does not show the memory of a running program, so that was not searched".to_owned(),
        |memory| format!("{} bytes of its memory while it runs, freed pages included", bytes(memory)),
    );
    format!("The relay's: {} bytes of its folder and of a log of everything it did.\n  {memory}.", bytes(relay))
}

/// Every file at or below a path, by its name from `root` on, and its length.
fn list(path: &Path, root: &Path, files: &mut Vec<(String, usize)>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot look into {}", path.display()))? {
            list(&entry?.path(), root, files)?;
        }
        return Ok(());
    }
    let length = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?.len();
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    files.push((name, usize::try_from(length).unwrap_or(usize::MAX)));
    Ok(())
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
    canary: Canary,
    with_patient: bool,
    at_relay: bool,
}

impl Clue {
    fn patients_own(canary: Canary) -> Self {
        Self { canary, with_patient: true, at_relay: false }
    }
}

fn clues(told: &Told) -> Result<Vec<Clue>> {
    let mut own = vec![
        words(format!("her name, {ANNEGRET}"), ANNEGRET),
        words(format!("her practice, {PRACTICE}"), PRACTICE),
        words("her number in two documents, BEISPIEL-0001", "BEISPIEL-0001"),
        words("a sentence of the finding, \u{201e}CRP leicht erh\u{2026}\u{201c}", "CRP leicht erh"),
    ];
    for Document { fixture, title, bytes, .. } in &told.documents {
        let opening = bytes.get(..OPENING).context("a sample document is too short")?;
        own.push(words(format!("title \u{201e}{title}\u{201c}"), title));
        own.push(words(format!("file name {fixture}"), fixture));
        own.push(Canary::bytes(format!("the first {OPENING} bytes of {fixture}"), opening).whole());
    }
    own.push(Canary::number("the PIN", &told.pin));
    own.push(Canary::bytes("the link's secret", link_secret(&told.link).context("the link cannot be read")?));

    let inbox =
        Canary::bytes("the safe's inbox id, which a relay must know", HEXLOWER.decode(told.inbox_id.as_bytes())?);
    let mut clues: Vec<_> = own.into_iter().map(Clue::patients_own).collect();
    for (label, word) in [("another patient's name", JOERG), ("another patient's title", JOERGS_TITLE)] {
        let canary = words(format!("{label}, {word}"), word);
        clues.push(Clue { canary, with_patient: false, at_relay: false });
    }
    clues.push(Clue { canary: inbox, with_patient: true, at_relay: true });
    Ok(clues)
}

/// Whole: the practice's documents share words with one another.
fn words(label: impl Into<String>, text: &str) -> Canary {
    Canary::text(label, text).whole()
}

fn row(what: &str, [patient, relay, memory]: [&str; 3]) -> String {
    format!("{what:<64} {patient:>8} {relay:>8} {memory:>12}")
}

/// The 32 secret bytes of a link: docs/protocol.md, section 11.
fn link_secret(link: &str) -> Option<Vec<u8>> {
    let fragment = BASE64URL_NOPAD.decode(link.split_once('#')?.1.as_bytes()).ok()?;
    let (_check_and_version, rest) = fragment.split_at_checked(4 + 1)?;
    let (_pin, rest) = after_varint(rest)?.split_at_checked(32)?;
    let (_inbox, rest) = after_varint(rest)?.split_at_checked(16)?;
    rest.get(..32).map(<[u8]>::to_vec)
}

fn after_varint(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    bytes.get(last + 1..)
}

/// Whose these are, in the demo's folder.
const PATIENTS: [&str; 5] = ["got", "phone", "list.txt", "link.txt", "pin.txt"];
const RELAYS: [&str; 2] = ["relay", "relay.log"];

/// Where the counts were made.
const PLACES: [&str; 3] = ["with the patient", "at the relay", "in the relay's memory"];

/// How much of a document's beginning is looked for: more than formats have in common.
const OPENING: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_secret_is_the_32_bytes_behind_pin_epoch_and_inbox() {
        // check, version, expires (two bytes), safe pin, epoch, inbox id, secret, no ticket.
        let link = [&[9; 4][..], &[1, 0x80, 0x01], &[2; 32], &[3], &[4; 16], &[5; 32], &[0]].concat();
        let fragment = BASE64URL_NOPAD.encode(&link);
        assert_eq!(link_secret(&format!("https://app.example/#{fragment}")).unwrap(), [5; 32]);
        assert_eq!(link_secret("https://app.example/#AAAA"), None);
        assert_eq!(link_secret("https://app.example/"), None);
    }

    #[test]
    fn every_file_below_a_folder_is_listed_with_its_length() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        list(&root.join("src"), root, &mut files).unwrap();
        assert!(files.iter().any(|(name, length)| name == "src/demo/evidence.rs" && *length > 1000));
    }
}
