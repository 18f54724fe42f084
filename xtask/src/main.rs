//! The one door for everybody who works here: `cargo xtask <command>`.
//!
//! Every command runs from the root of the workspace and needs nothing but cargo; a tool the machine lacks makes its
//! step a named skip, never a silent pass.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on standard output and error")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod bench;
mod check_portable;
mod ci;
mod command;
mod demo;
mod fuzz;
mod long;
mod mutants;
mod planted;
mod reliability;
mod step;
mod suite;
mod test;

fn main() -> ExitCode {
    // Printed by hand: what a step found is of use here, where in this program it was noticed is not.
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    enter_workspace()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = arguments.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    match name {
        "bench" => bench::run(rest),
        "check-portable" => check_portable::run(rest),
        "ci" => ci::run(rest),
        "demo" => demo::run(rest),
        "fuzz" => fuzz::run(rest),
        "long" => long::run(rest),
        "mutants" => mutants::run(rest),
        "planted" => planted::run(rest),
        "reliability" => reliability::run(rest),
        "test" => test::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => bail!("there is no command `{unknown}`\n\n{USAGE}"),
    }
}

/// Cargo names this package's folder at run time, which stays right where a checkout was moved.
fn enter_workspace() -> Result<()> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("start this as `cargo xtask`")?;
    let root = Path::new(&package).parent().context("this package has no folder above it")?;
    std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))
}

const USAGE: &str = "\
usage: cargo xtask <command> [step…]

  demo            relay, safe and patient on this machine, with what each of them sees; --once ends by itself
  test            every test of the workspace: unit, integration, documentation
  ci              everything a change must pass, fast checks first
  planted         does every deliberate bug turn the tests red that claim to notice? some by name; --long
  reliability     runs what ci runs and writes docs/reliability.md from it; --again: from the last run
  fuzz            every target of tests/fuzz under libFuzzer, where nightly is; TARGET SECONDS
  mutants         is every change of a deciding line noticed by some test? some files by a part of their name
  long            what takes hours: long forms of the tests, every planted bug, fuzz, mutants; written down, resumable
  bench           what relay and safe cost, beside what they are held to; --quick, --write, or rows by name
  check-portable  does the patient's program compile for each installed target?

Named steps run alone: `cargo xtask ci fmt layers`.";
