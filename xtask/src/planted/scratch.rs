//! The copy of the tree that gets broken: as the working tree is, but for one patch at a time.
//!
//! A file is written only where it differs, so that cargo builds only what changed. Whatever a test left behind goes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::ci::tree;
use crate::command::{self, program};

/// Bytes by path.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The copy, and its target folder beside it. One process at a time has it.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) tree: PathBuf,
    pub(super) target: PathBuf,
    /// The tree as it was at the beginning, whatever becomes of it meanwhile.
    original: Files,
    // Held until the end: unlocked when closed.
    _lock: File,
}

impl Scratch {
    /// Waits for its turn, then makes the copy equal to the working tree.
    pub(super) fn open() -> Result<Self> {
        let folder = target_folder()?.join("planted");
        let (tree, target) = (folder.join("tree"), folder.join("target"));
        fs::create_dir_all(&tree).with_context(|| format!("cannot make {}", tree.display()))?;
        let lock = File::create(folder.join("lock")).context("cannot make a lock file")?;
        lock.lock().context("cannot lock the copy")?;
        let original = read(Path::new("."), tree::files(&[]).context(tree::NO_GIT)?)?;
        let scratch = Self { tree, target, original, _lock: lock };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Makes the copy whole again.
    pub(super) fn restore(&self) -> Result<()> {
        mirror(&self.original, &self.tree)
    }

    /// Breaks the copy.
    pub(super) fn apply(&self, patch: &Path) -> Result<()> {
        let mut git = program("git", &["apply", "--whitespace=nowarn"]);
        // The copy lies inside a checkout, whose paths these are not: git is not to look for one.
        git.arg(patch).current_dir(&self.tree).env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        let (status, said) = command::outcome(&mut git)?;
        ensure!(status.success(), "the patch does not apply: {}", said.trim());
        Ok(())
    }
}

/// Beside the folder that this program was built into.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where am I?")?;
    own.ancestors().nth(2).map(Path::to_owned).context("this program lies in no target folder")
}

fn read(tree: &Path, names: Vec<String>) -> Result<Files> {
    let file = |name: String| {
        let bytes = fs::read(tree.join(&name)).with_context(|| format!("cannot read {name}"))?;
        Ok((PathBuf::from(name), bytes))
    };
    names.into_iter().map(file).collect()
}

fn mirror(from: &Files, to: &Path) -> Result<()> {
    for path in contents(to)? {
        if !path.strip_prefix(to).is_ok_and(|name| from.contains_key(name)) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let write = |(name, bytes): (&PathBuf, &Vec<u8>)| {
        write(&to.join(name), bytes).with_context(|| format!("cannot write {}", name.display()))
    };
    from.iter().try_for_each(write)
}

/// Leaves a file alone that is right: its age tells cargo that nothing was changed.
fn write(to: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
    fs::write(to, bytes)?;
    Ok(())
}

/// Every file below a folder.
fn contents(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let place = if entry.file_type()?.is_dir() { &mut folders } else { &mut found };
            place.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder in the target folder, gone at the end.
    struct Copy(PathBuf);

    impl Copy {
        fn new(name: &str) -> Self {
            let copy = Self(target_folder().unwrap().join(format!("tmp/mirror-{name}-{}", std::process::id())));
            fs::create_dir_all(&copy.0).unwrap();
            copy
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            let _is_swept_with_the_target_folder = fs::remove_dir_all(&self.0);
        }
    }

    fn one_file(name: &str) -> Files {
        Files::from([(PathBuf::from(name), b"right".to_vec())])
    }

    #[test]
    fn a_broken_copy_is_made_whole_and_what_was_left_in_it_goes() {
        let (copy, original) = (Copy::new("broken"), one_file("a/b.rs"));
        mirror(&original, &copy.0).unwrap();
        fs::write(copy.0.join("a/b.rs"), "wrong").unwrap();
        fs::write(copy.0.join("a/left.txt"), "left").unwrap();
        mirror(&original, &copy.0).unwrap();
        assert_eq!(fs::read_to_string(copy.0.join("a/b.rs")).unwrap(), "right");
        assert!(!copy.0.join("a/left.txt").exists());
    }

    #[test]
    fn a_file_that_is_the_same_keeps_its_age() {
        let (copy, original) = (Copy::new("same"), one_file("a.rs"));
        let age = || fs::metadata(copy.0.join("a.rs")).unwrap().modified().unwrap();
        mirror(&original, &copy.0).unwrap();
        let first = age();
        mirror(&original, &copy.0).unwrap();
        assert_eq!(age(), first);
    }
}
