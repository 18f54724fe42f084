//! What the simulation may look at in a device from outside.

use rohrpost_e2ee::Link;
use rohrpost_e2ee::body::DeviceId;
use rohrpost_e2ee::trust;
use rohrpost_patient::account::{Account, Pending, Safe as KnownSafe};

use super::{Client, Step};
use crate::port::{Conn, Stream};

impl Client {
    /// The link it was given last.
    pub fn link(&self) -> Option<&Link> {
        self.invitation.as_ref().map(|invitation| &invitation.link)
    }

    /// Whether it believes to be enrolled.
    pub fn is_enrolled(&self) -> bool {
        self.files.account.is_some()
    }

    /// The device it is or tries to be.
    pub fn device(&self) -> Option<DeviceId> {
        let (account, pending) = (self.files.account.as_ref(), self.files.pending.as_ref());
        let key = account.map(Account::key).or_else(|| pending.map(Pending::key))?;
        Some(DeviceId::of_key(&key.public()))
    }

    /// What it knows of its safe.
    pub fn known(&self) -> Option<trust::Known> {
        self.safe().map(KnownSafe::known)
    }

    /// Whether nothing is planned, under way or awaited.
    pub fn is_idle(&self) -> bool {
        self.live.plan.is_empty() && self.live.doing.is_none() && self.live.awaiting.is_empty()
    }

    /// Answers to deposits that are awaited.
    pub fn awaiting(&self) -> usize {
        self.live.awaiting.len()
    }

    /// Whether an errand is under way.
    pub fn is_busy(&self) -> bool {
        self.live.doing.is_some()
    }

    /// The errand under way: which start of the device it belongs to, and the how-manieth it is there.
    pub fn under_way(&self) -> Option<(u64, u64)> {
        self.is_busy().then_some((self.life, self.live.begun))
    }

    /// Whether an answer on this stream is what it waits for.
    pub fn waits_on(&self, conn: Conn, stream: Stream) -> bool {
        let doing = self.live.doing.as_ref();
        doing.is_some_and(|doing| doing.conn == conn && doing.waits_on == Some(stream))
    }

    /// Whether its clock is right, and not set by a safe's.
    pub fn knows_the_time(&self) -> bool {
        self.clock.offset == 0 && self.live.corrected == 0
    }

    /// Whether it waits for its safe's records.
    pub fn is_meeting(&self) -> bool {
        self.live.doing.as_ref().is_some_and(|doing| matches!(doing.step, Step::Meeting))
    }

    pub(super) fn safe(&self) -> Option<&KnownSafe> {
        let (account, pending) = (self.files.account.as_ref(), self.files.pending.as_ref());
        account.map(|account| &account.safe).or_else(|| pending.map(|pending| &pending.safe))
    }
}
