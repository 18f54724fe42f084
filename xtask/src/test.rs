//! `cargo xtask test`: every test of the workspace.
//!
//! What `cargo test --workspace --locked` runs, in two steps: a failure of the first does not hide the second. Programs
//! that passed are a line each; what was skipped and measured in them is shown all the same.

use anyhow::{Result, ensure};

use crate::command::{self, cargo};
use crate::reliability::evidence;
use crate::step::{self, Outcome, Step};
use crate::suite::{self, Ended, Ran, build, memory};

/// Runs the tests.
pub(crate) fn run(wanted: &[String]) -> Result<()> {
    step::run(steps(), wanted)
}

/// Unit and integration tests, then the examples in the documentation.
pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("test", tests), Step::new("doctest", documentation)]
}

fn tests() -> Result<Outcome> {
    let before = memory::fingerprint();
    let results = all()?;
    memory::remember(before, &results)?;
    if let Some(folder) = evidence::folder() {
        evidence::keep_tests(&folder, &results)?;
    }
    let failed = failures(&results);
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(Outcome::Pass)
}

fn documentation() -> Result<Outcome> {
    command::run(&mut cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]))?;
    Ok(Outcome::Pass)
}

/// Runs every test program, telling of each as it ends.
fn all() -> Result<Vec<Ran>> {
    // Some tests start the programs as a person does.
    command::run(&mut cargo(&["build", "--workspace", "--locked", "--bins"]))?;
    let mut results = Vec::new();
    for binary in build::workspace()? {
        let ran = suite::run(binary)?;
        tell(&ran);
        results.push(ran);
    }
    Ok(results)
}

fn tell(ran: &Ran) {
    if ran.verdicts.is_empty() && ran.passed {
        return;
    }
    let (count, seconds) = (ran.verdicts.len(), ran.took.as_secs_f64());
    println!("{} {}: {count} tests ({seconds:.1} s)", ran.binary.package, ran.binary.target);
    for (test, verdict) in ran.named() {
        verdict.skipped.iter().for_each(|skip| println!("    SKIP {skip} ({})", test.path));
    }
    if ran.passed {
        ran.text.lines().filter(|line| line.starts_with("figures ")).for_each(|line| println!("    {line}"));
    } else {
        println!("{}", ran.text);
    }
}

/// The tests that failed, and the programs that ended badly without a failed test.
fn failures(results: &[Ran]) -> Vec<String> {
    let mut failed = Vec::new();
    for ran in results.iter().filter(|ran| !ran.passed) {
        let tests: Vec<_> = ran.named().filter(|(_, verdict)| verdict.ended == Ended::Failed).collect();
        failed.extend(tests.iter().map(|(test, _)| test.to_string()));
        if tests.is_empty() {
            failed.push(format!("{} {} as a whole", ran.binary.package, ran.binary.target));
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::suite::{Binary, verdict};

    fn ended(text: &str, passed: bool) -> Ran {
        let (path, folder) = (PathBuf::from("t"), PathBuf::from("."));
        let binary = Binary { package: "p".to_owned(), target: "lib".to_owned(), path, folder };
        Ran { binary, verdicts: verdict::read(text), took: Duration::ZERO, passed, text: text.to_owned() }
    }

    #[test]
    fn a_program_that_dies_without_a_verdict_has_failed() {
        let good = ended("test a ... ok\n", true);
        let bad = ended("test a ... ok\ntest b ... FAILED\n", false);
        let died = ended("test a ... ok\n", false);
        assert_eq!(failures(&[good, bad, died]), ["p::lib::b", "p lib as a whole"]);
    }
}
