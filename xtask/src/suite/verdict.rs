//! What a test program says of its tests, read from the text that it writes for people.
//!
//! A test that has nothing to work with here says `SKIP what: why` and ends well. It is not counted as passed.

use std::collections::BTreeMap;

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Its path in the program.
    pub(crate) name: String,
    pub(crate) ended: Ended,
    /// What it left out, in its own words.
    pub(crate) skipped: Vec<String>,
}

/// Whether a test held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It held.
    Passed,
    /// It did not.
    Failed,
}

/// Reads all verdicts.
pub(crate) fn read(text: &str) -> Vec<Verdict> {
    let mut skips = skips(text);
    let verdict = |(name, ended): (&str, Ended)| {
        let skipped = skips.remove(name).unwrap_or_default();
        Verdict { name: name.to_owned(), ended, skipped }
    };
    text.lines().filter_map(ending).map(verdict).collect()
}

/// What the test says it left out, when a single one ran and nothing was captured.
pub(crate) fn skip_lines(text: &str) -> Vec<String> {
    // The program writes `test name ... ` before the test speaks, on the same line.
    let said = text.lines().filter_map(|line| line.rsplit_once("SKIP ").filter(|(before, _)| stands_alone(before)));
    said.map(|(_, rest)| rest.to_owned()).collect()
}

fn stands_alone(before: &str) -> bool {
    before.is_empty() || (before.starts_with("test ") && before.ends_with(" ... "))
}

fn ending(line: &str) -> Option<(&str, Ended)> {
    let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    // A program that makes its tests of a table pads their names.
    let name = name.trim_end();
    match word {
        "ok" => Some((name, Ended::Passed)),
        "FAILED" => Some((name, Ended::Failed)),
        _ => None,
    }
}

/// The lines that begin with `SKIP` in what each test wrote.
fn skips(text: &str) -> BTreeMap<&str, Vec<String>> {
    let (mut found, mut speaker) = (BTreeMap::<&str, Vec<String>>::new(), None);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            speaker = Some(name);
        } else if let (Some(name), Some(skip)) = (speaker, line.strip_prefix("SKIP ")) {
            found.entry(name).or_default().push(skip.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\nrunning 3 tests\ntest a::one ... ok\ntest a::two ... FAILED\ntest three ... ok\n\n\
        successes:\n\n---- three stdout ----\nSKIP samples: no folder\nfigures x.y: tries 3;\n\nsuccesses:\n    a::one\n\n\
        failures:\n\n---- a::two stdout ----\nthread panicked\n\ntest result: FAILED. 2 passed; 1 failed\n";

    #[test]
    fn each_test_has_its_verdict_and_what_it_left_out() {
        let verdicts = read(TEXT);
        let names: Vec<_> = verdicts.iter().map(|one| (one.name.as_str(), one.ended)).collect();
        assert_eq!(names, [("a::one", Ended::Passed), ("a::two", Ended::Failed), ("three", Ended::Passed)]);
        assert_eq!(verdicts[2].skipped, ["samples: no folder"]);
        assert!(verdicts[0].skipped.is_empty());
    }

    #[test]
    fn a_single_test_may_speak_on_the_line_that_names_it() {
        assert_eq!(skip_lines("test a ... SKIP loop: no root\nok\n"), ["loop: no root"]);
        assert_eq!(skip_lines("SKIP loop: no root\n"), ["loop: no root"]);
        assert!(skip_lines("test a ... ok\nwe do not SKIP anything\n").is_empty());
    }
}
