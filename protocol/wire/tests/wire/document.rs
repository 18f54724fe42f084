//! `docs/protocol.md` against the code: a label, number or limit that the page does not name is one nobody reviewed.

use std::collections::BTreeSet;
use std::path::Path;

use rohrpost_wire::{ErrorCode, limits};

const PAGE: &str = include_str!("../../../../docs/protocol.md");

/// Every label in a source file, without the zero byte that may end it.
fn labels(source: &str) -> impl Iterator<Item = &str> {
    source.match_indices("\"rohrpost/1 ").filter_map(|(at, _)| {
        let label = source[at + 1..].split('"').next()?;
        Some(label.trim_end_matches("\\0"))
    })
}

fn gather(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else {
            let source = std::fs::read_to_string(path).unwrap();
            found.extend(labels(&source).map(str::to_owned));
        }
    }
}

#[test]
fn the_page_names_every_label() {
    let mut found = BTreeSet::new();
    for krate in ["src", "../e2ee/src"] {
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join(krate), &mut found);
    }
    assert!(found.len() > 20, "only {} labels found", found.len());
    for label in found {
        let named = PAGE.contains(&format!("`{label}`")) || PAGE.contains(&format!("`{label}\\0`"));
        assert!(named, "{label} is not in the page");
    }
}

#[test]
fn the_page_names_every_error_code_under_its_number() {
    for code in (0..=u16::MAX).map_while(ErrorCode::from_number) {
        let name: String = format!("{code:?}")
            .chars()
            .flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain(c.to_lowercase()))
            .collect();
        let row = format!("| {} | {} |", code.number(), name.trim());
        assert!(PAGE.contains(&row), "no row {row}");
    }
}

#[test]
fn the_page_names_the_limits_of_lengths() {
    let grouped = |number: usize| format!("{},{:03}", number / 1000, number % 1000);
    for limit in [limits::FRAME_BYTES, limits::RECORDS_BYTES] {
        assert!(PAGE.contains(&grouped(limit)), "{limit} is not in the page");
    }
    assert!(PAGE.contains("1,050,624") && limits::ENVELOPE_BYTES == 1_050_624);
}
