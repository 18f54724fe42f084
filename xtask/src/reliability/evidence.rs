//! What a run of `cargo xtask ci` left in its folder: verdicts, steps and figures.
//!
//! The run writes while it goes; the report reads. So one run can be written up again without another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::figures::{self, Figure};
use crate::step::{Finding, Verdict};
use crate::suite::{Ended, FIGURES, Ran, TestName};

/// The folder that a run is to leave its evidence in, if it is to.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FIGURES).map(PathBuf::from)
}

/// What became of a test or a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Why not, or what was left out.
    Skipped(String),
}

/// How a step ended.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) seconds: String,
    pub(crate) outcome: Outcome,
}

/// A whole run.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) tests: BTreeMap<TestName, Outcome>,
    pub(crate) steps: Vec<Step>,
    pub(crate) figures: Vec<Figure>,
}

impl Evidence {
    /// Reads what a run left.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let figures = figures::read(folder)?;
        ensure!(!figures.is_empty(), "the run left no figures in {}", folder.display());
        Ok(Self { tests: tests(folder)?, steps: steps(folder)?, figures })
    }

    /// What became of the one test that is meant.
    pub(crate) fn verdict(&self, wanted: &TestName) -> Option<&Outcome> {
        let of_target = self.of_target(&wanted.package, &wanted.target);
        of_target.into_iter().find(|(name, _)| name.is_named(&wanted.path)).map(|(_, outcome)| outcome)
    }

    /// What became of all tests of a target.
    pub(crate) fn of_target(&self, package: &str, target: &str) -> Vec<(&TestName, &Outcome)> {
        self.tests.iter().filter(|(name, _)| name.package == package && name.target == target).collect()
    }

    /// What became of a step.
    pub(crate) fn step(&self, wanted: &str) -> Option<&Outcome> {
        self.steps.iter().find(|step| step.name == wanted).map(|step| &step.outcome)
    }
}

/// The verdicts on all tests.
pub(crate) fn tests(folder: &Path) -> Result<BTreeMap<TestName, Outcome>> {
    let mut tests = BTreeMap::new();
    for line in lines(&folder.join(TESTS))? {
        let (name, word) = line.split_once('\t').with_context(|| format!("`{line}` has one field"))?;
        tests.insert(TestName::parse(name)?, outcome(word));
    }
    Ok(tests)
}

/// The steps that have ended so far; the last word on each.
pub(crate) fn steps(folder: &Path) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines(&folder.join(STEPS))? {
        let mut fields = line.splitn(3, '\t');
        let mut field = || fields.next().map(str::to_owned).with_context(|| format!("`{line}` lacks a field"));
        let (name, seconds, word) = (field()?, field()?, field()?);
        steps.retain(|step| step.name != name);
        steps.push(Step { name, seconds, outcome: outcome(&word) });
    }
    Ok(steps)
}

/// Keeps the verdicts of a run of all tests.
pub(crate) fn keep_tests(folder: &Path, results: &[Ran]) -> Result<()> {
    let mut text = String::new();
    for (name, verdict) in results.iter().flat_map(Ran::named) {
        let word = match verdict.ended {
            Ended::Failed => FAILED.to_owned(),
            Ended::Passed if verdict.skipped.is_empty() => PASSED.to_owned(),
            Ended::Passed => one_line(&verdict.skipped.join("; ")),
        };
        writeln!(text, "{name}\t{word}")?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(folder.join(TESTS), text).context("cannot keep the verdicts")
}

/// Keeps how a step ended.
pub(crate) fn keep_step(folder: &Path, finding: &Finding) -> Result<()> {
    let word = match &finding.verdict {
        Verdict::Passed => PASSED.to_owned(),
        Verdict::Failed(_) => FAILED.to_owned(),
        Verdict::Skipped(why) => one_line(why),
    };
    let path = folder.join(STEPS);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let before = fs::read_to_string(&path).unwrap_or_default();
    let line = format!("{}\t{:.1}\t{word}\n", finding.name, finding.took.as_secs_f64());
    fs::write(&path, before + &line).context("cannot keep how a step ended")
}

fn one_line(text: &str) -> String {
    text.replace(['\t', '\n'], " ")
}

fn outcome(word: &str) -> Outcome {
    match word {
        PASSED => Outcome::Passed,
        FAILED => Outcome::Failed,
        why => Outcome::Skipped(why.to_owned()),
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("the run left no {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

const TESTS: &str = "tests.tsv";
const STEPS: &str = "steps.tsv";
const PASSED: &str = "passed";
const FAILED: &str = "FAILED";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_left_something_out_has_not_passed() {
        assert_eq!(outcome("passed"), Outcome::Passed);
        assert_eq!(outcome("FAILED"), Outcome::Failed);
        assert_eq!(outcome("loop: no root"), Outcome::Skipped("loop: no root".to_owned()));
    }

    #[test]
    fn a_verdict_is_found_without_the_modules() {
        let mut evidence = Evidence::default();
        let name = |name| TestName::parse(name).unwrap();
        evidence.tests.insert(name("rohrpost-relay::lib::quota::tests::a_b"), Outcome::Passed);
        assert_eq!(evidence.verdict(&name("rohrpost-relay::lib::a_b")), Some(&Outcome::Passed));
        assert_eq!(evidence.verdict(&name("rohrpost-relay::relay::a_b")), None);
    }
}
