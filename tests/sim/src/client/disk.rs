//! What a device has written down, and every place at which a crash can cut that short.
//!
//! The product replaces a file whole, so of a write that a crash meets all is there or nothing. A step of a device may
//! write several times before it sends anything. It is run to its end, and each of its writes is kept: so it can be taken
//! back to before or after any of them, with what it had told by then.

use rohrpost_patient::account::{Account, Pending, Safe as KnownSafe};
use rohrpost_patient::partial::Kept;

use crate::world::Moment;

/// A device's files.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) account: Option<Account>,
    pub(super) pending: Option<Pending>,
    /// Enrolments that were begun with other links and not answered: they stay.
    pub(super) earlier: Vec<Pending>,
    /// What an account knew of its safe that was removed: it stays.
    pub(super) removed: Option<KnownSafe>,
    pub(super) part: Option<(Kept, Vec<u8>)>,
}

/// The files as they were written, and the writes of the step under way.
#[derive(Debug, Default)]
pub(super) struct Disk {
    written: Files,
    writes: Vec<Write>,
}

#[derive(Debug)]
struct Write {
    before: Files,
    /// How much the device had told when it was durable.
    told: usize,
}

impl Disk {
    /// Makes the files durable as they are. What has been told is so from here on.
    pub(super) fn write(&mut self, files: &Files, told: usize) {
        let before = std::mem::replace(&mut self.written, files.clone());
        self.writes.push(Write { before, told });
    }

    /// How often the step under way has written.
    pub(super) fn writes(&self) -> usize {
        self.writes.len()
    }

    /// The step is done: all that it wrote stays.
    pub(super) fn settle(&mut self) {
        self.writes.clear();
    }

    /// What a crash now leaves.
    pub(super) fn files(&self) -> Files {
        self.written.clone()
    }

    /// Goes back to one side of a write of the step under way. How much of what it told was so by then.
    pub(super) fn go_back(&mut self, write: usize, moment: Moment) -> usize {
        let first_lost = if moment == Moment::Before { write } else { write + 1 };
        let told = first_lost.checked_sub(1).and_then(|last| self.writes.get(last)).map_or(0, |last| last.told);
        if let Some(lost) = self.writes.drain(..).nth(first_lost) {
            self.written = lost.before;
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_e2ee::body::{DocumentId, VersionHash};
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn files(length: usize) -> Files {
        let kept = Kept {
            document: DocumentId(Fixed([1; 16])),
            version: VersionHash(Fixed([2; 32])),
            verified: length as u64,
        };
        Files { part: Some((kept, vec![0; length])), ..Files::default() }
    }

    fn length(disk: &Disk) -> Option<usize> {
        disk.files().part.map(|(_, part)| part.len())
    }

    #[test]
    fn a_crash_leaves_what_was_written_on_its_side_of_each_write() {
        let places = [(0, Moment::Before, None, 0), (0, Moment::After, Some(1), 5), (1, Moment::Before, Some(1), 5)];
        for (write, moment, left, told) in places.into_iter().chain([(1, Moment::After, Some(2), 7)]) {
            let mut disk = Disk::default();
            disk.write(&files(1), 5);
            disk.write(&files(2), 7);
            assert_eq!((disk.go_back(write, moment), length(&disk)), (told, left), "{moment:?} {write}");
            assert_eq!(disk.writes(), 0);
        }
    }

    #[test]
    fn what_a_step_wrote_stays_when_it_is_done() {
        let mut disk = Disk::default();
        disk.write(&files(1), 0);
        disk.settle();
        assert_eq!((disk.writes(), length(&disk)), (0, Some(1)));
    }
}
