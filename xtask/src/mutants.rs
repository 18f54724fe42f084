//! `cargo xtask mutants`: each line that decides is changed in every way that a tool knows, and some test has to notice.
//!
//! Files with the most to lose come first. A mutant that survives is explained in `docs/mutants.md` or fails the step.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use rohrpost_figures::Figures;

use crate::command::{self, answers};
use crate::long::{bounded, goes_on};
use crate::planted::scratch::target_folder;
use crate::step::{self, Outcome, Step};

/// What is mutated, and whose tests have to notice.
#[derive(Clone, Copy, Debug)]
struct Target {
    package: &'static str,
    files: &'static [&'static str],
    /// Which of its tests, in cargo's words.
    tests: &'static str,
}

const TARGETS: [Target; 2] = [
    Target {
        package: "rohrpost-safe-agent",
        files: &[
            "safe-agent/src/grants.rs",
            "safe-agent/src/requests.rs",
            "safe-agent/src/requests/past.rs",
            "safe-agent/src/handlers/*.rs",
        ],
        tests: "--lib",
    },
    // The published vectors and the debug output are tests of their own there.
    Target {
        package: "rohrpost-e2ee",
        files: &["protocol/e2ee/src/exchange.rs", "protocol/e2ee/src/exchange/*.rs", "protocol/e2ee/src/window.rs"],
        tests: "--tests",
    },
];

/// Mutates the packages whose names contain one of these words, or all.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let words = words.to_vec();
    step::run(vec![Step::new("mutants", move || check(&words))], &[])
}

/// Mutates package by package and compares the survivors with those that are explained.
fn check(words: &[String]) -> Result<Outcome> {
    if !answers("cargo", &["mutants", "--version"]) {
        let how = "cargo-mutants is not installed (cargo install --locked cargo-mutants)";
        return Ok(Outcome::Skip(how.to_owned()));
    }
    let output = target_folder()?.join("mutants");
    // What was caught before at this commit is not tried again.
    goes_on(&output)?;
    let explained = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let (mut caught, mut survived, mut unexplained) = (0, 0, Vec::new());
    let wanted = |target: &&Target| words.is_empty() || words.iter().any(|word| target.package.contains(word.as_str()));
    for target in TARGETS.iter().filter(wanted) {
        let folder = output.join(target.package);
        target.mutate(&folder.to_string_lossy())?;
        let list = |name: &str| fs::read_to_string(folder.join("mutants.out").join(name)).unwrap_or_default();
        let missed = list("missed.txt");
        caught += CAUGHT.iter().map(|name| list(name).lines().count()).sum::<usize>();
        survived += missed.lines().count();
        unexplained.extend(missed.lines().filter(|mutant| !explains(&explained, mutant)).map(str::to_owned));
    }
    ensure!(caught > 0, "no mutant was caught; was any made?");
    ensure!(unexplained.is_empty(), "{PAGE} does not explain: {}", unexplained.join("; "));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Figures::of("mutants").count("caught", count(caught)).count("survived, explained", count(survived)).publish();
    Ok(Outcome::Pass)
}

impl Target {
    /// Ends with 2 where mutants were missed and 3 where some ran out of time: both are judged by the caller.
    fn mutate(&self, output: &str) -> Result<()> {
        let mut call = bounded(300, ["cargo", "mutants", "--package", self.package, "--output", output]);
        call.args(self.files.iter().flat_map(|file| ["--file", file]));
        call.args([
            "--baseline",
            "skip",
            "--timeout",
            "120",
            "--jobs",
            "1",
            "--no-shuffle",
            "--iterate",
            "--",
            self.tests,
        ]);
        let (status, text) = command::outcome(&mut call)?;
        ensure!(matches!(status.code(), Some(0 | 2 | 3)), "mutating {} ended with {status}:\n{text}", self.package);
        Ok(())
    }
}

/// The place in a line moves with every change above it; what was changed into what does not.
fn explains(page: &str, mutant: &str) -> bool {
    let (place, change) = mutant.split_once(": ").unwrap_or(("", mutant));
    let file = place.split(':').next().unwrap_or_default();
    page.lines().any(|line| line.contains(file) && line.contains(change))
}

const PAGE: &str = "docs/mutants.md";
/// Where the tool lists what was noticed: in this run and in those that it goes on from.
const CAUGHT: [&str; 3] = ["caught.txt", "timeout.txt", "previously_caught.txt"];

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
