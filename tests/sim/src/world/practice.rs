//! The people: what patients want, what the practice does, and what everybody must have got in the end.

use std::mem;

use rohrpost_e2ee::body::{DocumentId, Status};
use rohrpost_safe_agent::rows::PatientId;

use super::acts::Act;
use super::chaos::Node;
use super::setup::Moment;
use super::{Event, World};
use crate::client::{Errand, Told, Trouble};
use crate::ghost::Ghost;
use crate::port::{FromPeer, Peer};
use crate::random::{self, Rng};
use crate::safe::Safe;
use crate::safe::office::Invitation;
use crate::time::Millis;

/// Who is who, as the practices know it.
#[derive(Debug)]
pub(super) struct People {
    rng: Rng,
    pub(super) patients: Vec<Patient>,
}

/// One patient of a practice.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) safe: usize,
    pub(super) id: PatientId,
    pub(super) documents: Vec<DocumentId>,
    /// Documents taken back.
    pub(super) withdrawn: Vec<DocumentId>,
    is_invited: bool,
    /// Whether the next PIN is mistyped because a world wants it.
    pub(super) will_mistype: bool,
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
        let (is_invited, will_mistype, got) = (false, false, Got::default());
        self.patients.push(Patient { safe, id, documents, withdrawn, is_invited, will_mistype, got });
    }

    pub(super) fn add_document(&mut self, client: usize, document: DocumentId) {
        if let Some(patient) = self.patients.get_mut(client) {
            patient.documents.push(document);
        }
    }

    /// Who has not got what was wanted in the calm hour.
    pub(super) fn unserved(&self, ghost: &Ghost) -> Vec<String> {
        let lacks = |(index, patient): (usize, &Patient)| {
            let shared = ghost.shares_of(patient.safe, patient.id);
            let lacks = !patient.got.listed || (shared > 0 && !patient.got.received);
            lacks.then(|| format!("client {index} has got {:?}, shared are {shared}", patient.got))
        };
        self.patients.iter().enumerate().filter_map(lacks).collect()
    }
}

impl World {
    /// The practice makes a link for a patient who has none that is of use.
    pub(super) fn make_link(&mut self, client: usize) {
        let Some(patient) = self.people.patients.get_mut(client) else { return };
        let (index, id) = (patient.safe, patient.id);
        patient.is_invited = true;
        let Some(safe) = self.safes.get_mut(index) else { return };
        let (invitation, out) = safe.invite(id, self.config.secrets, self.now);
        self.carry_out_command(index, out);
        self.after(Millis::minutes(1), Event::Invited(client, Box::new(invitation)));
    }

    /// What a command of the practice does. Where it opened a safe that is down it ends with a flush, or crashes around
    /// that.
    pub(super) fn carry_out_command(&mut self, index: usize, out: Vec<FromPeer>) {
        if self.safes.get(index).is_none_or(Safe::is_up) {
            return self.carry_out_peer(Peer::Safe(index), out);
        }
        let crash = self.crash_here(Node::Safe(index));
        if crash.is_some() {
            self.ghost.count("crashes of a command");
        }
        if let Some(safe) = self.safes.get_mut(index) {
            if crash == Some(Moment::Before) {
                safe.crash();
            } else {
                safe.end_command();
            }
        }
        self.observe(index);
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
        let mistyped = self.mistypes(client, 200);
        self.send(client, Errand::Enrol { mistyped });
    }

    /// Whether the PIN is mistyped: so many times in 1000, or because that is wanted.
    fn mistypes(&mut self, client: usize, per_mille: u64) -> bool {
        if self.calm {
            return false;
        }
        let drawn = random::chance(self.people.rng(), per_mille);
        drawn || self.people.patients.get(client).is_some_and(|patient| patient.will_mistype)
    }

    /// What the practice and the patient do about what a device says.
    pub(super) fn react(&mut self, client: usize, told: &Told) {
        if let Told::Failed(_, Trouble::Status(Status::WrongPin { .. }), _) = told {
            self.ghost.count("PINs mistyped");
            if let Some(patient) = self.people.patients.get_mut(client) {
                patient.will_mistype = false;
            }
        }
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
            | Told::Sealed(..)
            | Told::Queued(..)
            | Told::Missed(_)
            | Told::Answered(..)
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
    pub(super) fn type_again(&mut self, client: usize) {
        let link = self.clients.get(client).and_then(crate::client::Client::link).cloned();
        let safe = self.people.patients.get(client).and_then(|patient| self.safes.get(patient.safe));
        let open = match (&link, safe) {
            (Some(link), Some(safe)) => safe.is_open(link, self.now),
            _ => false,
        };
        if !open {
            return self.invite_again(client);
        }
        let mistyped = self.mistypes(client, 300);
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
            0 => self.act(client, Act::Revoke),
            10 | 11 => self.renew_by_chance(client),
            1..=3 => self.act(client, Act::Import),
            4..=6 => self.act(client, Act::Withdraw),
            _ => self.act(client, Act::ShareAgain),
        }
    }

    fn got(&mut self, client: usize, note: impl FnOnce(&mut Got)) {
        if let Some(patient) = self.people.patients.get_mut(client) {
            note(&mut patient.got);
        }
    }
}
