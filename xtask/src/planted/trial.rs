//! One test asked about one bug, and what became of the bug.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Error, Result, bail};

use crate::command::{self, program};
use crate::step::now;
use crate::suite::{Binary, TestName, verdict};

/// What became of a bug.
#[derive(Debug)]
pub(super) enum Trial {
    /// By each of these, in this time.
    Caught(Vec<(TestName, Duration)>),
    /// These hold although it is there.
    Escaped(Vec<TestName>),
    /// No test that would notice can run here; their reasons.
    Skipped(Vec<String>),
    /// It does not apply, does not build, or a test cannot be asked.
    Broken(Error),
}

impl Trial {
    /// Judges: every test that claims to notice has to.
    pub(super) fn of(answers: Vec<(TestName, Answer)>) -> Self {
        let (blind, saw): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.passed());
        if blind.is_empty() {
            Self::Caught(saw.into_iter().map(|(test, answer)| (test, answer.took)).collect())
        } else {
            Self::Escaped(blind.into_iter().map(|(test, _)| test).collect())
        }
    }

    /// How long its tests took.
    pub(super) fn seconds(&self) -> f64 {
        match self {
            Self::Caught(tests) => tests.iter().map(|(_, took)| took.as_secs_f64()).sum(),
            Self::Escaped(_) | Self::Skipped(_) | Self::Broken(_) => 0.0,
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(tests) => {
                let one = |(test, took): &(TestName, Duration)| format!("{test} ({:.1} s)", took.as_secs_f64());
                write!(f, "caught by {}", tests.iter().map(one).collect::<Vec<_>>().join(" and "))
            }
            Self::Escaped(tests) => {
                let names: Vec<_> = tests.iter().map(ToString::to_string).collect();
                write!(f, "ESCAPED: {} passes although it is there", names.join(" and "))
            }
            Self::Skipped(reasons) => write!(f, "SKIP: {}", reasons.join("; ")),
            Self::Broken(error) => write!(f, "WRONG: {error:#}"),
        }
    }
}

/// A call of one test alone.
#[derive(Debug)]
pub(super) struct Call<'a> {
    binary: &'a Binary,
    /// Its whole path in the program.
    path: String,
}

impl<'a> Call<'a> {
    /// Finds the test in its program; the patch may leave its modules out.
    pub(super) fn of(binary: &'a Binary, test: &TestName) -> Result<Self> {
        let list = command::read(&mut binary.call(&["--list", "--format", "terse"]))?;
        let paths = list.lines().filter_map(|line| line.strip_suffix(": test"));
        let is_meant = |path: &&str| TestName { path: (*path).to_owned(), ..test.clone() }.is_named(&test.path);
        let matching: Vec<_> = paths.filter(is_meant).collect();
        match matching.as_slice() {
            [path] => Ok(Self { binary, path: (*path).to_owned() }),
            [] => bail!("there is no test {test}"),
            several => bail!("{test} may be any of {}", several.join(", ")),
        }
    }

    /// Runs it.
    pub(super) fn run(&self) -> Result<Answer> {
        let binary = self.binary.path.to_string_lossy();
        let limit = LIMIT_SECONDS.to_string();
        let mut call = program("timeout", &["--kill-after=5", &limit, &binary]);
        call.args([&self.path, "--exact", "--nocapture", "--test-threads=1", "--color=never"]);
        call.current_dir(&self.binary.folder).env("CARGO_MANIFEST_DIR", &self.binary.folder);
        // Figures of a broken product are nobody's.
        call.env_remove(crate::suite::FIGURES);
        let begun = now();
        let (status, text) = command::outcome(&mut call)?;
        Ok(Answer { status, took: now() - begun, text })
    }
}

/// What the test said.
#[derive(Debug)]
pub(super) struct Answer {
    status: ExitStatus,
    took: Duration,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn passed(&self) -> bool {
        self.status.success()
    }

    /// 124 is how `timeout` says so, 137 how it ends what does not listen.
    pub(super) fn timed_out(&self) -> bool {
        matches!(self.status.code(), Some(124 | 137))
    }

    /// Why it had nothing to work with, if it says so.
    pub(super) fn skip(&self) -> Option<String> {
        let skips = verdict::skip_lines(&self.text);
        (!skips.is_empty()).then(|| skips.join("; "))
    }
}

/// A test that is asked at every commit is done long before.
const LIMIT_SECONDS: u32 = 120;

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn answer(code: i32) -> Answer {
        Answer { status: ExitStatus::from_raw(code << 8), took: Duration::from_secs(1), text: String::new() }
    }

    #[test]
    fn a_bug_that_one_of_its_tests_does_not_see_has_escaped() {
        let test = |name| TestName::parse(&format!("rohrpost-e2ee::lib::{name}")).unwrap();
        let caught = Trial::of(vec![(test("a"), answer(101)), (test("b"), answer(101))]);
        assert!(matches!(&caught, Trial::Caught(tests) if tests.len() == 2), "{caught}");
        let escaped = Trial::of(vec![(test("a"), answer(101)), (test("b"), answer(0))]);
        assert!(matches!(&escaped, Trial::Escaped(tests) if *tests == [test("b")]), "{escaped}");
    }

    #[test]
    fn a_test_that_never_ends_has_not_failed() {
        assert!(answer(124).timed_out() && answer(137).timed_out());
        assert!(!answer(101).timed_out() && !answer(0).timed_out());
    }
}
