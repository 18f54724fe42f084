//! The safe itself: its name, its keys, its counters.

use std::fmt;

use rohrpost_e2ee::keys::{SealingSecret, SigningSecret};
use rohrpost_e2ee::secret::{Secret, inside_seal};
use rohrpost_wire::records::{PrekeyId, Signed};
use rohrpost_wire::{InboxId, RelayAddress, SafePin, Timestamp};
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::vault::Table;

/// Whose safe this is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PracticeRow {
    /// As patients shall see it.
    pub name: String,
    /// Where the safe connects.
    pub relay: RelayAddress,
    /// When it was made.
    pub created: Timestamp,
}

impl PracticeRow {
    /// The one key.
    pub const KEY: &[u8] = b"practice";
}

impl Stored for PracticeRow {
    const TABLE: Table = Table::Settings;

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }
}

impl fmt::Debug for PracticeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PracticeRow")
    }
}

/// The keys of the present epoch and the records that vouch for them. The root key is not among them: it is on paper.
#[derive(Clone, Serialize, Deserialize)]
pub struct IdentityRow {
    /// The safe's name for ever.
    pub pin: SafePin,
    /// The present epoch.
    pub epoch: u32,
    /// The safe's address.
    pub inbox: InboxId,
    #[serde(with = "inside_seal")]
    online: Secret<32>,
    #[serde(with = "inside_seal")]
    audit: Secret<32>,
    #[serde(with = "inside_seal")]
    route: Secret<32>,
    /// The chain of root statements.
    pub roots: Vec<Signed>,
    /// The identity record.
    pub record: Signed,
    /// When it ends.
    pub not_after: Timestamp,
}

/// The secret keys of one epoch.
#[derive(Clone, Debug)]
pub struct EpochKeys {
    /// Signs prekeys.
    pub online: SigningSecret,
    /// Will sign the audit log's checkpoints.
    pub audit: SigningSecret,
    /// Logs the safe in at its relay.
    pub route: SigningSecret,
}

impl IdentityRow {
    /// The one key.
    pub const KEY: &[u8] = b"identity";

    /// Puts the row together.
    pub fn new(pin: SafePin, epoch: u32, keys: &EpochKeys, roots: Vec<Signed>, record: Signed, end: Timestamp) -> Self {
        Self {
            pin,
            epoch,
            inbox: InboxId::of_route_key(&keys.route.public().0),
            online: keys.online.expose(),
            audit: keys.audit.expose(),
            route: keys.route.expose(),
            roots,
            record,
            not_after: end,
        }
    }

    /// The secret keys.
    pub fn keys(&self) -> EpochKeys {
        EpochKeys {
            online: SigningSecret::from_bytes(self.online.expose()),
            audit: SigningSecret::from_bytes(self.audit.expose()),
            route: SigningSecret::from_bytes(self.route.expose()),
        }
    }
}

impl Stored for IdentityRow {
    const TABLE: Table = Table::Settings;

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }
}

impl fmt::Debug for IdentityRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityRow(epoch {})", self.epoch)
    }
}

/// How often the safe has logged in: a copy of its vault would count the same numbers again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LoginCounter(pub u64);

impl LoginCounter {
    /// The one key.
    pub const KEY: &[u8] = b"logins";
}

impl Stored for LoginCounter {
    const TABLE: Table = Table::Settings;

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }
}

/// The end of the audit log, and with it the latest time at which the safe has decided anything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the next leaf.
    pub next: u64,
    /// The high-water mark of time: the safe never acts at an earlier one.
    pub time: Timestamp,
}

impl AuditHead {
    /// The one key.
    pub const KEY: &[u8] = b"audit";
}

impl Stored for AuditHead {
    const TABLE: Table = Table::Settings;

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }
}

/// One prekey with its secret, kept until 15 days after its time.
#[derive(Clone, Serialize, Deserialize)]
pub struct PrekeyRow {
    /// Random.
    pub id: PrekeyId,
    #[serde(with = "inside_seal")]
    secret: Secret<32>,
    /// As it is published.
    pub record: Signed,
    /// From when it is offered.
    pub not_before: Timestamp,
    /// Until when it is offered.
    pub not_after: Timestamp,
}

impl PrekeyRow {
    /// Puts the row together.
    pub fn new(
        id: PrekeyId,
        secret: &SealingSecret,
        record: Signed,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        Self { id, secret: Secret::from_bytes(*secret.expose()), record, not_before, not_after }
    }

    /// The secret half.
    pub fn secret(&self) -> SealingSecret {
        SealingSecret::from_bytes(*self.secret.expose())
    }
}

impl Stored for PrekeyRow {
    const TABLE: Table = Table::Prekeys;

    fn key(&self) -> Vec<u8> {
        self.id.0.0.to_vec()
    }
}

impl fmt::Debug for PrekeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrekeyRow({:?})", self.id.0)
    }
}
