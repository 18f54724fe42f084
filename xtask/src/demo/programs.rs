//! The three programs, built and called as anybody would call them: by command line, in the demo's folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::command::{self, cargo};

/// Where the programs lie, and the folder they work in.
#[derive(Debug)]
pub(super) struct Programs {
    binaries: PathBuf,
    folder: PathBuf,
}

impl Programs {
    /// Builds the programs as `cargo test` builds them: optimised where it counts, and nothing is built twice.
    pub(super) fn build(folder: &Path) -> Result<Self> {
        let packages = ["-p", "rohrpost-relay", "-p", "rohrpost-safe-agent", "-p", "rohrpost-patient"];
        command::run(cargo(&["build", "--locked", "--bins"]).args(packages))?;
        let this = std::env::current_exe().context("cannot tell where programs are built")?;
        let binaries = this.parent().context("this program lies in no folder")?.to_owned();
        Ok(Self { binaries, folder: folder.to_owned() })
    }

    pub(super) fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// Prepares a call.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Calls `rohrpost-safe` at the demo's safe and returns its answer.
    pub(super) fn safe(&self, arguments: &[&str]) -> Result<Value> {
        let place = ["--data", "safe", "--passphrase-file", "passphrase", "--json"];
        self.ask("rohrpost-safe", &[&place, arguments].concat())
    }

    /// Calls `rohrpost` on the demo's phone and returns its answer.
    pub(super) fn patient(&self, arguments: &[&str]) -> Result<Value> {
        self.ask("rohrpost", &[&["--home", "phone", "--json"], arguments].concat())
    }

    /// Calls `rohrpost` on the demo's phone for what must not succeed, and returns its exit code.
    pub(super) fn patient_is_refused(&self, arguments: &[&str]) -> Result<Option<i32>> {
        let output = self.output("rohrpost", &[&["--home", "phone", "--json"], arguments].concat())?;
        ensure!(!output.status.success(), "`rohrpost {}` succeeded and must not", arguments.join(" "));
        Ok(output.status.code())
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Result<Value> {
        let output = self.output(program, arguments)?;
        let line = format!("{program} {}", arguments.join(" "));
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{line}` ended with {}: {}", output.status, said.trim());
        serde_json::from_slice(&output.stdout).with_context(|| format!("`{line}` answered something other than JSON"))
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        self.command(program, arguments).output().with_context(|| format!("cannot start {program}"))
    }
}

/// A text in an answer.
pub(super) fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str> {
    answer.get(name).and_then(Value::as_str).with_context(|| format!("the answer holds no {name}: {answer}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_text_is_named() {
        let answer = json!({"id": "5f0a", "length": 3});
        assert_eq!(text(&answer, "id").unwrap(), "5f0a");
        assert!(text(&answer, "length").unwrap_err().to_string().contains("holds no length"));
    }
}
