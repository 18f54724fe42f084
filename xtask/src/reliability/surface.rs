//! What can be asked of us or stored by us, each with the tests that attack it.
//!
//! The lists are read from the sources: a new operation, frame or table without a row here turns `cargo xtask ci
//! promises` red. That makes whoever builds a feature say who attacks it.

use std::fs;

use anyhow::{Context, Result};

use super::row::By;

mod frames;
mod operations;
mod tables;

/// An enum whose every variant is a thing to attack.
#[derive(Debug)]
pub(crate) struct Surface {
    /// What it lists, for people.
    pub(crate) title: &'static str,
    file: &'static str,
    name: &'static str,
    pub(crate) rows: &'static [(&'static str, &'static [By])],
}

/// All of them.
pub(crate) const ALL: &[Surface] = &[
    Surface {
        title: "Operations of a request",
        file: "protocol/e2ee/src/body/request.rs",
        name: "Operation",
        rows: operations::ROWS,
    },
    Surface { title: "Frames", file: "protocol/wire/src/frame.rs", name: "Frame", rows: frames::ROWS },
    Surface { title: "Tables of a safe", file: "safe-agent/src/vault/store.rs", name: "Table", rows: tables::SAFE },
    Surface { title: "Tables of a relay", file: "relay/src/spool/table.rs", name: "Table", rows: tables::RELAY },
];

impl Surface {
    /// What the source has and no row, or the other way round.
    pub(crate) fn faults(&self) -> Result<Vec<String>> {
        let source = fs::read_to_string(self.file).with_context(|| format!("cannot read {}", self.file))?;
        let declared = variants(&source, self.name).with_context(|| format!("{} has no {}", self.file, self.name))?;
        let known: Vec<&str> = self.rows.iter().map(|(variant, _)| *variant).collect();
        Ok(differences(self.name, &declared, &known))
    }
}

fn differences(name: &str, declared: &[&str], known: &[&str]) -> Vec<String> {
    let missing = declared.iter().filter(|variant| !known.contains(variant));
    let missing = missing.map(|variant| format!("{name}::{variant} has no row: which test attacks it?"));
    let gone = known.iter().filter(|variant| !declared.contains(variant));
    missing.chain(gone.map(|variant| format!("{name}::{variant} has a row and is gone"))).collect()
}

/// The variants of an enum as rustfmt lays it out: four blanks and a capital.
fn variants<'a>(source: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let start = format!("enum {name} {{");
    let body = source.lines().skip_while(|line| !line.ends_with(&start));
    let body = body.skip(1).take_while(|line| *line != "}");
    let found: Vec<_> = body.filter_map(variant).collect();
    (!found.is_empty()).then_some(found)
}

fn variant(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("    ").filter(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "/// All.\npub enum Table {\n    /// One.\n    Rows = 1,\n    /// Two.\n    Files(Id),\n    \
        Both {\n        Inner: u8,\n    },\n}\n\npub enum Other {\n    Third,\n}\n";

    #[test]
    fn every_variant_is_read_and_no_field() {
        assert_eq!(variants(SOURCE, "Table").unwrap(), ["Rows", "Files", "Both"]);
        assert_eq!(variants(SOURCE, "Missing"), None);
    }

    #[test]
    fn a_variant_without_a_row_and_a_row_without_a_variant_are_named() {
        let faults = differences("Table", &["Rows", "Files"], &["Rows", "Gone"]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("Table::Files") && faults[1].contains("Table::Gone"));
    }
}
