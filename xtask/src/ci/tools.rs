//! Checks that tools of their own make: spelling, licences, sources, banned crates, known vulnerabilities.

use anyhow::Result;

use crate::command::{self, answers, cargo, program};
use crate::step::Outcome;

/// Spelling, in code and prose.
pub(crate) fn typos() -> Result<Outcome> {
    if !answers("typos", &["--version"]) {
        return Ok(Outcome::Skip("typos is not installed (pip install typos)".to_owned()));
    }
    command::run(&mut program("typos", &[]))?;
    Ok(Outcome::Pass)
}

/// The verdicts of Verifpal on the models of the protocol, and on their mutants.
pub(crate) fn verifpal() -> Result<Outcome> {
    if !answers("verifpal", &["--version"]) {
        let how = "verifpal is not installed (cargo install --locked --ignore-rust-version verifpal@1.6.7)";
        return Ok(Outcome::Skip(how.to_owned()));
    }
    command::run(&mut program("bash", &["tests/models/verifpal/verify.sh"]))?;
    Ok(Outcome::Pass)
}

/// Licences, sources and banned crates, as `deny.toml` has them.
pub(crate) fn deny() -> Result<Outcome> {
    if !has_deny() {
        return Ok(Outcome::Skip("cargo-deny is not installed (cargo install --locked cargo-deny)".to_owned()));
    }
    command::run(&mut cargo(&["deny", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    Ok(Outcome::Pass)
}

/// Known vulnerabilities. `floors` holds those that matter most where the database is out of reach.
pub(crate) fn advisories() -> Result<Outcome> {
    if !has_deny() {
        return Ok(Outcome::Skip("cargo-deny is not installed (cargo install --locked cargo-deny)".to_owned()));
    }
    if !answers("cargo", &["deny", "--locked", "fetch", "db"]) {
        return Ok(Outcome::Skip("the database of advisories cannot be reached".to_owned()));
    }
    command::run(&mut cargo(&["deny", "--locked", "check", "--disable-fetch", "advisories"]))?;
    Ok(Outcome::Pass)
}

fn has_deny() -> bool {
    answers("cargo", &["deny", "--version"])
}
