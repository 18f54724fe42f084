//! Child processes: started, looked at through `/proc`, and ended by their id however the bench ends.
//!
//! Invariant: a process lives no longer than its [`Process`], and nobody waits for one without a limit.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::clock;

/// A running child.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

/// How long a program may take to say that it is ready: a safe stretches its passphrase first.
const READY: Duration = Duration::from_mins(1);
/// How often a process is looked at while it runs.
const LOOK: Duration = Duration::from_millis(20);

impl Process {
    /// Starts a program; what it says on standard error is shown.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }

    /// Starts a program and waits for its first line on standard output. It ends when its standard input does, if it
    /// is one of ours.
    pub(crate) fn announced(name: &'static str, command: &mut Command) -> Result<(Self, String)> {
        let mut process = Self::start(name, command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let output = process.child.stdout.take().with_context(|| format!("{name} has no output"))?;
        let (sender, first) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Only the first is waited for; the others are read so that the program never stops for them.
                let _nobody_waits = sender.send(line);
            }
        });
        let line = first.recv_timeout(READY).with_context(|| format!("{name} did not say that it is ready"))?;
        Ok((process, line))
    }

    /// Its standard input, where it was started with one.
    pub(crate) fn stdin(&mut self) -> Result<ChildStdin> {
        self.child.stdin.take().with_context(|| format!("{} has no input", self.name))
    }

    /// Waits until it has ended well; `look` sees it every now and then until then.
    pub(crate) async fn ended(&mut self, limit: Duration, mut look: impl FnMut(&Self)) -> Result<()> {
        let begun = clock::now();
        let mut next = tokio::time::interval(LOOK);
        loop {
            next.tick().await;
            look(self);
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} ended with {status}", self.name);
            }
            if begun.elapsed() > limit {
                bail!("{} took longer than {} s", self.name, limit.as_secs());
            }
        }
    }

    /// What it has printed, when it has ended; less than a pipe holds, or it would not have ended.
    pub(crate) fn json(&mut self) -> Result<Value> {
        let mut text = String::new();
        let mut output = self.child.stdout.take().with_context(|| format!("{} has no output", self.name))?;
        output.read_to_string(&mut text).with_context(|| format!("{} printed no text", self.name))?;
        serde_json::from_str(&text).with_context(|| format!("{} printed no object", self.name))
    }

    /// Processor time used so far, by all its threads.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let ticks = cpu_ticks(&self.proc_file("stat")?).with_context(|| format!("{}: odd stat", self.name))?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_millis(ticks.saturating_mul(1000) / per_second.max(1)))
    }

    /// The most memory it had resident, in bytes, since its start or the last [`Process::reset_peak`].
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        high_water(&self.proc_file("status")?).with_context(|| format!("{} has no memory", self.name))
    }

    /// Sets the peak back to what is resident now.
    pub(crate) fn reset_peak(&self) -> Result<()> {
        // proc_pid_clear_refs(5): 5 resets the peak resident set size.
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
            .with_context(|| format!("cannot reset the peak of {}", self.name))
    }

    fn proc_file(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended on its own, which is as good.
        let _over = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Whether processes can be looked at here.
pub(crate) fn has_proc() -> bool {
    Path::new("/proc/self/stat").exists() && Path::new("/proc/self/status").exists()
}

/// Runs a command that prints one JSON object.
pub(crate) async fn json(name: &'static str, command: &mut Command, limit: Duration) -> Result<Value> {
    let mut process = Process::start(name, command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    process.ended(limit, |_| ()).await?;
    process.json()
}

/// `utime` and `stime` of `proc_pid_stat(5)`, fields 14 and 15. The name before them may hold anything, brackets too.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// `VmHWM` of `proc_pid_status(5)`, in bytes.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 123 0 0 0 250 31 0 0 20 0 3 0 777 888 999";
        assert_eq!(cpu_ticks(stat), Some(281));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(
            high_water("Name:\ta\nVmPeak:\t  9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"),
            Some(2 * 1024 * 1024)
        );
        assert_eq!(high_water("Name:\tzombie\n"), None);
    }

    #[test]
    fn a_process_ends_with_its_owner() {
        let (process, line) =
            Process::announced("shell", Command::new("sh").args(["-c", "echo ready; exec sleep 600"])).unwrap();
        assert_eq!(line, "ready");
        let folder = format!("/proc/{}", process.child.id());
        assert_eq!(Path::new(&folder).exists(), has_proc());
        drop(process);
        assert!(!Path::new(&folder).exists());
    }
}
