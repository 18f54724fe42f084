//! Whether the disk has room for more.
//!
//! What makes room needs some itself: an ack is written to the log first, and the log is written back. So what makes the
//! database larger leaves [`RESERVE`] alone. A transaction that meets a full disk all the same costs a rebuilt index, so
//! one of them is enough: what grows is refused until something has been erased, or for [`PROBE`], after which the next
//! one tries.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// How long growth is refused before it is tried again: an operator who has made room does not wait for long.
const PROBE: Duration = Duration::from_secs(10);

/// What is left free for acks. SQLite writes the log back when it is 4 MiB long, one transaction adds at most the
/// envelopes on their way in, 16 MiB, and the database may have to grow by as much.
const RESERVE: u64 = 40 * 1024 * 1024;

/// What the log alone may need: the envelopes of one transaction, and 4 MiB before it is written back.
const LOG: u64 = 20 * 1024 * 1024;

/// As much as SQLite writes at once, and more than a file system keeps for a file that is there already.
const PROBE_BYTES: usize = 64 * 1024;

/// What is remembered of a full disk.
#[derive(Debug, Default)]
pub(super) struct Room {
    full_since: Option<Duration>,
    /// Whether its operator knows: until something grows again, one line is enough.
    told: bool,
}

impl Room {
    /// Whether what grows is refused without trying.
    pub(super) fn refuses(&self, running: Duration) -> bool {
        self.full_since.is_some_and(|since| running.saturating_sub(since) < PROBE)
    }

    /// The disk has turned out to be full; whether that is news.
    pub(super) fn handle_full(&mut self, running: Duration) -> bool {
        self.full_since = Some(running);
        !std::mem::replace(&mut self.told, true)
    }

    /// Something was erased: what grows may be tried again.
    pub(super) fn handle_erased(&mut self) {
        self.full_since = None;
    }

    /// Something that grows has been stored: the disk is not full any more.
    pub(super) fn handle_grown(&mut self) {
        *self = Self::default();
    }
}

/// Whether what grows would take the room that acks need. `unused` is what the database has free within itself: there
/// the file need not grow, and the log alone takes room.
pub(super) fn is_short(database: &Path, unused: u64) -> bool {
    available(database).is_some_and(|available| encroaches(available, unused))
}

fn encroaches(available: u64, unused: u64) -> bool {
    available.saturating_add(unused) < RESERVE || available < LOG
}

/// Bytes that the file system has left for us, where that can be asked.
fn available(database: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(database)
        .ok()
        // A file system that counts nothing has no blocks at all.
        .filter(|system| system.f_blocks > 0)
        .map(|system| system.f_bavail.saturating_mul(system.f_frsize));
    #[cfg(not(unix))]
    None
}

/// Whether a file beside the database finds no room either. A quota that is used up is an error of its own to the
/// operating system, which SQLite passes on as any failed write.
pub(super) fn is_used_up(database: &Path) -> bool {
    let path = database.with_extension("probe");
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    // It was in nobody's way; the next probe writes over it.
    drop(std::fs::remove_file(&path));
    written.is_err_and(|error| is_full(&error))
}

/// Whether the operating system says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_refused_until_it_is_tried_again_or_something_was_erased() {
        let mut room = Room::default();
        assert!(!room.refuses(Duration::from_secs(1)));
        assert!(room.handle_full(Duration::from_secs(1)));
        assert!(room.refuses(Duration::from_secs(10)));
        assert!(!room.refuses(Duration::from_secs(11)));
        assert!(!room.handle_full(Duration::from_secs(11)));
        assert!(room.refuses(Duration::from_secs(12)));
        room.handle_erased();
        assert!(!room.refuses(Duration::from_secs(12)));
        assert!(!room.handle_full(Duration::from_secs(13)), "an erased envelope alone is no reason to tell it anew");
        room.handle_grown();
        assert!(!room.refuses(Duration::from_secs(14)));
        assert!(room.handle_full(Duration::from_secs(15)));
    }

    #[test]
    fn what_grows_leaves_room_for_acks_and_may_use_what_they_have_freed() {
        assert!(!encroaches(RESERVE, 0));
        assert!(encroaches(RESERVE - 1, 0));
        assert!(!encroaches(RESERVE - 1, 1));
        assert!(!encroaches(LOG, RESERVE));
        assert!(encroaches(LOG - 1, u64::MAX));
        assert!(!is_short(&std::env::temp_dir(), RESERVE), "these tests need some room");
    }

    #[test]
    fn a_probe_finds_room_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_used_up(&folder.path().join("spool.db")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_used_up_quota_is_a_full_disk() {
        // EDQUOT and ENOSPC.
        for number in [122, 28] {
            assert!(is_full(&io::Error::from_raw_os_error(number)));
        }
        assert!(!is_full(&io::Error::from_raw_os_error(5)));
        assert_eq!(std::fs::write("/dev/full", [0]).map_err(|error| is_full(&error)), Err(true));
    }
}
