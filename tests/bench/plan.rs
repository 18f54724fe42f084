//! What a run shall measure, how often, and where it finds the programs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::Process;

/// What was asked for on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Small amounts and few rounds: to see whether it works, not to be quoted.
    pub(crate) quick: bool,
    rows: Vec<String>,
}

/// The rows, by name, in the order in which they run.
pub(crate) const ROWS: [&str; 4] = ["bulk", "requests", "sealed", "memory"];

impl Plan {
    /// Reads `[--quick] [row…]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut plan = Self { quick: false, rows: Vec::new() };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => plan.quick = true,
                row if ROWS.contains(&row) => plan.rows.push(row.to_owned()),
                unknown => bail!("there is no row `{unknown}`; there are: {}, and --quick", ROWS.join(", ")),
            }
        }
        Ok(plan)
    }

    /// Whether a row was asked for; none named are all.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }

    /// How often each measurement is repeated.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// One of two amounts.
    pub(crate) fn amount<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// One of the real programs, which lie beside this one.
pub(crate) fn program(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("where am I?")?;
    let path: PathBuf = own.with_file_name(name);
    ensure!(path.exists(), "there is no {}; start this as `cargo xtask bench`", path.display());
    Ok(Command::new(path))
}

/// This program again, in a role of its own; what it announces first.
pub(crate) fn role(name: &'static str, arguments: &[&str]) -> Result<(Process, String)> {
    let own = std::env::current_exe().context("where am I?")?;
    Process::announced(name, Command::new(own).args(["--role", name]).args(arguments))
}

/// A folder for everything a row leaves on disk; gone with its value.
pub(crate) fn folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix("rohrpost-bench-").tempdir().context("no folder for temporary files")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Plan> {
        Plan::parse(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn no_row_means_all_and_a_named_one_only_itself() {
        assert!(ROWS.iter().all(|row| parse(&[]).unwrap().wants(row)));
        let one = parse(&["memory", "--quick"]).unwrap();
        assert!(one.quick && one.wants("memory") && !one.wants("bulk"));
    }

    #[test]
    fn an_unknown_row_is_named() {
        assert!(parse(&["speed"]).unwrap_err().to_string().starts_with("there is no row `speed`"));
    }
}
