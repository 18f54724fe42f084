//! The real programs, as a person starts them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The path of one of the project's programs, built beside this test.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{name} is not built; run `cargo build --workspace --bins` first, as `cargo xtask test` does"
    );
    path
}

/// A program that runs until it is killed; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it and waits for its first line, which says that it is ready.
    pub fn start_and_read_line(command: &mut Command) -> (Self, String) {
        Self::start_logged(command.stderr(Stdio::null()))
    }

    /// The same, with standard error going wherever the command says.
    pub fn start_logged(command: &mut Command) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self { child }, line.trim().to_owned())
    }

    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self { child: command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() }
    }

    /// Starts it, with standard error going wherever the command says.
    pub fn start_with_its_log(command: &mut Command) -> Self {
        Self { child: command.stdout(Stdio::null()).spawn().unwrap() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it stand still until it is killed.
    pub fn pause(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits until it has. Returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON on standard output: {self:?}"))
    }

    /// The one JSON object on standard error.
    pub fn error_json(&self) -> Value {
        serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("no JSON on standard error: {self:?}"))
    }
}

/// Runs a command to its end, with nothing on standard input.
pub fn run(program_name: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(program(program_name));
    let Output { status, stdout, stderr } = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: status.code().expect("not ended by a signal"), out: text(stdout), err: text(stderr) }
}

/// A relay as a process that can be killed and started again on its folder and port.
#[derive(Debug)]
pub struct RelayProcess {
    data: PathBuf,
    running: Option<Running>,
    /// Its URL.
    pub url: String,
}

impl RelayProcess {
    /// Starts a relay on a free port.
    pub fn start(data: &Path) -> Self {
        let (running, url) = serve_relay(data, "127.0.0.1:0");
        Self { data: data.to_owned(), running: Some(running), url }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.running.take().expect("the relay runs").kill();
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        let place = self.url.trim_start_matches("rohrpost-relay://").split('#').next().unwrap().to_owned();
        let (running, url) = serve_relay(&self.data, &place);
        assert_eq!(url, self.url, "the relay keeps its key");
        self.running = Some(running);
    }
}

fn serve_relay(data: &Path, listen: &str) -> (Running, String) {
    let mut command = Command::new(program("rohrpost-relay"));
    command.args(["serve", "--listen", listen, "--data"]).arg(data);
    let (running, line) = Running::start_and_read_line(&mut command);
    let url = line.strip_prefix("relay: ").unwrap_or_else(|| panic!("the relay says {line:?}"));
    (running, url.to_owned())
}
