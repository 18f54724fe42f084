//! `cargo xtask reliability`: what is promised, what shows it, and what a run has measured.
//!
//! It runs what `cargo xtask ci` runs, all of it, and writes `docs/reliability.md` from what the run left behind. Rows
//! that a run cannot bear out are an error, and nothing is written: no figure and no state on that page is typed by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::ci::tree;
use crate::command::program;
use crate::planted::scratch::target_folder;
use crate::suite::{FIGURES, TestName};

mod attacks;
pub(crate) mod evidence;
pub(crate) mod figures;
pub(crate) mod machine;
mod promises;
mod readme;
pub(crate) mod report;
mod row;
mod sources;
mod state;
mod surface;

use evidence::Evidence;
use row::{By, Row};
use sources::Sources;

/// Runs everything and writes the page. `--again` writes it from the last run.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let folder = target_folder()?.join("reliability");
    match arguments {
        [] => measure(&folder)?,
        [again] if again == "--again" => {}
        _ => bail!("usage: cargo xtask reliability [--again]"),
    }
    let evidence = Evidence::read(&folder)?;
    let head =
        fs::read_to_string(folder.join(HEAD)).context("the last run was not one of `cargo xtask reliability`")?;
    fs::write(PAGE, report::page(&head, &evidence)?).with_context(|| format!("cannot write {PAGE}"))?;
    println!("written to {PAGE}");
    Ok(())
}

fn measure(folder: &Path) -> Result<()> {
    empty(folder)?;
    fs::write(folder.join(HEAD), machine::describe()).context("cannot keep where this ran")?;
    let own = std::env::current_exe().context("where am I?")?;
    let own = own.to_str().context("this program has an odd name")?;
    let status = program(own, &["ci"]).env(FIGURES, folder).status().context("cannot start the checks")?;
    ensure!(status.success(), "the checks failed: nothing is written");
    Ok(())
}

/// What an earlier run left would be taken for this one's.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// What is wrong with the tables before anything runs: tests and figures that are not in the sources, things to attack
/// without a row, and a README that says something else. Nothing where there is no git to list the sources.
pub(crate) fn faults() -> Result<Vec<String>> {
    let (Some(manifests), Some(files)) = (tree::files(&["*Cargo.toml"]), tree::files(&["*.rs"])) else {
        return Ok(Vec::new());
    };
    let sources = Sources::read(&manifests, &files)?;
    let mut faults = Vec::new();
    for row in promises::all().into_iter().chain(attacks::all().into_iter().map(|attack| attack.row)) {
        faults.extend(row.fault());
        faults.extend(unknown(row.key, row.by, &sources)?);
        faults.extend(unmeasured(&row, &sources));
    }
    for surface in surface::ALL {
        faults.extend(surface.faults()?);
        for (variant, by) in surface.rows {
            faults.extend(unknown(variant, by, &sources)?);
        }
    }
    faults.extend(readme::faults()?);
    Ok(faults)
}

fn unknown(key: &str, by: &[By], sources: &Sources) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for by in by {
        let is_there = match by {
            By::Test(short) => sources.has(&test_name(short)?),
            By::Target(short) => {
                let (package, target) = target_name(short)?;
                sources.has_target(&package, target)
            }
            By::Step(_) => true,
        };
        if !is_there {
            unknown.push(format!("{key}: there is no {by:?}"));
        }
    }
    Ok(unknown)
}

fn unmeasured(row: &Row, sources: &Sources) -> Vec<String> {
    let missing = row.figures.iter().filter(|figures| !sources.publishes(figures));
    missing.map(|figures| format!("{}: nothing publishes the figures {figures}", row.key)).collect()
}

/// The full name of a test as a row has it.
fn test_name(short: &str) -> Result<TestName> {
    TestName::parse(&format!("rohrpost-{short}"))
}

/// Package and target as a row has them.
fn target_name(short: &str) -> Result<(String, &str)> {
    let (package, target) = short.split_once("::").with_context(|| format!("`{short}` is not package::target"))?;
    Ok((format!("rohrpost-{package}"), target))
}

/// Where a run says where it took place.
pub(crate) const HEAD: &str = "head.txt";
const PAGE: &str = "docs/reliability.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_or_target_that_is_nowhere_is_named() {
        let by = [By::Test("relay::lib::no_such_test_at_all"), By::Target("relay::no_such_target")];
        let faults = unknown("7", &by, &Sources::default()).unwrap();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("no_such_test_at_all") && faults[1].contains("no_such_target"));
    }
}
