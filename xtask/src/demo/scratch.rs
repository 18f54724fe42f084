//! The demo's folder: fresh, closed to other users, and gone when the demo is, however it ends.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A temporary folder.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    // Removes the folder at the end of its standard input: see `Daemon`.
    broom: Child,
}

impl Scratch {
    /// Makes a folder that nobody has used.
    pub(super) fn create() -> Result<Self> {
        let path = fresh(&std::env::temp_dir())?;
        let mut shell = Command::new("sh");
        shell.args(["-c", BROOM, "broom"]).arg(&path).stdin(Stdio::piped()).process_group(0);
        let broom = shell.spawn().context("cannot start a shell")?;
        Ok(Self { path, broom })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.broom.stdin.take());
        // A folder that cannot be removed is the system's to sweep; the demo has shown what it had to show.
        drop(self.broom.wait());
    }
}

fn fresh(parent: &Path) -> Result<PathBuf> {
    for number in 0..100 {
        let path = parent.join(format!("rohrpost-demo-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make {}", path.display())),
        }
    }
    bail!("{} is full of old demos", parent.display())
}

const BROOM: &str = r#"read -r _; rm -rf -- "$1""#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_gone_with_all_that_is_in_it_when_its_value_is_dropped() {
        let scratch = Scratch::create().unwrap();
        let path = scratch.path().to_owned();
        std::fs::create_dir(path.join("inner")).unwrap();
        std::fs::write(path.join("inner/file"), "content").unwrap();
        drop(scratch);
        // Of the folder itself only another test can be seen, which may have taken the free name meanwhile.
        assert!(!path.join("inner").exists());
    }

    #[test]
    fn two_demos_do_not_share_a_folder() {
        let (one, other) = (Scratch::create().unwrap(), Scratch::create().unwrap());
        assert_ne!(one.path(), other.path());
    }
}
