//! A program that runs beside the demo and ends with it, however the demo ends.
//!
//! A small shell holds each daemon on a leash: it waits for the end of its standard input, which this process keeps
//! open and never writes to. Dropped, interrupted or killed, this process closes it, and the shell ends the daemon.
//! Daemons are in process groups of their own, so Ctrl-C reaches them by that one way alone.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A running daemon; it ends when this value is dropped.
#[derive(Debug)]
pub(super) struct Daemon {
    name: &'static str,
    leash: Child,
    lines: Receiver<String>,
}

/// Where a daemon says that it is ready; what it writes elsewhere goes into the file.
#[derive(Debug)]
pub(super) enum Speaks {
    /// On standard output, and keeps a log on standard error.
    OnOutput { log: File },
    /// On standard error alone.
    OnError,
}

impl Daemon {
    /// Starts a prepared command.
    pub(super) fn start(name: &'static str, command: &Command, speaks: Speaks) -> Result<Self> {
        let mut shell = leashed(command);
        match speaks {
            Speaks::OnOutput { log } => shell.stdout(Stdio::piped()).stderr(log),
            Speaks::OnError => shell.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let mut leash = shell.spawn().with_context(|| format!("cannot start the {name}"))?;
        let lines = match (leash.stdout.take(), leash.stderr.take()) {
            (Some(output), _) => forward(output),
            (None, Some(error)) => forward(error),
            (None, None) => bail!("the {name} has nothing to speak on"),
        };
        Ok(Self { name, leash, lines })
    }

    /// Waits for the first line in which `found` finds something.
    pub(super) fn wait_for<T>(&self, found: impl Fn(&str) -> Option<T>) -> Result<T> {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => match found(&line) {
                    Some(answer) => return Ok(answer),
                    None => said.push(line),
                },
                Err(RecvTimeoutError::Timeout) => bail!("the {} is not ready; it said: {}", self.name, said.join("\n")),
                Err(RecvTimeoutError::Disconnected) => bail!("the {} ended; it said: {}", self.name, said.join("\n")),
            }
        }
    }

    /// The daemon's own process, where the system tells: the one child of the shell.
    pub(super) fn pid(&self) -> Option<u32> {
        let shell = self.leash.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Returns when one of these has ended by itself, with its name.
    pub(super) fn wait_for_any_end(daemons: [Self; 2]) -> Result<&'static str> {
        let (sender, ended) = channel();
        for daemon in daemons {
            let sender = sender.clone();
            thread::spawn(move || {
                while daemon.lines.recv().is_ok() {}
                drop(sender.send(daemon));
            });
        }
        Ok(ended.recv().context("nobody watches the daemons")?.name)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        // The leash ends when its daemon has; if that cannot be waited for, there is nobody left to tell.
        drop(self.leash.wait());
    }
}

/// The same command under a shell that ends it at the end of standard input.
fn leashed(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", LEASH, "leash"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell.stdin(Stdio::piped()).process_group(0);
    shell
}

/// Passes on lines as they come; the receiver learns of the end, and one that is gone holds nobody up.
fn forward(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            drop(sender.send(line));
        }
    });
    receiver
}

/// The shell lets go of both outputs, so that they end with the daemon and not with the leash.
const LEASH: &str = r#""$@" & exec >/dev/null 2>&1; read -r _; kill "$!"; wait "$!""#;

/// How long a daemon may be silent before it is ready; a loaded machine needs a second.
const PATIENCE: Duration = Duration::from_mins(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn chatty(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_daemon_is_gone_when_its_value_is_dropped() {
        let endless = chatty("echo $$ >&2; exec tail -f /dev/null");
        let daemon = Daemon::start("test", &endless, Speaks::OnError).unwrap();
        let pid = daemon.wait_for(|line| Some(line.to_owned())).unwrap();
        let alive = || Command::new("kill").args(["-0", &pid]).stderr(Stdio::null()).status().unwrap().success();
        assert!(alive());
        drop(daemon);
        assert!(!alive());
    }

    #[test]
    fn a_daemon_that_ends_too_early_is_reported_with_what_it_said() {
        let daemon = Daemon::start("test", &chatty("echo no disk >&2"), Speaks::OnError).unwrap();
        let error = daemon.wait_for(|line| (line == "ready").then_some(())).unwrap_err();
        assert_eq!(error.to_string(), "the test ended; it said: no disk");
    }

    #[test]
    fn what_a_daemon_logs_goes_into_the_file_and_what_it_says_to_us() {
        let path = std::env::temp_dir().join(format!("rohrpost-daemon-test-{}", std::process::id()));
        let log = File::create(&path).unwrap();
        let both = chatty("echo quietly >&2; echo ready");
        let daemon = Daemon::start("test", &both, Speaks::OnOutput { log }).unwrap();
        daemon.wait_for(|line| (line == "ready").then_some(())).unwrap();
        drop(daemon);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "quietly\n");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_end_of_either_daemon_is_noticed() {
        let start = |name, script| Daemon::start(name, &chatty(script), Speaks::OnError).unwrap();
        let daemons = [start("lasting", "exec tail -f /dev/null"), start("brief", "true")];
        assert_eq!(Daemon::wait_for_any_end(daemons).unwrap(), "brief");
    }
}
