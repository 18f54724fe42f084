//! Tests that a document or a table of ours names exist: a promise that points at a test is worth what the test is.
//!
//! A test's name is a sentence, so in our documents every code span of lower-case words with three or more underscores
//! is taken for one.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use super::tree;
use crate::reliability;
use crate::step::Outcome;

/// What a run wrote names what ran then: it may be older than the tests, and some names are made as a program runs.
const WRITTEN_BY_A_RUN: [&str; 2] = ["docs/reliability.md", "docs/reliability-long.md"];

/// Checks every document.
pub(crate) fn check() -> Result<Outcome> {
    let (Some(documents), Some(sources)) = (tree::files(&["*.md"]), tree::files(&["*.rs"])) else {
        return Ok(Outcome::Skip(tree::NO_GIT.to_owned()));
    };
    let mut known = BTreeSet::new();
    for file in sources {
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        known.extend(functions(&source).map(str::to_owned));
    }
    let (mut missing, mut named) = (Vec::new(), 0);
    for file in documents.into_iter().filter(|file| !WRITTEN_BY_A_RUN.contains(&file.as_str())) {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        named += names(&text).count();
        missing.extend(names(&text).filter(|name| !known.contains(*name)).map(|name| format!("{file}: {name}")));
    }
    let faults = reliability::faults()?;
    ensure!(faults.is_empty(), "the tables of promises and attacks: {}", faults.join("; "));
    ensure!(named > 0, "no document names a test; are they written in another way now?");
    if !missing.is_empty() {
        bail!("there is no such test: {}", missing.join("; "));
    }
    Ok(Outcome::Pass)
}

/// What a source file declares.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| line.split_once("fn ")?.1.split(['(', '<']).next())
}

/// What a document names.
fn names(markdown: &str) -> impl Iterator<Item = &str> {
    let spans = markdown.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        let is_word = span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        is_word && span.matches('_').count() >= 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_in_code_is_a_test_and_a_setting_is_none() {
        let text = "| shown by `a_full_mailbox_refuses_the_newest` and `limits`, not `blob_memory` or `A_B_C_D` |";
        assert_eq!(names(text).collect::<Vec<_>>(), ["a_full_mailbox_refuses_the_newest"]);
    }

    #[test]
    fn functions_are_found_whatever_stands_before_them() {
        let source = "fn one() {\n    async fn two_words<T>(t: T) {}\n}\n// nothing\n";
        assert_eq!(functions(source).collect::<Vec<_>>(), ["one", "two_words"]);
    }
}
