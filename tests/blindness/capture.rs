//! What root on a machine can take of a running program: its core, its memory, its environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rohrpost_canary::{Findings, Scanner};
use rohrpost_tests::samples::skip;

/// Dumps the core of a running program. Nothing, and a line that says so, where that is not possible.
pub(crate) fn core(pid: u32, into: &Path) -> Option<PathBuf> {
    fs::create_dir_all(into).unwrap();
    let mut command = Command::new("gcore");
    command.arg("-o").arg(into.join("core")).arg(pid.to_string());
    let dumped = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let path = into.join(format!("core.{pid}"));
    match dumped {
        Ok(status) if status.success() && path.exists() => Some(path),
        Ok(_) => no_core("gcore may not attach to a process here"),
        Err(_) => no_core("gcore, of the package gdb, is not installed"),
    }
}

fn no_core(why: &str) -> Option<PathBuf> {
    skip("core dumps", why);
    None
}

/// The memory of a process, all readable regions. Nothing, and a line that says so, where the system does not show it.
pub(crate) fn memory(scanner: &Scanner, pid: u32) -> Findings {
    scanner.memory(pid).unwrap_or_else(|error| {
        skip("memory of a running program", &error.kind().to_string());
        Findings::default()
    })
}

/// How a process was started and in which surroundings.
pub(crate) fn surroundings(scanner: &Scanner, pid: u32) -> Findings {
    let mut findings = Findings::default();
    for name in ["environ", "cmdline", "comm", "status", "maps"] {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        findings.join(scanner.bytes(&format!("/proc/PID/{name}"), &bytes));
    }
    findings
}
