//! `cargo xtask check-portable`: does the patient's program compile where patients are?
//!
//! One step per target. TLS and hashing bring C code, so a target needs its standard library and its C compiler; where
//! the machine has not both, the step is skipped and says what is missing.

use anyhow::Result;

use crate::command::{self, answers, cargo, program};
use crate::step::{self, Outcome, Step};

/// Checks every target.
pub(crate) fn run(wanted: &[String]) -> Result<()> {
    let installed = command::read(&mut program("rustup", &["target", "list", "--installed"])).unwrap_or_default();
    let steps = TARGETS.iter().map(|target| {
        let has_std = installed.lines().any(|line| line == target.triple);
        Step::new(target.triple, move || check(target, has_std))
    });
    step::run(steps.collect(), wanted)
}

fn check(target: &Target, has_std: bool) -> Result<Outcome> {
    if !has_std {
        return Ok(Outcome::Skip(format!("not installed (rustup target add {})", target.triple)));
    }
    if !answers(target.compiler, &["--version"]) {
        return Ok(Outcome::Skip(format!("no C compiler for it (`{}`)", target.compiler)));
    }
    command::run(&mut cargo(&["check", "--package", "rohrpost-patient", "--locked", "--target", target.triple]))?;
    Ok(Outcome::Pass)
}

struct Target {
    triple: &'static str,
    compiler: &'static str,
}

const TARGETS: [Target; 6] = [
    Target { triple: "x86_64-unknown-linux-gnu", compiler: "cc" },
    Target { triple: "x86_64-unknown-linux-musl", compiler: "musl-gcc" },
    Target { triple: "aarch64-unknown-linux-gnu", compiler: "aarch64-linux-gnu-gcc" },
    Target { triple: "x86_64-pc-windows-gnu", compiler: "x86_64-w64-mingw32-gcc" },
    Target { triple: "aarch64-apple-darwin", compiler: "xcrun" },
    Target { triple: "x86_64-apple-darwin", compiler: "xcrun" },
];
