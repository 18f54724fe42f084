//! Names and titles that somebody else chose, on their way to a folder or a terminal.

use std::path::{Component, Path};

use jiff::tz::TimeZone;
use rohrpost_patient::account::Owner;
use rohrpost_patient::names::{self, NAME_BYTES};
use rohrpost_patient::overview::Overview;
use rohrpost_patient::{output, texts};
use serde_json::Value;

use super::samples;
use crate::hostile;
use crate::target::Verdict;

/// The most that is put around a name: the dots and endings of a part, of its note and of the file written beside it.
const DECORATION: usize = ".".len() + " (10000)".len() + ".rohrpost-part.state.new".len();

/// One plain component on every system: not empty, hidden, reserved, reordered or too long, and stable.
pub(super) fn name(bytes: &[u8]) -> Verdict {
    let given = String::from_utf8_lossy(bytes);
    let made = names::sanitise(&given);
    plain(&made);
    assert_eq!(names::sanitise(&made), made, "not stable");
    for number in [2, 100, 10_000] {
        plain_component(&names::numbered(&made, number));
    }
    assert!(made.len() <= NAME_BYTES && made.len() + DECORATION <= 255, "{} bytes", made.len());
    Verdict::taken(made == given)
}

fn plain(made: &str) {
    plain_component(made);
    assert!(!made.starts_with(['.', '-', ' ', '~']) || made.starts_with('~'), "{made:?}");
    assert!(!made.ends_with(['.', ' ']), "{made:?}");
    let stem = made.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let devices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let port = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|n| n.chars().count() == 1 && n.contains(|c: char| c.is_ascii_digit() || "¹²³".contains(c)))
    };
    assert!(!devices.contains(&stem.as_str()) && !port("COM") && !port("LPT"), "a device of Windows: {made:?}");
}

fn plain_component(name: &str) {
    let parts: Vec<Component<'_>> = Path::new(name).components().collect();
    assert!(matches!(parts[..], [Component::Normal(part)] if part == name), "{name:?}");
    let barred = |c: char| "/\\:*?\"<>|".contains(c) || steers(c) || "\u{200b}\u{200c}\u{200d}\u{feff}".contains(c);
    assert!(!name.contains(barred), "{name:?}");
}

/// What moves a cursor, changes a colour, ends a line or turns the direction of writing: Unicode's controls, its two
/// separators, and the marks of UAX 9.
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn name_seeds() -> Vec<Vec<u8>> {
    let long = format!("{}.pdf", "\u{e4}".repeat(300));
    let many_dots = ".".repeat(300);
    let plain = ["letter.pdf", "Befund – Müller.pdf", "a.b.c", "archive.tar.gz", &long, &many_dots];
    plain.iter().chain(&hostile::TEXTS).map(|text| text.as_bytes().to_vec()).collect()
}

/// A person's terminal shows a hostile title as one line that steers nothing, and a script reads it as it is.
pub(super) fn terminal(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    let entries = [samples::entry(&text, &text), samples::entry("Finding", "finding.pdf")];
    let table = output::table(&entries, &TimeZone::UTC);
    assert_eq!(table.lines().count(), 3, "a title is more than one line");
    assert!(table.lines().all(|line| line.chars().count() < 200), "a title is as long as it likes");
    let overview = overview(&text);
    let status = output::status_lines(&overview, &TimeZone::UTC);
    assert_eq!(status.lines().count(), 7, "a name is more than one line");
    let home = Path::new("/home/e/account");
    let others = [texts::accepted(&text, &text, home), texts::already_accepted(&text), texts::shown(Path::new(&*text))];
    assert_eq!(others.each_ref().map(|said| said.lines().count()), [3, 1, usize::from(!text.is_empty())]);
    for shown in others.into_iter().chain([table, status]) {
        assert!(!shown.replace('\n', "").contains(steers), "{shown:?}");
    }
    for object in [output::list_object(&entries, &[]), output::status_object(&overview, &[])] {
        let line = output::line(&object);
        assert!(!line.contains(steers), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), object, "a script reads something else");
    }
    Verdict::taken(names::harmless(&text) == text)
}

fn overview(text: &str) -> Overview {
    Overview {
        owner: Owner { practice: text.into(), patient: text.into(), device_name: text.into() },
        documents: Some(1),
        relay: samples::relay(),
        relay_reachable: true,
        safe_reachable: Some(true),
        epoch: 1,
        set_back: None,
        keys: "/home/e/account".into(),
    }
}

pub(super) fn terminal_seeds() -> Vec<Vec<u8>> {
    name_seeds()
}
