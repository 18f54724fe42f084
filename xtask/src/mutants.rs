//! `cargo xtask mutants`: each line that decides is changed in every way that a tool knows, and some test has to notice.
//!
//! Files with the most to lose come first. A mutant that survives is explained in `docs/mutants.md` or fails the step.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rohrpost_figures::Figures;

use crate::command::{self, answers, program};
use crate::long::{bounded, goes_on};
use crate::planted::scratch::target_folder;
use crate::reliability::machine;
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
    let page = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let mut told = Vec::new();
    let wanted = |target: &&Target| words.is_empty() || words.iter().any(|word| target.package.contains(word.as_str()));
    for target in TARGETS.iter().filter(wanted) {
        told.push(target.mutate(&output.join(target.package))?);
    }
    let sum = |count: fn(&Told) -> usize| u64::try_from(told.iter().map(count).sum::<usize>()).unwrap_or(u64::MAX);
    let (caught, survived) = (sum(|told| told.caught), sum(|told| told.missed.len()));
    ensure!(caught > 0, "no mutant was caught; was any made?");
    let unexplained: Vec<_> = told.iter().flat_map(|told| &told.missed).filter(|it| !explains(&page, it)).collect();
    ensure!(unexplained.is_empty(), "{PAGE} does not explain: {unexplained:#?}");
    if words.is_empty() {
        fs::write(PAGE, with_figures(&page, &told)?).with_context(|| format!("cannot write {PAGE}"))?;
    }
    Figures::of("mutants").count("caught", caught).count("survived, explained", survived).publish();
    Ok(Outcome::Pass)
}

/// How it went in one package.
#[derive(Debug)]
struct Told {
    package: &'static str,
    caught: usize,
    /// Changes that do not compile.
    unviable: usize,
    missed: Vec<String>,
}

impl Target {
    /// What was caught before, with the same sources, is not tried again.
    fn mutate(&self, folder: &Path) -> Result<Told> {
        let sources = command::read(program("git", &["ls-files", "--stage", "--"]).args(self.files))?;
        goes_on(folder, &sources)?;
        let mut call = bounded(300, ["cargo", "mutants", "--package", self.package]);
        call.arg("--output").arg(folder).args(self.files.iter().flat_map(|file| ["--file", file]));
        call.args([
            "--baseline",
            "skip",
            "--timeout",
            "180",
            "--jobs",
            "1",
            "--no-shuffle",
            "--iterate",
            "--",
            self.tests,
        ]);
        let (status, text) = command::outcome(&mut call)?;
        // Ends with 2 where mutants were missed and 3 where some ran out of time: both are judged by the caller.
        ensure!(matches!(status.code(), Some(0 | 2 | 3)), "mutating {} ended with {status}:\n{text}", self.package);
        let list = |name: &str| fs::read_to_string(folder.join("mutants.out").join(name)).unwrap_or_default();
        let lines = |name: &str| list(name).lines().map(str::to_owned).collect::<Vec<_>>();
        // A run that goes on lists those of earlier ones as caught.
        let kept = folder.join("unviable.txt");
        let earlier = fs::read_to_string(&kept).unwrap_or_default();
        let unviable: BTreeSet<_> = earlier.lines().map(str::to_owned).chain(lines("unviable.txt")).collect();
        fs::write(&kept, unviable.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))?;
        let caught: BTreeSet<_> = CAUGHT.iter().flat_map(|name| lines(name)).collect();
        let caught = caught.difference(&unviable).count();
        Ok(Told { package: self.package, caught, unviable: unviable.len(), missed: lines("missed.txt") })
    }
}

/// The page with the figures of this run in the place of the last one's.
fn with_figures(page: &str, told: &[Told]) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no place for figures"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no end of its figures"))?;
    let mut table =
        format!("{}.\n\n| package | caught | survived | not compiled |\n|---|---|---|---|\n", machine::describe());
    for Told { package, caught, unviable, missed } in told {
        writeln!(table, "| `{package}` | {caught} | {} | {unviable} |", missed.len())?;
    }
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

/// The place in a line moves with every change above it; what was changed into what does not.
fn explains(page: &str, mutant: &str) -> bool {
    let (place, change) = mutant.split_once(": ").unwrap_or(("", mutant));
    let file = place.split(':').next().unwrap_or_default();
    page.lines().any(|line| line.contains(file) && line.contains(change))
}

const PAGE: &str = "docs/mutants.md";
const BEGIN: &str = "<!-- figures, written by cargo xtask mutants -->";
const END: &str = "<!-- end of figures -->";
/// Where the tool lists what was noticed: in this run and in those that it goes on from.
const CAUGHT: [&str; 3] = ["caught.txt", "timeout.txt", "previously_caught.txt"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_last_run_are_replaced_and_the_rest_stays() {
        let page = format!("Head.\n\n{BEGIN}\nold\n{END}\n\n| a | b |\n");
        let told = Told { package: "rohrpost-e2ee", caught: 7, unviable: 2, missed: vec!["one".to_owned()] };
        let written = with_figures(&page, &[told]).unwrap();
        assert!(written.starts_with("Head.\n\n") && written.ends_with("\n\n| a | b |\n") && !written.contains("old"));
        assert!(written.contains("| `rohrpost-e2ee` | 7 | 1 | 2 |"));
        assert_eq!(written.matches(END).count(), 1);
    }

    #[test]
    fn a_survivor_is_explained_by_its_file_and_its_change_wherever_it_stands_now() {
        let page = "| `a/b.rs` | replace < with <= in f | both edges are refused before |\n";
        assert!(explains(page, "a/b.rs:12:9: replace < with <= in f"));
        assert!(!explains(page, "a/b.rs:12:9: replace < with == in f"));
        assert!(!explains(page, "a/c.rs:12:9: replace < with <= in f"));
    }
}
