//! `cargo xtask bench`: builds the release programs, measures them, and on request writes the figures down.
//!
//! What is measured, and when nothing may be claimed, is decided in `tests/bench`. Figures reach `docs/benchmarks.md`
//! only through here, from one whole run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{self, cargo, program};

/// Runs the bench. `--write` is ours, everything else is the bench's own.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (write, rest): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|word| *word == "--write");
    let write = !write.is_empty();
    ensure!(!write || rest.is_empty(), "only a whole run is written down: `cargo xtask bench --write`");
    let packages = ["rohrpost-relay", "rohrpost-safe-agent", "rohrpost-patient", "rohrpost-tests"];
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    command::run(cargo(&["build", "--release", "--locked", "--bins"]).args(packages))?;
    let measured = measure(&rest)?;
    if write {
        keep(&measured.text)?;
        println!("written to {PAGE}");
    }
    ensure!(measured.met, "a target was missed");
    Ok(())
}

struct Measured {
    text: String,
    met: bool,
}

/// Shows what the bench prints, line by line, and keeps it.
fn measure(arguments: &[&str]) -> Result<Measured> {
    let bench = release_folder()?.join("rohrpost-bench");
    let bench = bench.to_str().context("the target folder has an odd name")?;
    let mut child = program(bench, arguments).stdout(Stdio::piped()).spawn().context("cannot start the bench")?;
    let output = child.stdout.take().context("the bench has no output")?;
    let mut text = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        text = text + &line + "\n";
    }
    let status = child.wait()?;
    // It prints every row it has measured, also when a target is missed; without one it has failed for another reason.
    match (status.success(), status.code(), text.contains(MISSED)) {
        (true, ..) => Ok(Measured { text, met: true }),
        (false, Some(1), true) => Ok(Measured { text, met: false }),
        _ => bail!("the bench ended with {status}"),
    }
}

/// How a verdict on a missed target ends its line.
const MISSED: &str = " FAIL\n";

/// Beside the folder that this program was built into.
fn release_folder() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where am I?")?;
    let target = own.parent().and_then(|profile| profile.parent()).context("this program lies in no target folder")?;
    Ok(target.join("release"))
}

fn keep(results: &str) -> Result<()> {
    let page = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let page =
        replaced(&page, results).with_context(|| format!("{PAGE} lacks the marks between which figures stand"))?;
    fs::write(PAGE, page).with_context(|| format!("cannot write {PAGE}"))
}

/// The page with these results in place of the ones before.
fn replaced(page: &str, results: &str) -> Option<String> {
    let (head, rest) = page.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n\n```text\n{}\n```\n\n{END}{tail}", results.trim()))
}

const PAGE: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- begin: written by `cargo xtask bench --write` -->";
const END: &str = "<!-- end -->";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_replace_the_ones_before_and_nothing_else() {
        let page = format!("# Head\n{BEGIN}\nold\n{END}\ntail\n");
        let once = replaced(&page, "bulk: 1.0\n").unwrap();
        assert_eq!(once, format!("# Head\n{BEGIN}\n\n```text\nbulk: 1.0\n```\n\n{END}\ntail\n"));
        assert_eq!(replaced(&once, "bulk: 1.0\n").unwrap(), once);
        assert!(!once.contains("old"));
    }

    #[test]
    fn a_page_without_its_marks_is_left_alone() {
        assert_eq!(replaced("# Head\n", "bulk"), None);
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");
        assert!(replaced(&fs::read_to_string(page).unwrap(), "bulk").is_some());
    }

    #[test]
    fn a_part_of_a_run_is_not_written_down() {
        let error = run(&["--write".to_owned(), "--quick".to_owned()]).unwrap_err();
        assert!(error.to_string().starts_with("only a whole run is written down"));
    }
}
