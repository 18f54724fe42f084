//! The test programs that cargo builds, run one by one, so that each test's verdict is known by name.
//!
//! `cargo test` mixes what it says with what the programs say. Here cargo only builds; a program runs as cargo would
//! run it, in its package's folder, and what a passing test wrote (a skip, a figure) is kept as well.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::command;
use crate::step::now;

pub(crate) mod build;
pub(crate) mod memory;
pub(crate) mod verdict;

pub(crate) use build::{Binary, Selection};
pub(crate) use verdict::{Ended, Verdict};

/// A test by its full name: the package, `lib` or the name of a target, and the path of the test in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestName {
    pub(crate) package: String,
    pub(crate) target: String,
    pub(crate) path: String,
}

impl TestName {
    /// Reads `package::target::path::of::the_test`.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let mut parts = name.splitn(3, "::");
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let name_read = Self { package: part(), target: part(), path: part() };
        ensure!(!name_read.path.is_empty(), "`{name}` is not of the form package::target::test");
        Ok(name_read)
    }

    /// Whether this names the test; the modules in front may be left out.
    pub(crate) fn is_named(&self, path: &str) -> bool {
        self.path.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with("::"))
    }
}

impl std::fmt::Display for TestName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{}::{}", self.package, self.target, self.path)
    }
}

/// What one test program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) binary: Binary,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) took: Duration,
    /// Everything ended well, by the program's own word.
    pub(crate) passed: bool,
    /// What it said.
    pub(crate) text: String,
}

impl Ran {
    /// Its verdicts with the tests' full names.
    pub(crate) fn named(&self) -> impl Iterator<Item = (TestName, &Verdict)> {
        let Binary { package, target, .. } = &self.binary;
        self.verdicts.iter().map(|verdict| {
            let path = verdict.name.clone();
            (TestName { package: package.clone(), target: target.clone(), path }, verdict)
        })
    }
}

/// Runs all tests of a program and reads their verdicts.
pub(crate) fn run(binary: Binary) -> Result<Ran> {
    let begun = now();
    let (status, text) = command::outcome(&mut binary.call(&["--show-output", "--color", "never"]))?;
    let verdicts = verdict::read(&text);
    Ok(Ran { binary, verdicts, took: now() - begun, passed: status.success(), text })
}

/// The folder in which tests leave what they measured; see the package `rohrpost-figures`.
pub(crate) const FIGURES: &str = "ROHRPOST_FIGURES";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tests_full_name_is_package_target_and_path() {
        let name = TestName::parse("rohrpost-relay::lib::quota::tests::a_b").unwrap();
        assert_eq!((name.package.as_str(), name.target.as_str()), ("rohrpost-relay", "lib"));
        assert_eq!(name.path, "quota::tests::a_b");
        assert_eq!(name.to_string(), "rohrpost-relay::lib::quota::tests::a_b");
        assert!(TestName::parse("rohrpost-relay::lib").is_err());
    }

    #[test]
    fn a_test_may_be_named_without_its_modules_but_not_in_part() {
        let name = TestName::parse("rohrpost-relay::lib::quota::tests::a_b").unwrap();
        assert!(name.is_named("a_b") && name.is_named("tests::a_b") && name.is_named("quota::tests::a_b"));
        assert!(!name.is_named("b") && !name.is_named("not_a_b"));
    }
}
