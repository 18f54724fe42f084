//! A real practice as child processes: relay, safe, and patients' devices, each set up by its own command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::clock;
use crate::plan;
use crate::process::{self, Process};
use crate::relay::{self, Room};

/// A relay, a served safe, and the folder in which everything lies.
pub(crate) struct Practice {
    pub(crate) relay: Process,
    pub(crate) safe: Process,
    folder: TempDir,
}

/// No command but a transfer takes longer: the slowest stretches a passphrase.
const COMMAND: Duration = Duration::from_mins(1);
/// How long a safe may take to be logged in at its relay.
const LOGIN: Duration = Duration::from_mins(1);
const PASSPHRASE: &str = "an invented passphrase\n";

impl Practice {
    /// Sets everything up; the safe is logged in when this returns.
    pub(crate) async fn open(room: Room) -> Result<Self> {
        let folder = plan::folder()?;
        let (relay, place) = relay::start(folder.path(), room)?;
        fs::write(folder.path().join("passphrase"), PASSPHRASE)?;
        let mut init = safe_command(folder.path())?;
        init.args(["--json", "init", "--practice", "Praxis Beispiel", "--relay", &place.to_string()]);
        process::json("safe init", &mut init, COMMAND).await?;
        let mut serve = safe_command(folder.path())?;
        serve.args(["serve", "--log", "warn"]).stdin(Stdio::null()).stdout(Stdio::null());
        let safe = Process::start("safe", &mut serve)?;
        let practice = Self { relay, safe, folder };
        practice.wait_for_login().await?;
        Ok(practice)
    }

    /// Where everything lies.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command of the owner.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Result<Value> {
        process::json("safe command", self.prepare(arguments)?.stdin(Stdio::null()), COMMAND).await
    }

    /// Prepares a command of the owner.
    pub(crate) fn prepare(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = safe_command(self.folder())?;
        command.arg("--json").args(arguments);
        Ok(command)
    }

    /// Adds a patient.
    pub(crate) async fn patient(&self) -> Result<String> {
        text(&self.command(&["patient", "add", "--name", "Erika Beispiel"]).await?, "patient_id")
    }

    /// Enrols a device of a patient and returns its home.
    pub(crate) async fn enrol(&self, patient: &str, device: &str) -> Result<PathBuf> {
        let link = self.command(&["link", "--patient", patient]).await?;
        let (home, pin) = (self.folder().join(device), self.folder().join("pin"));
        fs::write(&pin, text(&link, "pin")?)?;
        let mut accept = device_command(&home)?;
        accept.args(["accept", &text(&link, "link")?, "--device-name", device]).arg("--pin-file").arg(&pin);
        process::json("accept", &mut accept, COMMAND).await?;
        Ok(home)
    }

    async fn wait_for_login(&self) -> Result<()> {
        let begun = clock::now();
        let mut look = tokio::time::interval(Duration::from_millis(50));
        let socket = self.folder().join("safe").join("admin.sock");
        loop {
            // Without its socket the command would open the vault itself.
            if socket.exists() && self.command(&["status"]).await?.get("connected") == Some(&Value::Bool(true)) {
                return Ok(());
            }
            ensure!(begun.elapsed() < LOGIN, "the safe does not log in at the relay");
            look.tick().await;
        }
    }
}

/// A command of a device.
pub(crate) fn device_command(home: &Path) -> Result<Command> {
    let mut command = plan::program("rohrpost")?;
    command.arg("--json").arg("--home").arg(home);
    Ok(command)
}

/// One field of an answer.
pub(crate) fn text(object: &Value, field: &str) -> Result<String> {
    let text = object.get(field).and_then(Value::as_str).with_context(|| format!("the answer lacks {field}"))?;
    Ok(text.to_owned())
}

fn safe_command(folder: &Path) -> Result<Command> {
    let mut command = plan::program("rohrpost-safe")?;
    command.arg("--data").arg(folder.join("safe")).arg("--passphrase-file").arg(folder.join("passphrase"));
    Ok(command)
}
