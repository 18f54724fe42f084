//! Where and when a run takes place: figures without that are worth nothing.

use std::fs;

use crate::command::{self, program};

/// One line for the head of a report.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let date = said("date", &["-u", "+%Y-%m-%d"]);
    let processor = processor().unwrap_or_else(|| "unknown processor".to_owned());
    format!("commit {}, {date}, {cores} cores {processor}, {}, load {}", commit(), kernel(), load())
}

/// The commit, and whether the tree differs from it.
pub(crate) fn commit() -> String {
    let id = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    if changed.is_empty() { id } else { id + " with changes" }
}

fn said(name: &str, arguments: &[&str]) -> String {
    command::read(&mut program(name, arguments)).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, name) = text.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(name.trim().to_owned())
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease");
    release.map_or_else(|_| std::env::consts::OS.to_owned(), |release| format!("Linux {}", release.trim()))
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|first| !first.is_empty()).unwrap_or("unknown").to_owned()
}
