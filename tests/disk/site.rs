//! Where a store lies, and what a crash of it is: of the program, or of the whole machine.

use std::path::PathBuf;

use rohrpost_tests::until;
use tempfile::TempDir;

use crate::plan::Dice;
use crate::program::Program;
use crate::volume::Volume;

/// A place for a data folder.
pub(crate) enum Site {
    /// On this machine's own disk, which outlives the program.
    Folder(TempDir),
    /// On a file system whose power is cut with the program.
    Volume(Volume),
}

impl Site {
    /// On this machine's own disk.
    pub(crate) fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join("data"),
            Self::Volume(volume) => volume.path().join("data"),
        }
    }

    /// The program dies in the middle of whatever it does, and with it what this place does not keep.
    ///
    /// When a power cut comes, the machine stops too. So the program is either stopped first, between two calls of
    /// the system, or it runs on into the cut, in the middle of a write perhaps; then `deafen` says that nothing
    /// it answers from now on counts: ext4 has been seen to let a sync succeed during its own shutdown.
    pub(crate) async fn crash(&self, program: Program, dice: &mut Dice, deafen: impl FnOnce()) {
        let Self::Volume(volume) = self else { return program.kill() };
        if dice.one_in(2) {
            program.freeze().await;
        } else {
            deafen();
        }
        volume.cut_power();
        program.kill();
        volume.restart();
    }

    /// The same while it starts, when it has opened some of its files.
    pub(crate) async fn crash_at_start(&self, mut program: Program, dice: &mut Dice) {
        let files = 4 + dice.place(12);
        until("the program has begun to start", || program.open_files() >= files || program.exit_code().is_some())
            .await;
        self.crash(program, dice, || {}).await;
    }
}
