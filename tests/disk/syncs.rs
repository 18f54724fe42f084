//! A program whose `fsync` and `fdatasync` fail when they are told to, by libfiu.

use std::process::{Command, Stdio};

use rohrpost_tests::samples::skip;
use tempfile::TempDir;

use crate::program::Program;

/// Programs started here can be told that their disk takes nothing more.
pub(crate) struct Syncs {
    pipes: TempDir,
}

impl Syncs {
    /// Prepares to start some, where libfiu is installed.
    pub(crate) fn prepare(what: &str) -> Option<Self> {
        let there = |tool| Command::new(tool).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if there("fiu-run") && there("fiu-ctrl") {
            return Some(Self { pipes: tempfile::tempdir().unwrap() });
        }
        skip(what, "fiu-run of the package fiu-utils is not installed");
        None
    }

    /// Starts a program, whose syncs succeed so far.
    pub(crate) fn spawn(&self, command: &Command) -> Program {
        let mut run = Command::new("fiu-run");
        run.args(["-x", "-f"]).arg(self.pipe()).arg(command.get_program()).args(command.get_args());
        Program::spawn(&mut run)
    }

    /// From now on every sync of the program says that the disk failed.
    pub(crate) fn fail(&self, program: &Program) {
        let mut control = Command::new("fiu-ctrl");
        let order = "enable name=posix/io/sync/*,failinfo=5";
        control.arg("-f").arg(self.pipe()).args(["-c", order, &program.id().to_string()]);
        assert!(control.status().unwrap().success(), "the program cannot be told");
    }

    fn pipe(&self) -> std::path::PathBuf {
        self.pipes.path().join("pipe")
    }
}
