//! Every type that is decoded is decoded by a target.

use std::collections::BTreeSet;

use rohrpost_fuzz::{KINDS, TARGETS};

use super::sources;

/// Types that are decoded otherwise than with the one encoding, or only within another type, and the target that does it.
const ELSEWHERE: [(&str, &str); 14] = [
    ("Body", "link"),
    ("Limits", "relay_config"),
    ("FileConfig", "relay_config"),
    ("PublicPlace", "relay_config"),
    ("Request", "desk"),
    ("Patient", "desk"),
    ("Document", "desk"),
    ("Device", "desk"),
    ("Entry", "desk"),
    ("Condition", "desk"),
    ("Standing", "desk"),
    ("Structure", "desk"),
    ("Failure", "desk"),
    ("Kind", "desk"),
];

/// The names of the types in a source that can be decoded, by derive or by hand.
fn decoded(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut derives = false;
    for line in text.lines().map(str::trim) {
        derives |= line.starts_with("#[derive(") && line.contains("Deserialize");
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        if let Some(at) = words.iter().position(|word| ["struct", "enum"].contains(word)) {
            found.extend(words.get(at + 1).filter(|_| derives).map(|name| (*name).to_owned()));
            derives = false;
        }
        if let Some((_, name)) = line.split_once("Deserialize<'de> for ") {
            found.extend(name.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_type_that_is_decoded_stands_in_the_table_of_a_target() {
    let known: BTreeSet<&str> =
        KINDS.iter().map(|(name, _)| *name).chain(ELSEWHERE.iter().map(|(name, _)| *name)).collect();
    let mut seen = BTreeSet::new();
    for (path, text) in sources() {
        for name in decoded(&text) {
            // Bytes of a fixed length, of which every other type is made.
            if name != "Fixed" {
                assert!(known.contains(name.as_str()), "{}: no target decodes {name}", path.display());
                seen.insert(name);
            }
        }
    }
    let gone: Vec<_> = known.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(gone.is_empty(), "no longer decoded anywhere: {gone:?}");
    for (name, target) in ELSEWHERE {
        assert!(TARGETS.iter().any(|known| known.name == target), "{name} is said to be decoded by {target}");
    }
}

#[test]
fn a_type_that_is_decoded_is_found_in_either_form() {
    let source = "#[derive(Clone, Serialize, Deserialize)]\n#[serde(x)]\npub struct New {\n    a: u8,\n}\nstruct Other;\n\
                  impl<'de> Deserialize<'de> for ByHand {";
    assert_eq!(decoded(source), ["New", "ByHand"]);
}
