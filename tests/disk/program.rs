//! A program of ours that is started, waited for, and killed. Dropped, it is killed too.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rohrpost_tests::until;
use rustix::process::{Pid, Signal, kill_process};

/// A running program.
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts it.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::telling(command, Stdio::null())
    }

    /// Starts it, and adds to a file what it says to its operator.
    pub(crate) fn heard(command: &mut Command, log: &Path) -> Self {
        Self::telling(command, File::options().create(true).append(true).open(log).unwrap().into())
    }

    fn telling(command: &mut Command, log: Stdio) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Self { child: quiet.spawn().unwrap() }
    }

    /// Waits for its first line; empty if it ended without one.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        let out = self.child.stdout.take().expect("read once");
        BufReader::new(out).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// How many files it has open.
    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Its exit code, if it has ended by itself.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().expect("not ended by a signal"))
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> i32 {
        let mut code = None;
        until("the program ends by itself", || {
            code = self.exit_code();
            code.is_some()
        })
        .await;
        code.unwrap()
    }

    /// Stops it where it is, once every call of the system that it is in has returned.
    pub(crate) async fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
        until("every thread stands still", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
            tasks.flatten().all(|task| stands_still(&task.path().join("stat")))
        })
        .await;
    }

    /// `kill -9`, and gone when this returns.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The number by which the system knows it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Stopped, or gone: its state follows the name, which is in brackets.
fn stands_still(stat: &Path) -> bool {
    let Ok(stat) = fs::read_to_string(stat) else { return true };
    stat.rsplit(") ").next().is_some_and(|state| state.starts_with('T'))
}
