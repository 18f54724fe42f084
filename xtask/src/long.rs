//! `cargo xtask long [step…]`: what takes hours, with more seeds, more crashes, more inputs and every mutant.
//!
//! Each step has a time bound and stops by itself, so the whole ends. A step that has passed at this commit is not run
//! again, so a run that was interrupted goes on where it was. The figures go to `docs/reliability-long.md` at the end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{self, answers, program};
use crate::planted::scratch::target_folder;
use crate::reliability::evidence::{self, Outcome as Ended};
use crate::reliability::{HEAD, empty, figures, machine, report};
use crate::step::{self, Outcome, Step};
use crate::suite::FIGURES;

/// Runs what has not passed yet at this commit, or the steps named, and writes down what has run by then.
pub(crate) fn run(wanted: &[String]) -> Result<()> {
    let folder = target_folder()?.join("reliability-long");
    prepare(&folder)?;
    let passed = passed(&folder);
    let is_due = |step: &Step| !wanted.is_empty() || !passed.iter().any(|name| step.is(name));
    for name in &passed {
        println!("{name} has passed at this commit");
    }
    let all = steps(&folder);
    let names: Vec<_> = all.iter().map(Step::name).collect();
    let due = all.into_iter().filter(is_due).collect();
    let ended = step::run_telling(due, wanted, &mut |finding| evidence::keep_step(&folder, finding));
    fs::write(PAGE, page(&folder, &names)?).with_context(|| format!("cannot write {PAGE}"))?;
    println!("written to {PAGE}");
    ended
}

fn steps(folder: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    let attacks = (1..).zip(ATTACKS.map(attacks));
    for (seed, suite) in attacks.chain(SUITES.map(|suite| (FIRST_SEED, suite))) {
        let folder = folder.to_owned();
        steps.push(Step::new(suite.name, move || suite.run(&folder, seed)));
    }
    let kept = folder.to_owned();
    steps.push(Step::new("planted", move || ourselves(&["planted", "--long"], 120, &kept)));
    steps.push(Step::new("verifpal", verifpal));
    let kept = folder.to_owned();
    steps.push(Step::new("fuzz", move || ourselves(&["fuzz", "all", "600"], 600, &kept)));
    let kept = folder.to_owned();
    steps.push(Step::new("mutants", move || ourselves(&["mutants"], 600, &kept)));
    steps
}

/// Ten thousand schedules of a malicious relay, in parts with a seed each: what was tried stays tried when a run ends early.
const ATTACKS: [&str; 10] = [
    "attacks-1",
    "attacks-2",
    "attacks-3",
    "attacks-4",
    "attacks-5",
    "attacks-6",
    "attacks-7",
    "attacks-8",
    "attacks-9",
    "attacks-10",
];

/// One of the parts.
fn attacks(name: &'static str) -> Suite {
    Suite {
        name,
        flags: &["--package", "rohrpost-sim", "--test", "sim", "evil::no_schedule"],
        programs: false,
        minutes: 30,
    }
}

/// From which the simulation draws where a suite has but one part.
const FIRST_SEED: u64 = 1;

/// Tests that have a long form.
#[derive(Clone, Copy, Debug)]
struct Suite {
    name: &'static str,
    /// Which tests, in cargo's words.
    flags: &'static [&'static str],
    /// Whether it starts the programs as a person does.
    programs: bool,
    /// What ends it.
    minutes: u32,
}

const SUITES: [Suite; 6] = [
    Suite {
        name: "chaos",
        flags: &["--package", "rohrpost-sim", "--test", "sim", "honest::"],
        programs: false,
        minutes: 120,
    },
    Suite { name: "models", flags: &["--package", "rohrpost-models"], programs: false, minutes: 30 },
    Suite { name: "disk", flags: &["--package", "rohrpost-tests", "--test", "disk"], programs: true, minutes: 60 },
    Suite { name: "access", flags: &["--package", "rohrpost-tests", "--test", "access"], programs: true, minutes: 30 },
    Suite {
        name: "requests",
        flags: &["--package", "rohrpost-safe-agent", "--lib", "requests::"],
        programs: false,
        minutes: 60,
    },
    Suite { name: "twins", flags: &["--package", "rohrpost-fuzz"], programs: false, minutes: 60 },
];

impl Suite {
    /// As a build that ships has it: several times the seeds an hour.
    fn run(self, folder: &Path, seed: u64) -> Result<Outcome> {
        if self.programs {
            command::run(&mut bounded(30, ["cargo", "build", "--workspace", "--bins", "--release", "--locked"]))?;
        }
        let words = ["cargo", "test", "--release", "--locked"].iter().chain(self.flags);
        let mut call = bounded(self.minutes, words);
        call.envs(LONG_FORMS).env("ROHRPOST_SIM_SEED", seed.to_string()).env(FIGURES, folder.join(self.name));
        command::run(&mut call)?;
        Ok(Outcome::Pass)
    }
}

/// The models of the cryptography, and the mutants of them that must fail.
fn verifpal() -> Result<Outcome> {
    if !answers("verifpal", &["--version"]) {
        return Ok(Outcome::Skip("verifpal is not installed (tests/models/README.md says how)".to_owned()));
    }
    command::run(&mut bounded(120, ["bash", "tests/models/verifpal/verify.sh"]))?;
    Ok(Outcome::Pass)
}

/// What makes the tests take their long form: the simulation has numbers of its own.
const LONG_FORMS: [(&str, &str); 3] =
    [("ROHRPOST_LONG", "1"), ("ROHRPOST_SIM_ATTACKS", "1000"), ("ROHRPOST_SIM_WORLDS", "100")];

/// Another command of this program, as a process that can be bounded and told where its figures go.
fn ourselves(words: &[&str], minutes: u32, folder: &Path) -> Result<Outcome> {
    let own = std::env::current_exe().context("where am I?")?;
    let words = std::iter::once(own.as_os_str()).chain(words.iter().map(OsStr::new));
    command::run(bounded(minutes, words).env(FIGURES, folder))?;
    Ok(Outcome::Pass)
}

/// A call that ends by itself and lets others go first.
pub(crate) fn bounded(minutes: u32, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let bound = format!("{minutes}m");
    let mut call = program("timeout", &["--kill-after=1m", &bound, "nice"]);
    call.args(words);
    call
}

/// Goes on with an earlier run at this commit; removes what another left.
fn prepare(folder: &Path) -> Result<()> {
    if goes_on(folder, &machine::commit())? {
        return Ok(());
    }
    fs::write(folder.join(HEAD), machine::describe()).context("cannot keep where this ran")
}

/// Whether a folder of results is of this state; emptied if it is of another, or of changes that are in no commit.
pub(crate) fn goes_on(folder: &Path, state: &str) -> Result<bool> {
    let before = fs::read_to_string(folder.join(STATE)).unwrap_or_default();
    if before == state && !machine::commit().contains(' ') {
        return Ok(true);
    }
    empty(folder)?;
    fs::write(folder.join(STATE), state).context("cannot keep of which state this is")?;
    Ok(false)
}

fn passed(folder: &Path) -> Vec<String> {
    let steps = evidence::steps(folder).unwrap_or_default();
    steps.into_iter().filter(|step| step.outcome == Ended::Passed).map(|step| step.name).collect()
}

fn page(folder: &Path, names: &[&str]) -> Result<String> {
    let head = fs::read_to_string(folder.join(HEAD)).context("the run did not say where it ran")?;
    let ran = evidence::steps(folder).unwrap_or_default();
    let missing = names.iter().filter(|name| ran.iter().all(|step| step.name != **name));
    let missing: Vec<_> = missing.map(|name| format!("| {name} | not run at this commit | |\n")).collect();
    let figures = report::figures(&figures::read(folder)?)?;
    Ok(format!(
        "{INTRODUCTION}{head}.\n\n## Steps\n\n{}{}\n## Figures\n\n{figures}",
        report::steps(&ran)?,
        missing.concat()
    ))
}

const STATE: &str = "state.txt";
const PAGE: &str = "docs/reliability-long.md";
const INTRODUCTION: &str = "\
# Reliability, the long way

What takes too long for every change: more seeds, more crashes, more hostile inputs, and mutants. Written by
`cargo xtask long`; nothing on this page is typed by hand. What runs at every change is in [reliability.md](reliability.md),
the mutants that no test kills are explained in [mutants.md](mutants.md).

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_bounded() {
        let call = bounded(7, ["true"]);
        let words: Vec<_> = call.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(call.get_program(), "timeout");
        assert_eq!(words, ["--kill-after=1m", "7m", "nice", "true"]);
        assert!(SUITES.iter().all(|suite| (1..=180).contains(&suite.minutes)));
    }
}
