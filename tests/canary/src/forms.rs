//! All forms of a secret.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::canary::{Canary, Kind};
use crate::{encodings, hashes};

/// One way in which a secret may stand somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// For people.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Counts only where no letter or digit stands beside it.
    pub(crate) alone: bool,
}

/// The forms of a secret, each once.
pub(crate) fn of(canary: &Canary) -> Vec<Form> {
    let mut forms = BTreeMap::new();
    for (part, bytes) in canary.parts() {
        for (name, bytes) in written(canary.kind, bytes) {
            forms.entry(bytes).or_insert_with(|| format!("{part}, {name}"));
        }
    }
    if let (Kind::Text | Kind::Number, Ok(text)) = (canary.kind, std::str::from_utf8(&canary.secret)) {
        for (name, bytes) in hashes::of(text) {
            forms.entry(bytes).or_insert(name);
        }
    }
    let forms = forms.into_iter().filter(|(bytes, _)| bytes.len() >= SHORTEST);
    let is_alone = |bytes: &[u8]| canary.kind == Kind::Number && bytes == canary.secret;
    forms.map(|(bytes, name)| Form { alone: is_alone(&bytes), name, bytes }).collect()
}

/// The names of all forms in which a text is looked for.
pub fn names(canary: &Canary) -> Vec<String> {
    of(canary).into_iter().map(|form| form.name).collect()
}

fn written(kind: Kind, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let sets = match (kind, std::str::from_utf8(bytes)) {
        (Kind::Text, Ok(text)) => [sets(text), cases(text)].concat(),
        (Kind::Number, Ok(text)) => sets(text),
        _ => vec![("raw", bytes.to_vec())],
    };
    let mut all: Vec<_> = sets.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    if kind != Kind::Number {
        all.push(("reversed".to_owned(), bytes.iter().rev().copied().collect()));
    }
    for (set, bytes) in sets.iter().filter(|(set, _)| ENCODED.contains(set)) {
        all.extend(encodings::of(bytes).into_iter().map(|(name, bytes)| (format!("{set} as {name}"), bytes)));
    }
    all
}

/// A text in the character sets that are in use.
fn sets(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(letter).ok()).collect();
    let mut sets = vec![
        ("utf-8", text.as_bytes().to_vec()),
        ("accents apart", text.nfd().collect::<String>().into_bytes()),
        ("accents joined", text.nfc().collect::<String>().into_bytes()),
        ("utf-16le", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("utf-16be", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("utf-32le", text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()),
        ("utf-32be", text.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect()),
    ];
    sets.extend(latin.map(|bytes| ("latin-1", bytes)));
    sets
}

fn cases(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("lower case", text.to_lowercase().into_bytes()),
        ("upper case", text.to_uppercase().into_bytes()),
        ("letters reversed", text.chars().rev().collect::<String>().into_bytes()),
    ]
}

/// The sets that are encoded once more; any set inside base64 or hexadecimal is found by decoding too.
const ENCODED: [&str; 4] = ["raw", "utf-8", "latin-1", "utf-16le"];

/// What is shorter stands anywhere by accident.
const SHORTEST: usize = 6;
