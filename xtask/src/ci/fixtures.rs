//! The documents in `tests/fixtures` are byte for byte what their generator makes.

use anyhow::Result;

use crate::command::{self, answers, program};
use crate::step::Outcome;

/// Asks the generator to compare.
pub(crate) fn check() -> Result<Outcome> {
    if !answers("python3", &["--version"]) {
        return Ok(Outcome::Skip("python3 is not installed".to_owned()));
    }
    command::run(&mut program("python3", &["tests/fixtures/make.py", "--check"]))?;
    Ok(Outcome::Pass)
}
