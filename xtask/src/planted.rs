//! `cargo xtask planted [name…]`: who tests the test?
//!
//! Each patch in `tests/planted` breaks the product on purpose and names the tests that notice. They pass on the tree as
//! it is and fail on the broken copy; anything else is an error. The copy lies in the target folder with a target folder
//! of its own, so that from one bug to the next only what was broken is built again. `tests/planted/README.md` has the
//! format.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use rohrpost_figures::Figures;

use crate::ci::tree;
use crate::command::answers;
use crate::step::{Outcome, now};

mod bench;
pub(crate) mod bug;
pub(crate) mod scratch;
mod trial;

use bench::Bench;
use bug::Bug;
use trial::Trial;

/// Plants the bugs named, or all of them but the long ones. `--long` takes those too.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (flags, names): (Vec<_>, Vec<_>) = arguments.iter().cloned().partition(|word| word.starts_with("--"));
    ensure!(flags.iter().all(|flag| flag == "--long"), "the one flag here is `--long`");
    plant(&names, !flags.is_empty()).map(drop)
}

/// As a step of `cargo xtask ci`: whatever is not marked long.
pub(crate) fn check() -> Result<Outcome> {
    plant(&[], false)
}

fn plant(names: &[String], long: bool) -> Result<Outcome> {
    if !answers("git", &["--version"]) {
        return Ok(Outcome::Skip(tree::NO_GIT.to_owned()));
    }
    let begun = now();
    let (bugs, left_out) = bug::select(bug::all()?, names, long)?;
    let mut bench = Bench::open()?;
    let asked = bench.control(&bugs)?;
    let (all, took) = (tests_of(&bugs).len(), (now() - begun).as_secs_f64());
    println!("control: {all} tests hold on the tree as it is, {asked} of them were asked now ({took:.0} s)");
    let mut results = Vec::new();
    for bug in &bugs {
        let begun = now();
        let trial = bench.try_out(bug);
        println!("{}: {}\n    {trial} [{:.1} s in all]", bug.name, bug.sentence, (now() - begun).as_secs_f64());
        results.push((bug, trial));
    }
    for bug in &left_out {
        println!("SKIP {}: it takes long; `cargo xtask planted {}`", bug.name, bug.name);
    }
    println!("{} s in all", (now() - begun).as_secs());
    judge(&results, left_out.len())
}

fn tests_of(bugs: &[Bug]) -> BTreeSet<String> {
    bugs.iter().flat_map(|bug| bug.tests.iter().map(ToString::to_string)).collect()
}

/// Publishes the figures, and fails where a bug was not caught by every test that claims to.
fn judge(results: &[(&Bug, Trial)], left_out: usize) -> Result<Outcome> {
    let names = |wanted: fn(&Trial) -> bool| -> Vec<&str> {
        results.iter().filter(|(_, trial)| wanted(trial)).map(|(bug, _)| bug.name.as_str()).collect()
    };
    let caught = names(|trial| matches!(trial, Trial::Caught(_)));
    let skipped = names(|trial| matches!(trial, Trial::Skipped(_)));
    let wrong = names(|trial| matches!(trial, Trial::Escaped(_) | Trial::Broken(_)));
    println!(
        "{} bugs planted: {} caught, {} skipped, {} wrong",
        results.len(),
        caught.len(),
        skipped.len(),
        wrong.len()
    );
    ensure!(wrong.is_empty(), "not caught as claimed: {}", wrong.join(", "));
    if !results.is_empty() {
        let seconds: f64 = results.iter().map(|(_, trial)| trial.seconds()).sum();
        Figures::of("planted.bugs")
            .count("planted", count(results.len()))
            .count("caught", count(caught.len()))
            .count("escaped", count(wrong.len()))
            .count("skipped here", count(skipped.len()))
            .count("left to the long script", count(left_out))
            .measure("seconds in tests", (seconds * 10.0).round() / 10.0, " s")
            .publish();
    }
    Ok(Outcome::Pass)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
