//! `cargo xtask mutants`: each line that decides is changed in every way that a tool knows, and some test has to notice.
//!
//! Files with the most to lose come first. A mutant that survives is explained in `docs/mutants.md` or fails the step.

use std::fs;

use anyhow::{Context, Result, ensure};
use rohrpost_figures::Figures;

use crate::command::{self, answers};
use crate::long::bounded;
use crate::planted::scratch::target_folder;
use crate::step::{self, Outcome, Step};

/// What is mutated, and the package whose tests have to notice.
const FILES: [(&str, &str); 7] = [
    ("rohrpost-safe-agent", "safe-agent/src/grants.rs"),
    ("rohrpost-safe-agent", "safe-agent/src/requests.rs"),
    ("rohrpost-safe-agent", "safe-agent/src/requests/past.rs"),
    ("rohrpost-safe-agent", "safe-agent/src/handlers/*.rs"),
    ("rohrpost-e2ee", "protocol/e2ee/src/exchange.rs"),
    ("rohrpost-e2ee", "protocol/e2ee/src/exchange/*.rs"),
    ("rohrpost-e2ee", "protocol/e2ee/src/window.rs"),
];

/// Mutates the files whose names contain one of these words, or all.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let words = words.to_vec();
    step::run(vec![Step::new("mutants", move || check(&words))], &[])
}

/// Mutates file by file and compares the survivors with those that are explained.
fn check(words: &[String]) -> Result<Outcome> {
    if !answers("cargo", &["mutants", "--version"]) {
        let how = "cargo-mutants is not installed (cargo install --locked cargo-mutants)";
        return Ok(Outcome::Skip(how.to_owned()));
    }
    let output = target_folder()?.join("mutants");
    let explained = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let (mut caught, mut survived, mut unexplained) = (0, 0, Vec::new());
    for (package, file) in
        FILES.iter().filter(|(_, file)| words.is_empty() || words.iter().any(|word| file.contains(word.as_str())))
    {
        let folder = output.join(file.replace(['/', '*'], "-"));
        mutate(package, file, &folder.to_string_lossy())?;
        let list = |name: &str| fs::read_to_string(folder.join("mutants.out").join(name)).unwrap_or_default();
        let missed = list("missed.txt");
        caught += list("caught.txt").lines().count() + list("timeout.txt").lines().count();
        survived += missed.lines().count();
        unexplained.extend(missed.lines().filter(|mutant| !explains(&explained, mutant)).map(str::to_owned));
    }
    ensure!(caught > 0, "no mutant was caught; was any made?");
    ensure!(unexplained.is_empty(), "{PAGE} does not explain: {}", unexplained.join("; "));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Figures::of("mutants").count("caught", count(caught)).count("survived, explained", count(survived)).publish();
    Ok(Outcome::Pass)
}

/// Ends with 2 where mutants were missed and 3 where some ran out of time: both are judged here.
fn mutate(package: &str, file: &str, output: &str) -> Result<()> {
    let words = ["cargo", "mutants", "--package", package, "--file", file, "--output", output, "--baseline", "skip"];
    let mut call = bounded(120, words);
    call.args(["--timeout", "120", "--jobs", "1", "--no-shuffle", "--", "--lib"]);
    let (status, text) = command::outcome(&mut call)?;
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "mutating {file} ended with {status}:\n{text}");
    Ok(())
}

/// The place in a line moves with every change above it; what was changed into what does not.
fn explains(page: &str, mutant: &str) -> bool {
    let (place, change) = mutant.split_once(": ").unwrap_or(("", mutant));
    let file = place.split(':').next().unwrap_or_default();
    page.lines().any(|line| line.contains(file) && line.contains(change))
}

const PAGE: &str = "docs/mutants.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_is_explained_by_its_file_and_its_change_wherever_it_stands_now() {
        let page = "| `a/b.rs` | replace < with <= in f | both edges are refused before |\n";
        assert!(explains(page, "a/b.rs:12:9: replace < with <= in f"));
        assert!(!explains(page, "a/b.rs:12:9: replace < with == in f"));
        assert!(!explains(page, "a/c.rs:12:9: replace < with <= in f"));
    }
}
