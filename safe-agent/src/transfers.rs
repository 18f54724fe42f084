//! Transfers under way, and their end when a right is taken back.
//!
//! A transfer is authorised in a transaction and then runs for minutes. Whoever revokes a device or a share cancels
//! what depends on it here; a transfer authorised before the revocation and registered after it is caught by its
//! ticket, so there is no gap between the two.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rohrpost_e2ee::body::{DeviceId, DocumentId};
use tokio::sync::watch;

use crate::rows::PatientId;

/// Revocations remembered for transfers that are being authorised. A ticket older than all of them is refused: its
/// holder asks again.
const REMEMBERED: usize = 256;

/// Transfers at once: fewer than the calls a safe takes, so that questions always get through.
const TRANSFERS: usize = 48;
/// Transfers at once to one device, which can read no faster with more.
const TRANSFERS_OF_DEVICE: usize = 4;
/// Transfers at once of one patient, on all devices.
const TRANSFERS_OF_PATIENT: usize = 8;

/// What was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// A device.
    Device(DeviceId),
    /// A patient's right to a document.
    Share(PatientId, DocumentId),
}

/// Whom and what a transfer serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The device it goes to.
    pub device: DeviceId,
    /// Whose document.
    pub patient: PatientId,
    /// Which.
    pub document: DocumentId,
}

/// Taken before authorising: what is revoked from then on counts.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

/// All transfers of one safe. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Transfers {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    revocations: u64,
    recent: VecDeque<Revocation>,
    next: u64,
    running: BTreeMap<u64, (Subject, watch::Sender<bool>)>,
}

/// Why a transfer does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBegun {
    /// The right to it was taken back while it was being authorised.
    #[error("the right was taken back")]
    Revoked,
    /// As many run as may: of this device, of this patient, or of all.
    #[error("too many transfers run")]
    Busy,
}

/// A running transfer. Dropping it ends its registration.
#[derive(Debug)]
pub struct Running {
    transfers: Transfers,
    number: u64,
    cancelled: watch::Receiver<bool>,
}

impl Transfers {
    /// To be called before the transaction that authorises.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.lock().revocations)
    }

    /// Registers a transfer that was authorised after the ticket was taken, unless it has been revoked since or too
    /// many run.
    pub fn begin(&self, subject: Subject, ticket: Ticket) -> Result<Running, NotBegun> {
        let mut table = self.lock();
        if table.revoked_since(ticket, &subject) {
            return Err(NotBegun::Revoked);
        }
        if table.is_full_for(&subject) {
            return Err(NotBegun::Busy);
        }
        let (sender, cancelled) = watch::channel(false);
        let number = table.next;
        table.next += 1;
        table.running.insert(number, (subject, sender));
        Ok(Running { transfers: self.clone(), number, cancelled })
    }

    /// Cancels what depends on a right that was taken back. To be called after the revocation is durable.
    pub fn revoke(&self, revocation: Revocation) {
        let mut table = self.lock();
        table.revocations += 1;
        table.recent.push_back(revocation);
        if table.recent.len() > REMEMBERED {
            table.recent.pop_front();
        }
        for (subject, sender) in table.running.values() {
            if revocation.hits(subject) {
                sender.send_replace(true);
            }
        }
    }

    /// How many transfers run.
    pub fn running(&self) -> usize {
        self.lock().running.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Every change of the table is one statement after its checks: a panic elsewhere leaves it whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn is_full_for(&self, subject: &Subject) -> bool {
        let count = |same: &dyn Fn(&Subject) -> bool| self.running.values().filter(|(other, _)| same(other)).count();
        self.running.len() >= TRANSFERS
            || count(&|other| other.device == subject.device) >= TRANSFERS_OF_DEVICE
            || count(&|other| other.patient == subject.patient) >= TRANSFERS_OF_PATIENT
    }

    fn revoked_since(&self, ticket: Ticket, subject: &Subject) -> bool {
        let since = usize::try_from(self.revocations - ticket.0).unwrap_or(usize::MAX);
        since > self.recent.len() || self.recent.iter().rev().take(since).any(|revocation| revocation.hits(subject))
    }
}

impl Revocation {
    fn hits(self, subject: &Subject) -> bool {
        match self {
            Self::Device(device) => device == subject.device,
            Self::Share(patient, document) => patient == subject.patient && document == subject.document,
        }
    }
}

impl Running {
    /// Resolves when the transfer must end.
    pub async fn cancelled(&mut self) {
        // The sender lives in the table as long as this registration: an error cannot come before its end.
        if self.cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it must end.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.transfers.lock().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;

    use super::*;

    fn subject(device: u8, document: u8) -> Subject {
        Subject {
            device: DeviceId(Fixed([device; 16])),
            patient: PatientId(Fixed([1; 16])),
            document: DocumentId(Fixed([document; 16])),
        }
    }

    #[test]
    fn a_revocation_ends_what_depends_on_it_and_nothing_else() {
        let transfers = Transfers::default();
        let begin = |device, document| transfers.begin(subject(device, document), transfers.ticket()).unwrap();
        let (first, second, third) = (begin(1, 1), begin(1, 2), begin(2, 2));
        transfers.revoke(Revocation::Device(DeviceId(Fixed([1; 16]))));
        assert_eq!([first.is_cancelled(), second.is_cancelled(), third.is_cancelled()], [true, true, false]);
        transfers.revoke(Revocation::Share(PatientId(Fixed([1; 16])), DocumentId(Fixed([2; 16]))));
        assert!(third.is_cancelled());
        drop((first, second, third));
        assert_eq!(transfers.running(), 0);
    }

    #[test]
    fn a_revocation_between_authorising_and_registering_is_not_missed() {
        let transfers = Transfers::default();
        let ticket = transfers.ticket();
        transfers.revoke(Revocation::Device(DeviceId(Fixed([1; 16]))));
        assert_eq!(transfers.begin(subject(1, 1), ticket).unwrap_err(), NotBegun::Revoked);
        assert!(transfers.begin(subject(2, 1), ticket).is_ok());
        assert!(transfers.begin(subject(1, 1), transfers.ticket()).is_ok(), "authorised after the revocation");
    }

    #[test]
    fn a_ticket_older_than_all_remembered_revocations_is_refused() {
        let transfers = Transfers::default();
        let ticket = transfers.ticket();
        for _ in 0..=REMEMBERED {
            transfers.revoke(Revocation::Device(DeviceId(Fixed([9; 16]))));
        }
        assert_eq!(transfers.begin(subject(1, 1), ticket).unwrap_err(), NotBegun::Revoked);
    }

    #[test]
    fn one_device_one_patient_and_all_have_so_many_transfers_and_no_more() {
        let transfers = Transfers::default();
        let of = |device: u8, patient: u8| {
            let subject = Subject { patient: PatientId(Fixed([patient; 16])), ..subject(device, 1) };
            transfers.begin(subject, transfers.ticket())
        };
        let mut running: Vec<Running> = (0..4).map(|_| of(1, 1).unwrap()).collect();
        assert_eq!(of(1, 1).unwrap_err(), NotBegun::Busy, "one device");
        running.extend((0..4).map(|_| of(2, 1).unwrap()));
        assert_eq!(of(3, 1).unwrap_err(), NotBegun::Busy, "one patient");
        running.extend((10..50).map(|number| of(number, number).unwrap()));
        assert_eq!(of(60, 60).unwrap_err(), NotBegun::Busy, "all");
        running.pop();
        assert!(of(60, 60).is_ok(), "room again");
    }
}
