//! The prekeys at hand for opening envelopes, and as whom the safe opens them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rohrpost_e2ee::keys::SealingSecret;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{InboxId, SafePin, Timestamp};

use crate::rows::PrekeyRow;

/// One state of the keys; replaced as a whole.
#[derive(Debug)]
pub(super) struct Keyring {
    pub(super) pin: SafePin,
    pub(super) inbox: InboxId,
    prekeys: BTreeMap<PrekeyId, (SealingSecret, Timestamp)>,
}

impl Keyring {
    pub(super) fn new(pin: SafePin, inbox: InboxId, prekeys: Vec<PrekeyRow>) -> Self {
        let prekeys = prekeys.into_iter().map(|row| (row.id, (row.secret(), row.not_after))).collect();
        Self { pin, inbox, prekeys }
    }

    /// A prekey's secret and the end of its offer.
    pub(super) fn prekey(&self, id: PrekeyId) -> Option<(&SealingSecret, Timestamp)> {
        self.prekeys.get(&id).map(|(secret, until)| (secret, *until))
    }
}

/// The present keyring, shared.
#[derive(Clone, Debug)]
pub(super) struct SharedKeyring(Arc<RwLock<Arc<Keyring>>>);

impl SharedKeyring {
    pub(super) fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(keyring))))
    }

    pub(super) fn current(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, keyring: Keyring) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
    }
}
