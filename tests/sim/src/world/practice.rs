//! The people: what patients want, what the practice does, and what everybody must have got in the end.

use std::mem;

use rohrpost_e2ee::body::{DocumentId, Status};
use rohrpost_safe_agent::rows::PatientId;

use super::{Event, World};
use crate::client::{Errand, Number, Told, Trouble};
use crate::port::Peer;
use crate::random::{self, Rng};
use crate::safe::office::Invitation;
use crate::time::Millis;

/// Minutes between two tries of an insider, about.
const INSIDER_MINUTES: u64 = 2;

/// Who is who, as the practices know it.
#[derive(Debug)]
pub(super) struct People {
    rng: Rng,
    patients: Vec<Patient>,
}

#[derive(Debug)]
struct Patient {
    safe: usize,
    id: PatientId,
    documents: Vec<DocumentId>,
    /// Documents taken back.
    withdrawn: Vec<DocumentId>,
    is_invited: bool,
    got: Got,
}

/// What a patient has got of what was wanted in the calm hour.
#[derive(Debug, Default)]
struct Got {
    listed: bool,
    received: bool,
}

impl People {
    pub(super) fn new(rng: Rng) -> Self {
        Self { rng, patients: Vec::new() }
    }

    pub(super) fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    pub(super) fn add(&mut self, safe: usize, id: PatientId) {
        let (documents, withdrawn) = (Vec::new(), Vec::new());
        let (is_invited, got) = (false, Got::default());
        self.patients.push(Patient { safe, id, documents, withdrawn, is_invited, got });
    }

    pub(super) fn add_document(&mut self, client: usize, document: DocumentId) {
        if let Some(patient) = self.patients.get_mut(client) {
            patient.documents.push(document);
        }
    }
}

impl World {
    /// A patient turns to the device, and will again.
    pub(super) fn errand(&mut self, client: usize) {
        if self.calm {
            return;
        }
        let is_insider = self.config.insider && client == 0;
        // Who tries for what is somebody else's tries often.
        let minutes = if is_insider { INSIDER_MINUTES } else { self.config.errand_minutes };
        let pause = Millis(random::below(self.people.rng(), 2 * minutes * 60_000));
        self.after(pause, Event::Errand(client));
        let drawn = random::below(self.people.rng(), 100);
        let place = usize::try_from(random::below(self.people.rng(), 8)).unwrap_or(0);
        let errand = match drawn {
            0..60 if is_insider => self.theft(client, place),
            0..20 => Errand::List,
            20..60 => Errand::Fetch(place),
            60..75 => Errand::Status,
            _ => Errand::Deposit,
        };
        let busy = self.clients.get(client).is_none_or(crate::client::Client::is_busy);
        if !busy {
            self.send(client, errand);
        }
    }

    /// An insider asks for what is somebody else's, with a key that is enrolled.
    fn theft(&mut self, client: usize, place: usize) -> Errand {
        if place >= 4 {
            return self.craft(client);
        }
        let foreign = self.ghost.foreign_documents(client);
        let place = random::below(self.people.rng(), foreign.len() as u64);
        let wanted = usize::try_from(place).ok().and_then(|place| foreign.get(place));
        wanted.map_or(Errand::List, |document| Errand::Steal(*document))
    }

    /// Or lists under numbers and names that it made up, or that are another's.
    fn craft(&mut self, client: usize) -> Errand {
        let drawn = usize::try_from(random::below(self.people.rng(), 8)).unwrap_or(0);
        let number = match drawn % 4 {
            0 => Number::Zero,
            1 => Number::Again,
            2 => Number::Far,
            _ => Number::Last,
        };
        let name = if drawn < 4 { None } else { self.ghost.name_of_another(client, drawn) };
        Errand::Craft(number, name)
    }

    /// The practice makes a link for a patient who has none that is of use.
    pub(super) fn make_link(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        let (index, id) = (patient.safe, patient.id);
        patient.is_invited = true;
        let Some(safe) = self.safes.get_mut(index) else { return };
        let (invitation, out) = safe.invite(id, self.config.secrets, self.now);
        self.carry_out_peer(Peer::Safe(index), out);
        self.observe_if_down(index);
        self.after(Millis::minutes(1), Event::Invited(client, Box::new(invitation)));
    }

    /// What was written while the safe was down is on disk already.
    fn observe_if_down(&mut self, index: usize) {
        if self.safes.get(index).is_some_and(|safe| !safe.is_up()) {
            self.observe(index);
        }
    }

    /// A link is handed out only once it is on the safe's disk, as by the product's command.
    pub(super) fn hand_over(&mut self, client: usize, invitation: Invitation) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        let known = self.safes.get(patient.safe).is_some_and(|safe| safe.is_open(&invitation.link, self.now));
        if !known {
            return self.make_link(client);
        }
        patient.is_invited = false;
        if let Some(device) = self.clients.get_mut(client) {
            device.invite(invitation);
        }
        let mistyped = !self.calm && random::chance(self.people.rng(), 200);
        self.send(client, Errand::Enrol { mistyped });
    }

    /// What the practice and the patient do about what a device says.
    pub(super) fn react(&mut self, client: usize, told: &Told) {
        match told {
            Told::GaveUp(Errand::Enrol { .. }, Trouble::Status(Status::WrongPin { left })) if *left > 1 => {
                self.type_again(client);
            }
            Told::Removed(_) | Told::GaveUp(Errand::Enrol { .. }, Trouble::Status(_)) => self.invite_again(client),
            Told::GaveUp(Errand::Enrol { .. }, _) => self.type_again(client),
            Told::GaveUp(errand, trouble) if self.calm => {
                // What is still awaited in the end is looked at then; a look for what a relay lost may be under way.
                if self.wants_are_due() && *errand != Errand::Collect {
                    self.ghost.accuse(format!("in the calm hour client {client} gave up {errand:?}: {trouble:?}"));
                }
            }
            Told::Listed(..) if self.wants_are_due() => self.got(client, |got| got.listed = true),
            Told::Received { .. } if self.wants_are_due() => self.got(client, |got| got.received = true),
            Told::Enrolled(..) if self.wants_are_due() => self.want(client),
            Told::Met { .. }
            | Told::Sealed { .. }
            | Told::Answered { .. }
            | Told::Enrolled(..)
            | Told::Listed(..)
            | Told::Received { .. }
            | Told::SetBack
            | Told::Began(_)
            | Told::Failed(..)
            | Told::GaveUp(..)
            | Told::Finished(_) => {}
        }
    }

    fn invite_again(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        if !mem::replace(&mut patient.is_invited, true) {
            self.after(Millis::minutes(2), Event::Invite(client));
        }
    }

    /// The patient tries the same link once more, if it is still of use.
    fn type_again(&mut self, client: usize) {
        let link = self.clients.get(client).and_then(crate::client::Client::link).cloned();
        let safe = self.people.patients.get(client).and_then(|patient| self.safes.get(patient.safe));
        let open = match (&link, safe) {
            (Some(link), Some(safe)) => safe.is_open(link, self.now),
            _ => false,
        };
        if !open {
            return self.invite_again(client);
        }
        let mistyped = !self.calm && random::chance(self.people.rng(), 300);
        let errand = Errand::Enrol { mistyped };
        let out = self.clients.get_mut(client).map(|device| device.plan_later(errand)).unwrap_or_default();
        self.carry_out_peer(Peer::Client(client), out);
    }

    /// The practice does something with one of its patients.
    pub(super) fn office(&mut self, index: usize) {
        if self.calm {
            return;
        }
        let pause = Millis(random::below(self.people.rng(), Millis::hours(4).0));
        self.after(pause, Event::Office(index));
        let of_safe: Vec<usize> = (0..self.people.patients.len())
            .filter(|client| self.people.patients.get(*client).is_some_and(|patient| patient.safe == index))
            .collect();
        let drawn = random::below(self.people.rng(), of_safe.len() as u64);
        let Some(client) = usize::try_from(drawn).ok().and_then(|place| of_safe.get(place).copied()) else { return };
        match random::below(self.people.rng(), 12) {
            0 => self.revoke(client),
            10 | 11 => self.renew(index),
            1..=3 => self.add_document(client),
            4..=6 => self.withdraw(client),
            _ => self.share_again(client),
        }
        self.observe_if_down(index);
    }

    /// A new identity record, now and then by a new root.
    pub(super) fn renew(&mut self, index: usize) {
        let rotate = random::chance(self.people.rng(), 300);
        let out = self.safes.get_mut(index).map(|safe| safe.renew(rotate, self.now)).unwrap_or_default();
        self.ghost.count("identities renewed");
        self.carry_out_peer(Peer::Safe(index), out);
    }

    /// Revokes the device that was enrolled last; its owner will notice and be invited again.
    pub(super) fn revoke(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get(client) else { return };
        let (index, id) = (patient.safe, patient.id);
        let Some(safe) = self.safes.get_mut(index) else { return };
        let device = safe.devices(id).into_iter().rfind(|device| device.revoked.is_none());
        let out = device.map(|device| safe.revoke(device.id, self.now)).unwrap_or_default();
        self.carry_out_peer(Peer::Safe(index), out);
    }

    fn add_document(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get(client) else { return };
        let (index, number) = (patient.safe, patient.documents.len() as u64);
        if number >= 8 || index >= self.safes.len() {
            return;
        }
        // Out of its place for a moment, so that the world can be asked what to write.
        let mut safe = self.safes.remove(index);
        let out = self.import(client, &mut safe, number);
        self.safes.insert(index, safe);
        self.carry_out_peer(Peer::Safe(index), out);
    }

    fn withdraw(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        let (index, id) = (patient.safe, patient.id);
        let Some(document) = patient.documents.iter().find(|it| !patient.withdrawn.contains(it)).copied() else {
            return;
        };
        patient.withdrawn.push(document);
        let out = self.safes.get_mut(index).map(|safe| safe.unshare(id, document, self.now)).unwrap_or_default();
        self.carry_out_peer(Peer::Safe(index), out);
    }

    fn share_again(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        let (index, id) = (patient.safe, patient.id);
        let Some(document) = patient.withdrawn.pop() else { return };
        let out = self.safes.get_mut(index).map(|safe| safe.share(id, document, self.now)).unwrap_or_default();
        self.carry_out_peer(Peer::Safe(index), out);
    }

    fn wants_are_due(&self) -> bool {
        self.now >= self.config.wants()
    }

    fn got(&mut self, client: usize, note: impl FnOnce(&mut Got)) {
        if let Some(patient) = self.people.patients.get_mut(client) {
            note(&mut patient.got);
        }
    }

    /// The calm hour: who is not enrolled is invited, and everybody wants one of each. An answer that a lying relay threw
    /// away is waited for no longer, so that from here on every answer is due.
    pub(super) fn begin_wants(&mut self) {
        for client in 0..self.clients.len() {
            if let Some(device) = self.clients.get_mut(client) {
                device.forget_awaited(|conn| self.ghost.may_lose(conn));
            }
            if self.clients.get(client).is_some_and(crate::client::Client::is_enrolled) {
                self.want(client);
            } else {
                self.type_again(client);
            }
        }
    }

    fn want(&mut self, client: usize) {
        for errand in [Errand::Status, Errand::List, Errand::Fetch(client), Errand::Deposit] {
            self.send(client, errand);
        }
    }

    /// Everything that was wanted has been got, nothing waits anywhere.
    pub(super) fn check_calm(&mut self) {
        let mut left = Vec::new();
        for (index, client) in self.clients.iter().enumerate() {
            if !client.is_enrolled() {
                left.push(format!("after the calm hour client {index} is not enrolled"));
            }
            if !client.is_idle() {
                left.push(format!("after the calm hour client {index} is not done, {} awaited", client.awaiting()));
            }
        }
        for (index, patient) in self.people.patients.iter().enumerate() {
            let shared = self.ghost.shares_of(patient.safe, patient.id);
            if !patient.got.listed || (shared > 0 && !patient.got.received) {
                left.push(format!("in the calm hour client {index} got {:?}, shared are {shared}", patient.got));
            }
        }
        if self.relay.waiting() > 0 {
            left.push(format!("after the calm hour {} requests wait at the relay", self.relay.waiting()));
        }
        for (index, safe) in self.safes.iter().enumerate() {
            if !safe.is_connected() {
                left.push(format!("after the calm hour safe {index} is not connected"));
            }
        }
        for wrong in left {
            self.ghost.accuse(wrong);
        }
    }
}
