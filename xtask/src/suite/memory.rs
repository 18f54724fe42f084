//! What the last run of all tests said of this very tree, so that nobody has to ask again.
//!
//! The tree is known by a hash over all its files: whatever is changed, added or taken away makes it another one. It is
//! no secret and no proof, only a way to notice.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Ran, TestName};
use crate::ci::tree;
use crate::planted::scratch::target_folder;
use crate::reliability::evidence::{self, Outcome};

/// A tree as it was at one moment. Nothing where there is no git to list its files.
pub(crate) fn fingerprint() -> Option<String> {
    let mut hasher = DefaultHasher::new();
    for name in tree::files(&[])? {
        (fs::read(&name).ok()?, name).hash(&mut hasher);
    }
    Some(format!("{:016x}", hasher.finish()))
}

/// Remembers what the tests said, if the tree is still the one that they were built from.
pub(crate) fn remember(before: Option<String>, results: &[Ran]) -> Result<()> {
    let folder = folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    evidence::keep_tests(&folder, results)?;
    let after = fingerprint();
    let known = before.filter(|before| after.as_ref() == Some(before)).unwrap_or_default();
    fs::write(folder.join(TREE), known).context("cannot keep which tree the verdicts are of")
}

/// What is remembered of the tree as it is now; nothing if it is of another one.
pub(crate) fn recall() -> BTreeMap<TestName, Outcome> {
    let verdicts = || {
        let folder = folder().ok()?;
        let known = fs::read_to_string(folder.join(TREE)).ok()?;
        (Some(known) == fingerprint()).then(|| evidence::tests(&folder).ok())?
    };
    verdicts().unwrap_or_default()
}

fn folder() -> Result<PathBuf> {
    Ok(target_folder()?.join("verdicts"))
}

const TREE: &str = "tree.txt";
