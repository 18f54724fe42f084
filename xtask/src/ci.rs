//! `cargo xtask ci`: everything a change must pass, the same on a developer's machine as in `.ci/run`.
//!
//! Fast checks first. The last step compares the working tree with how the first one found it.

use anyhow::Result;

use crate::command::{self, cargo};
use crate::demo;
use crate::planted;
use crate::reliability::evidence;
use crate::step::{self, Outcome, Step};
use crate::test;

mod fixtures;
mod floors;
mod layers;
mod links;
mod lints;
mod lockfile;
mod promises;
mod tools;
pub(crate) mod tree;

/// Runs the checks.
pub(crate) fn run(wanted: &[String]) -> Result<()> {
    let before = tree::state();
    let mut steps = vec![
        Step::new("fmt", fmt),
        Step::new("typos", tools::typos),
        Step::new("unsafe", lints::check),
        Step::new("links", links::check),
        Step::new("promises", promises::check),
        Step::new("fixtures", fixtures::check),
        Step::new("floors", floors::check),
        Step::new("layers", layers::check),
        Step::new("deny", tools::deny),
        Step::new("advisories", tools::advisories),
        Step::new("clippy", clippy),
        Step::new("clippy-alone", clippy_alone),
    ];
    steps.extend(test::steps());
    steps.push(Step::new("verifpal", tools::verifpal));
    steps.push(Step::new("planted", planted::check));
    steps.push(Step::new("demo", demo::check));
    steps.push(Step::new("docs", docs));
    steps.push(Step::new("tree-clean", move || tree::check(before)));
    step::run_telling(steps, wanted, &mut |finding| match evidence::folder() {
        Some(folder) => evidence::keep_step(&folder, finding),
        None => Ok(()),
    })
}

fn fmt() -> Result<Outcome> {
    command::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    Ok(Outcome::Pass)
}

fn clippy() -> Result<Outcome> {
    command::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    Ok(Outcome::Pass)
}

/// Each package by itself and without its tests: features unify across a workspace, and a package that only compiles
/// beside its neighbours would fail in its release build.
fn clippy_alone() -> Result<Outcome> {
    for package in members()? {
        command::run(&mut cargo(&["clippy", "--package", &package, "--locked", "--", "-D", "warnings"]))?;
    }
    Ok(Outcome::Pass)
}

fn docs() -> Result<Outcome> {
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    command::run(cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Pass)
}

/// The packages of this workspace, by name.
fn members() -> Result<Vec<String>> {
    let tree = command::read(&mut cargo(&["tree", "--workspace", "--depth", "0", "--prefix", "none", "--locked"]))?;
    Ok(layers::names(&tree).into_iter().map(str::to_owned).collect())
}
