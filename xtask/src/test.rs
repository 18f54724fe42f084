//! `cargo xtask test`: every test of the workspace, in the two steps that `cargo test --workspace --locked` takes.

use anyhow::Result;

use crate::command::{self, cargo};
use crate::step::{self, Outcome, Step};

/// Runs the tests.
pub(crate) fn run(wanted: &[String]) -> Result<()> {
    step::run(steps(), wanted)
}

/// Unit and integration tests, then the examples in the documentation: a failure of the first does not hide the second.
pub(crate) fn steps() -> Vec<Step> {
    let test = |arguments: &[&str]| -> Result<Outcome> {
        command::run(cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]).args(arguments))?;
        Ok(Outcome::Pass)
    };
    vec![
        Step::new("test", move || test(&["--lib", "--bins", "--tests"])),
        Step::new("doctest", move || test(&["--doc"])),
    ]
}
