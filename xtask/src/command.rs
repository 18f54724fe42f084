//! How other programs are called: from the workspace's root, without standard input, failing loudly.

use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};

/// Prepares a call of a program.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Prepares a call of cargo.
///
/// `cargo run` describes this package to us in variables that build scripts watch: passed on, they would make cargo
/// rebuild dependencies each time somebody alternates between `cargo test` and `cargo xtask test`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo", arguments);
    let describes_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(describes_us)) {
        command.env_remove(name);
    }
    command
}

/// Runs a program, its output visible.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

/// Runs a program and returns what it wrote to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something other than text"))
}

/// Runs a program and returns how it ended and what it said, its errors among the rest.
pub(crate) fn outcome(command: &mut Command) -> Result<(ExitStatus, String)> {
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok((output.status, text.into_owned()))
}

/// Says whether a program starts at all when called like this.
pub(crate) fn answers(name: &str, arguments: &[&str]) -> bool {
    let status = program(name, arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_arguments() {
        let error = run(&mut cargo(&["--no-such-flag"])).unwrap_err();
        assert!(error.to_string().starts_with("`cargo --no-such-flag` ended with"), "{error}");
    }

    #[test]
    fn a_missing_program_does_not_answer() {
        assert!(answers("cargo", &["--version"]));
        assert!(!answers("rohrpost-no-such-program", &["--version"]));
    }

    #[test]
    fn cargo_is_not_told_about_this_package() {
        let command = cargo(&["--version"]);
        let removed = |wanted: &str| command.get_envs().any(|(name, value)| name == wanted && value.is_none());
        assert!(removed("CARGO_PKG_NAME"));
        assert!(removed("CARGO_MANIFEST_DIR"));
    }
}
