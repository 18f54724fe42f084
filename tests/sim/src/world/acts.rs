//! What a practice does at its safe, one act at a time: drawn, or as a world wants it.

use super::World;
use crate::random;

/// One act of a practice for one of its patients; the last is the patient's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Imports another document and shares it.
    Import,
    /// Takes the share of a document back.
    Withdraw,
    /// Shares again what was taken back last.
    ShareAgain,
    /// Revokes the device that was enrolled last.
    Revoke,
    /// Signs a new identity record.
    Renew,
    /// Signs it with the next root.
    Rotate,
    /// The patient will mistype the PIN, until told so.
    Mistype,
}

impl Act {
    /// What is counted: done by a safe that runs, or by a command at one that is down.
    fn name(self, runs: bool) -> &'static str {
        match (self, runs) {
            (Self::Import, true) => "imports",
            (Self::Import, false) => "imports at a safe that is down",
            (Self::Withdraw, true) => "shares taken back",
            (Self::Withdraw, false) => "shares taken back at a safe that is down",
            (Self::ShareAgain, true) => "shares given again",
            (Self::ShareAgain, false) => "shares given again at a safe that is down",
            (Self::Revoke, true) => "devices revoked",
            (Self::Revoke, false) => "devices revoked at a safe that is down",
            (Self::Renew, _) => "identities renewed",
            (Self::Rotate, _) => "roots rotated",
            (Self::Mistype, _) => "PINs to be mistyped",
        }
    }
}

impl World {
    /// Does it, if it can be done.
    pub(super) fn act(&mut self, client: usize, act: Act) {
        let Some(index) = self.people.patients.get(client).map(|patient| patient.safe) else { return };
        let runs = self.safes.get(index).is_some_and(crate::safe::Safe::is_up);
        let done = match act {
            Act::Import => self.add_document(client),
            Act::Withdraw => self.withdraw(client),
            Act::ShareAgain => self.share_again(client),
            Act::Revoke => self.revoke(client),
            Act::Renew => self.renew(index, false),
            Act::Rotate => self.renew(index, true),
            Act::Mistype => self.will_mistype(client),
        };
        if done {
            self.ghost.count(act.name(runs));
        }
    }

    /// A new identity record, now and then by a new root.
    pub(super) fn renew_by_chance(&mut self, client: usize) {
        let rotate = random::chance(self.people.rng(), 300);
        self.act(client, if rotate { Act::Rotate } else { Act::Renew });
    }

    fn renew(&mut self, index: usize, rotate: bool) -> bool {
        let Some(safe) = self.safes.get_mut(index).filter(|safe| safe.can_renew()) else { return false };
        let out = safe.renew(rotate, self.now);
        self.carry_out_command(index, out);
        true
    }

    /// Its owner will notice and be invited again.
    fn revoke(&mut self, client: usize) -> bool {
        let Some(patient) = self.people.patients.get(client) else { return false };
        let (index, id) = (patient.safe, patient.id);
        let Some(safe) = self.safes.get_mut(index) else { return false };
        let Some(device) = safe.devices(id).into_iter().rfind(|device| device.revoked.is_none()) else { return false };
        let out = safe.revoke(device.id, self.now);
        self.carry_out_command(index, out);
        true
    }

    fn add_document(&mut self, client: usize) -> bool {
        let Some(patient) = self.people.patients.get(client) else { return false };
        let (index, number) = (patient.safe, patient.documents.len() as u64);
        if number >= 8 || index >= self.safes.len() {
            return false;
        }
        // Out of its place for a moment, so that the world can be asked what to write.
        let mut safe = self.safes.remove(index);
        let out = self.import(client, &mut safe, number);
        self.safes.insert(index, safe);
        self.carry_out_command(index, out);
        true
    }

    fn withdraw(&mut self, client: usize) -> bool {
        let Some(patient) = self.people.patients.get_mut(client) else { return false };
        let (index, id) = (patient.safe, patient.id);
        let Some(document) = patient.documents.iter().find(|it| !patient.withdrawn.contains(it)).copied() else {
            return false;
        };
        patient.withdrawn.push(document);
        let out = self.safes.get_mut(index).map(|safe| safe.unshare(id, document, self.now)).unwrap_or_default();
        self.carry_out_command(index, out);
        true
    }

    fn share_again(&mut self, client: usize) -> bool {
        let Some(patient) = self.people.patients.get_mut(client) else { return false };
        let (index, id) = (patient.safe, patient.id);
        let Some(document) = patient.withdrawn.pop() else { return false };
        let out = self.safes.get_mut(index).map(|safe| safe.share(id, document, self.now)).unwrap_or_default();
        self.carry_out_command(index, out);
        true
    }

    fn will_mistype(&mut self, client: usize) -> bool {
        self.people.patients.get_mut(client).map(|patient| patient.will_mistype = true).is_some()
    }
}
