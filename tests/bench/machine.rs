//! Where and when a run took place: figures without that are worth nothing.

use std::fs;
use std::process::{Command, Stdio};

use crate::process;

/// The head of every report.
pub(crate) fn describe(rounds: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "commit {}, {}, {cores} cores {}, {}, load {}, {rounds} rounds",
        commit(),
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        processor().unwrap_or_else(|| "unknown processor".to_owned()),
        kernel().unwrap_or_else(|| std::env::consts::OS.to_owned()),
        load(),
    )
}

/// The load of the last minute: what else the machine was doing.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|first| !first.is_empty()).unwrap_or("unknown").to_owned()
}

/// Why a row that reads `/proc` does not run, if it does not.
pub(crate) fn no_proc() -> Option<String> {
    (!process::has_proc()).then(|| "this system has no /proc".to_owned())
}

fn commit() -> String {
    let id = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    if changed { id + " with changes" } else { id }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, name) = text.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(name.trim().to_owned())
}

fn kernel() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(format!("Linux {}", release.trim()))
}
