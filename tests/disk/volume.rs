//! A small file system of our own, made in a file and mounted, whose power can be cut and whose disk can be filled.
//!
//! Power is cut by the file system's own shutdown without a flush of its journal: what was not synced is gone, as if the
//! machine had lost its current. Root alone may do this; elsewhere the test says so and leaves it out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rohrpost_tests::samples::skip;
use tempfile::TempDir;

/// Which file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With its journal in the usual mode, `ordered`.
    Ext4,
    /// As its tools make it.
    Xfs,
}

/// A mounted file system, unmounted when dropped.
pub(crate) struct Volume {
    folder: TempDir,
}

impl Volume {
    /// Makes one, unless something that it takes is missing here.
    pub(crate) fn make(kind: Kind, what: &str, mebibytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join(IMAGE);
        File::create(&image).unwrap().set_len(mebibytes << 20).unwrap();
        fs::create_dir(folder.path().join(MOUNTED)).unwrap();
        let made = match kind {
            Kind::Ext4 => done("mkfs.ext4", &["-q", "-F"], &image),
            Kind::Xfs => done("mkfs.xfs", &["-q", "-f"], &image),
        };
        if !made {
            skip(what, &format!("no {kind:?} file system can be made here"));
            return None;
        }
        let volume = Self { folder };
        if volume.mount() {
            return Some(volume);
        }
        skip(what, "a file in a file can be mounted by root alone, and where there are loop devices");
        None
    }

    /// Makes one whose power can be cut.
    pub(crate) fn with_power(kind: Kind, what: &str) -> Option<Self> {
        if !done("xfs_io", &["-V"], Path::new("")) {
            skip(what, "xfs_io of the package xfsprogs is not installed");
            return None;
        }
        // The smallest XFS that its tools make.
        Self::make(kind, what, 320)
    }

    /// Where its root is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(MOUNTED)
    }

    /// Nothing more reaches the disk, and what had not is gone.
    pub(crate) fn cut_power(&self) {
        assert!(done("xfs_io", &["-x", "-c", "shutdown"], &self.path()), "the power was not cut");
    }

    /// Power is back. Nobody may have files open.
    pub(crate) fn restart(&self) {
        assert!(done("umount", &[], &self.path()), "the file system is still used");
        assert!(self.mount(), "the file system does not come back");
    }

    /// What a file system does to itself when its disk fails: all is read-only from here on, open files too.
    pub(crate) fn turn_read_only(&self) {
        assert!(done("mount", &["-o", "remount,abort"], &self.path()), "the file system does not turn read-only");
    }

    fn mount(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(self.folder.path().join(IMAGE));
        succeeds(mount.arg(self.path()))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // A test that failed may have left programs with files open: then the mount goes when they do.
        let _gone = done("umount", &["--lazy"], &self.path());
    }
}

/// A file system in memory of so many MiB, on a folder; unmounted when dropped.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one, where that is allowed.
    pub(crate) fn make(what: &str, mebibytes: u64) -> Option<Self> {
        let disk = Self { folder: tempfile::tempdir().unwrap() };
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(disk.path());
        if succeeds(&mut mount) {
            return Some(disk);
        }
        skip(what, "a small file system can be mounted by root alone");
        None
    }

    /// Where its root is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = done("umount", &["--lazy"], self.path());
    }
}

fn done(program: &str, arguments: &[&str], last: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(arguments);
    if last != Path::new("") {
        command.arg(last);
    }
    succeeds(&mut command)
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

const IMAGE: &str = "image";
const MOUNTED: &str = "mounted";
