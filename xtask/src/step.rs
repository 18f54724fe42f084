//! What one step of a command is, and how a list of them runs.
//!
//! Every step runs, also after one has failed, so that one round shows everything there is to mend. What could not run
//! is listed with its reason: a skip is never mistaken for a pass.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

/// One named check.
pub(crate) struct Step {
    name: &'static str,
    check: Box<dyn FnOnce() -> Result<Outcome>>,
}

impl Step {
    /// Names a check.
    pub(crate) fn new(name: &'static str, check: impl FnOnce() -> Result<Outcome> + 'static) -> Self {
        Self { name, check: Box::new(check) }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether this is its name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

/// How a check that did not fail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran and found nothing.
    Pass,
    /// The machine lacks what it needs; the text says what.
    Skip(String),
}

/// Runs the steps named in `wanted`, or all where none is named, and fails if any of them does.
pub(crate) fn run(steps: Vec<Step>, wanted: &[String]) -> Result<()> {
    run_telling(steps, wanted, &mut |_| Ok(()))
}

/// The same, telling how each ended.
pub(crate) fn run_telling(
    steps: Vec<Step>,
    wanted: &[String],
    tell: &mut dyn FnMut(&Finding) -> Result<()>,
) -> Result<()> {
    let steps = select(steps, wanted)?;
    let mut summary = Summary::default();
    for step in steps {
        println!("\n=== {}", step.name);
        let begun = now();
        let result = (step.check)();
        let finding = Finding { name: step.name, took: now() - begun, verdict: Verdict::from(result) };
        println!("{finding}");
        tell(&finding)?;
        summary.findings.push(finding);
    }
    println!("\n=== summary\n{summary}");
    let failed = summary.failed();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn select(steps: Vec<Step>, wanted: &[String]) -> Result<Vec<Step>> {
    if let Some(unknown) = wanted.iter().find(|name| !steps.iter().any(|step| step.name == **name)) {
        let known: Vec<_> = steps.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(steps.into_iter().filter(|step| wanted.is_empty() || wanted.iter().any(|name| name == step.name)).collect())
}

/// What became of the steps so far.
#[derive(Debug, Default)]
struct Summary {
    findings: Vec<Finding>,
}

impl Summary {
    fn failed(&self) -> Vec<&'static str> {
        let failed = |finding: &&Finding| matches!(finding.verdict, Verdict::Failed(_));
        self.findings.iter().filter(failed).map(|finding| finding.name).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let count = |wanted: fn(&Verdict) -> bool| self.findings.iter().filter(|one| wanted(&one.verdict)).count();
        let passed = count(|verdict| matches!(verdict, Verdict::Passed));
        let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
        let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// One step's end.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) verdict: Verdict,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Passed => write!(f, "PASS {} ({:.1} s)", self.name, self.took.as_secs_f64()),
            Verdict::Failed(why) => write!(f, "FAIL {} ({:.1} s): {why}", self.name, self.took.as_secs_f64()),
            Verdict::Skipped(why) => write!(f, "SKIP {}: {why}", self.name),
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

impl From<Result<Outcome>> for Verdict {
    fn from(result: Result<Outcome>) -> Self {
        match result {
            Ok(Outcome::Pass) => Self::Passed,
            Ok(Outcome::Skip(reason)) => Self::Skipped(reason),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// The time, to tell how long something took.
#[expect(clippy::disallowed_methods, reason = "the time a step takes is printed and decides nothing")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn every_step_runs_after_one_has_failed() {
        let ran = Rc::new(Cell::new(false));
        let seen = Rc::clone(&ran);
        let steps = vec![
            Step::new("first", || Err(anyhow!("broken"))),
            Step::new("second", move || {
                seen.set(true);
                Ok(Outcome::Pass)
            }),
        ];
        let error = run(steps, &[]).unwrap_err();
        assert_eq!(error.to_string(), "failed: first");
        assert!(ran.get());
    }

    #[test]
    fn a_skip_is_not_a_failure_and_keeps_its_reason() {
        let verdict = Verdict::from(Ok(Outcome::Skip("not installed".to_owned())));
        let summary = Summary { findings: vec![Finding { name: "typos", took: Duration::ZERO, verdict }] };
        assert!(summary.failed().is_empty());
        assert_eq!(summary.to_string(), "SKIP typos: not installed\n0 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn only_the_named_steps_run() {
        let steps = vec![Step::new("wanted", || Ok(Outcome::Pass)), Step::new("other", || Err(anyhow!("ran")))];
        run(steps, &["wanted".to_owned()]).unwrap();
    }

    #[test]
    fn an_unknown_step_is_refused_before_any_runs() {
        let steps = vec![Step::new("known", || Err(anyhow!("ran")))];
        let error = run(steps, &["unknown".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no step `unknown`; there are: known");
    }
}
