//! What a client believes, held against what is so: whose keys, whose documents, which effects.

use rohrpost_e2ee::body::{DeviceId, DocumentEntry, DocumentId, Status};
use rohrpost_e2ee::keys::SealingKey;
use rohrpost_e2ee::trust::Known;
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::rows::PrekeyRow;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::time::{DAY, HOUR};
use rohrpost_wire::{SafePin, Timestamp};

use super::Ghost;
use crate::safe::Safe;

impl Ghost {
    /// The key that is sealed to is one that the safe itself made, and for this time.
    pub(super) fn met(
        &mut self,
        client: usize,
        pin: SafePin,
        (prekey, key): (PrekeyId, &SealingKey),
        time: Option<Timestamp>,
        safes: &[Safe],
    ) {
        let Some(index) = self.people.get(client).map(|person| person.safe) else { return };
        let (Some(ghost), Some(safe)) = (self.safes.get_mut(index), safes.get(index)) else { return };
        if !ghost.prekeys.contains_key(&prekey) {
            let made = safe.read(identity::prekeys);
            ghost.prekeys.extend(made.into_iter().map(|row| (row.id, row)));
        }
        let made = ghost.prekeys.get(&prekey).filter(|made| made.secret().public() == *key && ghost.pin == pin);
        // An hour before its time and a day after it, as the protocol says.
        let is_due =
            |made: &PrekeyRow, time: Timestamp| time.plus(HOUR) >= made.not_before && time <= made.not_after.plus(DAY);
        match made {
            None => self.accuse(format!("client {client} believes a key that is not its safe's")),
            Some(made) if !time.is_none_or(|time| is_due(made, time)) => {
                self.accuse(format!("client {client} seals to a key whose time it is not"));
            }
            Some(_) => {}
        }
    }

    /// A client that takes up a link has forgotten nothing of what records bore out.
    pub(super) fn begun(&mut self, client: usize, known: &Known) {
        let forgot = self.known.get(&(client, known.pin)).is_some_and(|before| is_less(known, before));
        if forgot {
            self.accuse(format!("client {client} knows less of its safe by a new link than before"));
        }
    }

    pub(super) fn learnt(&mut self, client: usize, pin: SafePin, known: Known) {
        let before = self.known.insert((client, pin), known);
        if before.is_some_and(|before| is_less(&known, &before)) {
            self.accuse(format!("client {client} knows less of its safe than before"));
        }
    }

    /// Nobody believes in an effect that is not on the safe's disk, nor is told another thing than stands there.
    pub(super) fn answered(&mut self, client: usize, digest: &Fixed<32>, status: Status) {
        self.count("answers");
        let Some(index) = self.people.get(client).map(|person| person.safe) else { return };
        let Some(safe) = self.safes.get(index) else { return };
        if let Some(wrong) = self.requests.believe(digest, status, &safe.policy) {
            self.accuse(format!("client {client}, told {status:?}: {wrong}"));
        }
    }

    /// Nobody is sent away who has every right to be there.
    pub(super) fn removed(&mut self, client: usize, device: DeviceId) {
        self.count("devices found removed");
        let safe = self.people.get(client).and_then(|person| self.safes.get(person.safe));
        if safe.is_some_and(|safe| safe.policy.is_active(device)) {
            self.accuse(format!("client {client} was sent away and is enrolled"));
        }
    }

    pub(super) fn enrolled(&mut self, client: usize, device: DeviceId, name: &str) {
        let Some(person) = self.people.get(client) else { return };
        let owner = self.safes.get(person.safe).and_then(|safe| safe.policy.owner(device));
        if owner != Some(person.patient) || name != person.name {
            self.accuse(format!("client {client} believes to be enrolled for somebody it is not"));
        }
    }

    /// A listing shows what was shared when it was recorded: all of it, nothing else, and each thing once.
    pub(super) fn listed(&mut self, client: usize, digest: &Fixed<32>, entries: &[DocumentEntry]) {
        let own = self.people.get(client).map(|person| person.patient);
        for entry in entries {
            let imported = self.documents.get(&entry.id);
            let fits = imported.is_some_and(|it| Some(it.patient) == own && it.title == entry.title);
            if !fits {
                self.accuse(format!("client {client} was shown a document that is not its patient's"));
                return;
            }
        }
        let shown = self.requests.shown(digest);
        if !shown.is_some_and(|shown| shown.iter().eq(entries.iter().map(|entry| &entry.id))) {
            self.accuse(format!("client {client} was shown {} documents, recorded are {shown:?}", entries.len()));
        }
    }

    pub(super) fn received(&mut self, client: usize, document: DocumentId, sha256: &Fixed<32>) {
        self.count("documents received");
        let own = self.people.get(client).map(|person| person.patient);
        let imported = self.documents.get(&document);
        if !imported.is_some_and(|it| Some(it.patient) == own && it.sha256 == *sha256) {
            self.accuse(format!("client {client} holds bytes that are not this document of its patient"));
        }
    }
}

fn is_less(known: &Known, before: &Known) -> bool {
    (known.epoch, known.identity_from) < (before.epoch, before.identity_from)
        || known.chain.length < before.chain.length
}
