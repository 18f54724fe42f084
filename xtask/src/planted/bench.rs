//! Where bugs are planted: the copy, what was built from it, and which tests run here at all.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use super::bug::Bug;
use super::scratch::Scratch;
use super::trial::{Call, Trial};
use crate::suite::build;
use crate::suite::{Binary, Selection, TestName};

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

    /// Runs every test on the tree as it is: one that fails anyway proves nothing of a bug.
    pub(super) fn control(&mut self, bugs: &[Bug]) -> Result<()> {
        let selections: BTreeSet<Selection> = bugs.iter().flat_map(Bug::selections).collect();
        if bugs.iter().any(|bug| bug.programs) {
            build::programs(&self.scratch.tree, &self.scratch.target)?;
        }
        let built = self.build(selections.iter())?;
        let tests: BTreeSet<&TestName> = bugs.iter().flat_map(|bug| &bug.tests).collect();
        for test in tests {
            let call = Call::of(find(&built, test)?, test)?.run()?;
            ensure!(call.passed(), "{test} fails with no bug planted:\n{}", call.text);
            if let Some(skip) = call.skip() {
                self.idle.insert(test.clone(), skip);
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

fn find<'a>(built: &'a [Binary], test: &TestName) -> Result<&'a Binary> {
    let Some(binary) = built.iter().find(|one| one.package == test.package && one.target == test.target) else {
        bail!("{test} is in no program that was built");
    };
    Ok(binary)
}
