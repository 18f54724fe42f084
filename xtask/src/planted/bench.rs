//! Where bugs are planted: the copy, what was built from it, and which tests run here at all.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use super::bug::Bug;
use super::scratch::Scratch;
use super::trial::{Call, Trial};
use crate::reliability::evidence::Outcome;
use crate::suite::{Binary, Selection, TestName, build, memory};

/// The workbench.
#[derive(Debug)]
pub(super) struct Bench {
    scratch: Scratch,
    /// Why a test has nothing to work with on this machine, in its own words.
    idle: BTreeMap<TestName, String>,
}

impl Bench {
    /// Lays the copy out.
    pub(super) fn open() -> Result<Self> {
        Ok(Self { scratch: Scratch::open()?, idle: BTreeMap::new() })
    }

    /// Every test on the tree as it is: one that fails anyway proves nothing of a bug. Those that a run of all tests has
    /// just judged on this very tree are not run again. Says how many were.
    pub(super) fn control(&mut self, bugs: &[Bug]) -> Result<usize> {
        let known = memory::recall();
        let (mut unknown, tests) = (Vec::new(), bugs.iter().flat_map(|bug| &bug.tests).collect::<BTreeSet<_>>());
        for test in tests {
            match verdict(&known, test) {
                Some(Outcome::Passed) => {}
                Some(Outcome::Skipped(why)) => drop(self.idle.insert(test.clone(), why.clone())),
                Some(Outcome::Failed) | None => unknown.push(test),
            }
        }
        self.ask_all(bugs, &unknown)?;
        Ok(unknown.len())
    }

    fn ask_all(&mut self, bugs: &[Bug], tests: &[&TestName]) -> Result<()> {
        let is_asked = |bug: &&Bug| bug.tests.iter().any(|test| tests.contains(&test));
        if bugs.iter().filter(is_asked).any(|bug| bug.programs) {
            build::programs(&self.scratch.tree, &self.scratch.target)?;
        }
        let selections: BTreeSet<Selection> = tests.iter().map(|test| Selection::of(test)).collect();
        let built = self.build(selections.iter())?;
        for test in tests {
            let answer = Call::of(find(&built, test)?, test)?.run()?;
            ensure!(answer.passed(), "{test} fails with no bug planted:\n{}", answer.text);
            if let Some(skip) = answer.skip() {
                self.idle.insert((*test).clone(), skip);
            }
        }
        Ok(())
    }

    /// Plants one bug, asks its tests, and mends the copy again.
    pub(super) fn try_out(&self, bug: &Bug) -> Trial {
        let tests: Vec<&TestName> = bug.tests.iter().filter(|test| !self.idle.contains_key(*test)).collect();
        if tests.is_empty() {
            return Trial::Skipped(bug.tests.iter().filter_map(|test| self.idle.get(test)).cloned().collect());
        }
        let tried = self.scratch.apply(&bug.patch).and_then(|()| self.ask(bug, &tests));
        let mended = self.scratch.restore();
        tried.and_then(|trial| mended.map(|()| trial)).unwrap_or_else(Trial::Broken)
    }

    fn ask(&self, bug: &Bug, tests: &[&TestName]) -> Result<Trial> {
        if bug.programs {
            build::programs(&self.scratch.tree, &self.scratch.target)?;
        }
        let built = self.build(bug.selections().iter())?;
        let mut answers = Vec::new();
        for test in tests {
            let answer = Call::of(find(&built, test)?, test)?.run()?;
            ensure!(!answer.timed_out(), "{test} did not end: a bug is to make it fail, not hang");
            answers.push(((*test).clone(), answer));
        }
        Ok(Trial::of(answers))
    }

    fn build<'a>(&self, selections: impl Iterator<Item = &'a Selection>) -> Result<Vec<Binary>> {
        let one = |selection: &Selection| {
            let built = build::one(selection, &self.scratch.tree, &self.scratch.target);
            built.with_context(|| format!("{} {}", selection.package, selection.target))
        };
        selections.map(one).collect()
    }
}

/// What is known of the one test that is meant.
fn verdict<'a>(known: &'a BTreeMap<TestName, Outcome>, test: &TestName) -> Option<&'a Outcome> {
    let is_meant =
        |name: &TestName| name.package == test.package && name.target == test.target && name.is_named(&test.path);
    known.iter().find(|(name, _)| is_meant(name)).map(|(_, outcome)| outcome)
}

fn find<'a>(built: &'a [Binary], test: &TestName) -> Result<&'a Binary> {
    let Some(binary) = built.iter().find(|one| one.package == test.package && one.target == test.target) else {
        bail!("{test} is in no program that was built");
    };
    Ok(binary)
}
