//! The working tree: which files are ours, and whether the checks left them alone.
//!
//! It is compared with how the first step found it, so the check serves a clean checkout and a day's work alike.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{self, answers, program};
use crate::step::Outcome;

/// Why a check that asks git cannot run.
pub(crate) const NO_GIT: &str = "this is no git checkout, or git is not installed";

/// Lists the files that match, committed or about to be; nothing where there is no git.
pub(crate) fn files(patterns: &[&str]) -> Option<Vec<String>> {
    let mut list = program("git", &["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--"]);
    let names = command::read(list.args(patterns)).ok()?;
    // A file deleted but not yet committed is still listed.
    Some(names.lines().filter(|name| std::path::Path::new(name).exists()).map(str::to_owned).collect())
}

/// Everything that differs from the last commit; nothing where there is no git.
pub(crate) fn state() -> Option<String> {
    if !answers("git", &["rev-parse", "--verify", "HEAD"]) {
        return None;
    }
    let read = |mut git: Command| command::read(&mut git).ok();
    let changed = read(program("git", &["diff", "--no-ext-diff", "HEAD"]))?;
    let new = read(program("git", &["status", "--porcelain", "--untracked-files=all"]))?;
    Some(changed + &new)
}

/// Fails if the tree is no longer as it was before.
pub(crate) fn check(before: Option<String>) -> Result<Outcome> {
    let Some(before) = before else {
        return Ok(Outcome::Skip(NO_GIT.to_owned()));
    };
    let after = state().context("the repository vanished under the checks")?;
    if before != after {
        command::run(&mut program("git", &["status", "--short"]))?;
        bail!("the checks changed the working tree");
    }
    Ok(Outcome::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_changed_is_refused() {
        assert!(check(Some("as it never was".to_owned())).is_err());
    }

    #[test]
    fn without_git_nothing_is_claimed() {
        assert_eq!(check(None).unwrap(), Outcome::Skip(NO_GIT.to_owned()));
    }
}
