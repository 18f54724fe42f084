//! The real safe, served, and its owner's desk.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rohrpost_safe_agent::admin::Desk;
use rohrpost_safe_agent::clock;
use rohrpost_safe_agent::failure::{Failure, Kind};
use rohrpost_safe_agent::opening;
use rohrpost_safe_agent::vault::{Cost, Passphrase};
use rohrpost_tests::process::program;
use rohrpost_tests::until;
use rohrpost_wire::RelayAddress;
use tempfile::TempDir;

use crate::program::Program;

const WORDS: &str = "an invented passphrase";

/// What opens every safe of these tests.
pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(WORDS.into())
}

/// How to serve one safe.
pub(crate) struct Keys {
    folder: TempDir,
}

impl Keys {
    /// Writes the passphrase where the program finds it.
    pub(crate) fn write() -> Self {
        let keys = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(keys.path(), format!("{WORDS}\n")).unwrap();
        keys
    }

    /// How the safe is served.
    pub(crate) fn command(&self, data: &Path) -> Command {
        let mut command = Command::new(program("rohrpost-safe"));
        command.args(["serve", "--log", "error", "--data"]).arg(data).arg("--passphrase-file").arg(self.path());
        command
    }

    /// Runs one command to its end.
    pub(crate) fn run(&self, data: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("rohrpost-safe"));
        command.args(arguments).arg("--data").arg(data).arg("--passphrase-file").arg(self.path());
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Serves it and waits for its desk.
    pub(crate) async fn serve(&self, data: &Path) -> Program {
        let program = Program::spawn(&mut self.command(data));
        open(data).await;
        program
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pass")
    }
}

/// Makes a safe, with a passphrase that costs little to try.
pub(crate) fn found(data: &Path, relay: &RelayAddress) {
    let new = opening::create(data, &passphrase(), Cost::LOWEST, "Praxis", relay, clock::now()).unwrap();
    new.finish().unwrap();
}

/// Waits until a desk is open.
pub(crate) async fn open(data: &Path) {
    let socket = data.join("admin.sock");
    until("the safe is served", || UnixStream::connect(&socket).is_ok()).await;
}

/// The desk of a served safe; never opens the vault itself.
pub(crate) fn desk(data: &Path) -> Result<Desk, Failure> {
    Desk::open(data, || Err(Failure::new(Kind::Unreachable, "the safe is gone")))
}
