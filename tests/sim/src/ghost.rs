//! The oracle: what really happened, kept beside the system and compared with what everybody believes.
//!
//! It learns what was asked from the clients, what was decided from the safes' records once these are on disk, and what
//! was believed from the clients again. Its policy reads the record from the beginning and shares no code with the
//! product's: who was enrolled, revoked, given and refused follows from the order of the leaves alone.

mod policy;

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::body::{DeviceId, DocumentEntry, DocumentId, Operation, Status};
use rohrpost_e2ee::keys::SealingKey;
use rohrpost_e2ee::trust::Known;
use rohrpost_safe_agent::audit::{Action, Event};
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::rows::PatientId;
use rohrpost_wire::SafePin;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;

use self::policy::Policy;
use crate::client::{Errand, Tally, Told};
use crate::safe::Safe;

/// What can be asked of a safe, as far as the oracle tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// To become a device.
    Enrol,
    /// A listing.
    List,
    /// A document.
    Read(DocumentId),
    /// The status.
    Status,
}

impl Deed {
    /// What an operation asks for. A new operation does not compile without a place here.
    pub fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Enrol { .. } => Self::Enrol,
            Operation::Documents { .. } => Self::List,
            Operation::Document { document, .. } => Self::Read(*document),
            Operation::Status => Self::Status,
        }
    }

    /// What a leaf of the record says was asked for; nothing for what the practice does itself.
    fn recorded(action: &Action) -> Option<Self> {
        match action {
            Action::Enrolment(_) => Some(Self::Enrol),
            Action::Listed { .. } => Some(Self::List),
            Action::Read { document, .. } => Some(Self::Read(*document)),
            Action::StatusAsked => Some(Self::Status),
            Action::Founded
            | Action::PatientAdded
            | Action::DocumentAdded(_)
            | Action::Shared(_)
            | Action::Unshared(_)
            | Action::LinkMade(_)
            | Action::DeviceRevoked(_)
            | Action::ClockAccepted => None,
        }
    }
}

/// A document as it was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Whose.
    pub patient: PatientId,
    /// As the practice called it.
    pub title: String,
    /// Of its content.
    pub sha256: Fixed<32>,
}

/// The patient behind a client.
#[derive(Clone, Debug)]
pub struct Person {
    /// At which safe.
    pub safe: usize,
    /// Who.
    pub patient: PatientId,
    /// The name.
    pub name: String,
}

/// Everything that is known beside the system.
#[derive(Debug, Default)]
pub struct Ghost {
    safes: Vec<SafeGhost>,
    people: Vec<Person>,
    documents: BTreeMap<DocumentId, Imported>,
    issued: BTreeMap<(DeviceId, Deed), u64>,
    allowed: BTreeMap<(DeviceId, Deed), u64>,
    believed: BTreeMap<(DeviceId, Deed), u64>,
    encapsulated: BTreeSet<Vec<u8>>,
    known: BTreeMap<(usize, SafePin), Known>,
    /// Clients that met something no honest relay does.
    alarmed: BTreeSet<usize>,
    violations: Vec<String>,
    /// What was counted.
    pub tally: Tally,
}

#[derive(Debug)]
struct SafeGhost {
    pin: SafePin,
    leaves: u64,
    policy: Policy,
    prekeys: BTreeMap<PrekeyId, SealingKey>,
}

impl Ghost {
    /// What was found to be wrong.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Notes that something is wrong.
    pub fn accuse(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// A safe was founded.
    pub fn add_safe(&mut self, safe: &Safe) {
        let pin = safe.identity().pin;
        self.safes.push(SafeGhost { pin, leaves: 0, policy: Policy::default(), prekeys: BTreeMap::new() });
    }

    /// There is another patient, with the client of the same number.
    pub fn add_person(&mut self, person: Person) {
        self.people.push(person);
    }

    /// Who is behind a client.
    pub fn person(&self, client: usize) -> Option<&Person> {
        self.people.get(client)
    }

    /// A document was imported.
    pub fn add_document(&mut self, id: DocumentId, imported: Imported) {
        self.documents.insert(id, imported);
    }

    /// All documents of others than this client's patient.
    pub fn foreign_documents(&self, client: usize) -> Vec<DocumentId> {
        let own = self.people.get(client).map(|person| person.patient);
        self.documents.iter().filter(|(_, imported)| Some(imported.patient) != own).map(|(id, _)| *id).collect()
    }

    /// Reads what a safe has recorded and flushed since the last time.
    pub fn observe(&mut self, index: usize, safe: &Safe) {
        let Some(ghost) = self.safes.get_mut(index) else { return };
        let mut wrong = Vec::new();
        for (number, event) in safe.durable_leaves(ghost.leaves) {
            if number != ghost.leaves {
                wrong.push(format!("safe {index}: leaf {number} stands where {} is due", ghost.leaves));
            }
            ghost.leaves += 1;
            wrong.extend(ghost.policy.judge(&event, &self.documents).map(|why| format!("safe {index}: {why}")));
            if let Some((device, deed)) = allowed(&event) {
                *self.allowed.entry((device, deed)).or_default() += 1;
            }
        }
        self.violations.extend(wrong);
        self.check_issued();
    }

    /// Nothing was given that was not asked for in so many envelopes.
    fn check_issued(&mut self) {
        let Self { allowed, issued, violations, .. } = self;
        for (key, count) in allowed.iter() {
            let asked = issued.get(key).copied().unwrap_or_default();
            if *count > asked {
                violations.push(format!("{key:?} had its effect {count} times and was asked for {asked} times"));
            }
        }
    }

    /// A client tells what it sealed or believes.
    pub fn hear(&mut self, client: usize, told: Told, safes: &[Safe]) {
        match told {
            Told::Met { pin, prekey, key, known } => {
                self.met(client, pin, prekey, &key, safes);
                self.learnt(client, pin, known);
            }
            Told::Sealed { device, deed, encapsulated } => {
                *self.issued.entry((device, deed)).or_default() += 1;
                self.count("envelopes");
                if !self.encapsulated.insert(encapsulated) {
                    self.accuse(format!("client {client} encapsulated twice to the same effect"));
                }
            }
            Told::Answered { device, deed, status } => self.answered(client, device, deed, status),
            Told::Enrolled(device, name) => self.enrolled(client, device, &name),
            Told::Listed(_, entries) => self.listed(client, &entries),
            Told::Received { document, sha256, .. } => self.received(client, document, &sha256),
            Told::SetBack => self.count("safes found set back"),
            Told::Removed => self.count("devices found removed"),
            Told::Failed(trouble) => {
                self.count("failed tries");
                if trouble.is_alarm() {
                    self.count("alarms");
                    self.alarmed.insert(client);
                }
            }
            Told::GaveUp(..) => self.count("errands given up"),
            Told::Finished(errand) => self.count(name_of(errand)),
        }
    }

    /// The key that is sealed to is one that the safe itself made.
    fn met(&mut self, client: usize, pin: SafePin, prekey: PrekeyId, key: &SealingKey, safes: &[Safe]) {
        let Some(index) = self.people.get(client).map(|person| person.safe) else { return };
        let (Some(ghost), Some(safe)) = (self.safes.get_mut(index), safes.get(index)) else { return };
        if !ghost.prekeys.contains_key(&prekey) {
            let made = safe.read(identity::prekeys);
            ghost.prekeys.extend(made.iter().map(|row| (row.id, row.secret().public())));
        }
        if ghost.pin != pin || ghost.prekeys.get(&prekey) != Some(key) {
            self.accuse(format!("client {client} believes a key that is not its safe's"));
        }
    }

    fn learnt(&mut self, client: usize, pin: SafePin, known: Known) {
        let Some(before) = self.known.insert((client, pin), known) else { return };
        let back = (known.epoch, known.identity_from) < (before.epoch, before.identity_from)
            || known.chain.length < before.chain.length;
        if back {
            self.accuse(format!("client {client} knows less of its safe than before"));
        }
    }

    /// Nobody believes in an effect that is not on the safe's disk.
    fn answered(&mut self, client: usize, device: DeviceId, deed: Deed, status: Status) {
        self.count("answers");
        if status != Status::Done {
            return;
        }
        let believed = self.believed.entry((device, deed)).or_default();
        *believed += 1;
        let allowed = self.allowed.get(&(device, deed)).copied().unwrap_or_default();
        // An enrolment's answer is told again as often as it is asked for.
        let enough = if deed == Deed::Enrol { allowed > 0 } else { allowed >= *believed };
        if !enough {
            let believed = *believed;
            self.accuse(format!("client {client} believes {deed:?} {believed} times, recorded are {allowed}"));
        }
    }

    fn enrolled(&mut self, client: usize, device: DeviceId, name: &str) {
        let Some(person) = self.people.get(client) else { return };
        let owner = self.safes.get(person.safe).and_then(|safe| safe.policy.owner(device));
        if owner != Some(person.patient) || name != person.name {
            self.accuse(format!("client {client} believes to be enrolled for somebody it is not"));
        }
    }

    fn listed(&mut self, client: usize, entries: &[DocumentEntry]) {
        let own = self.people.get(client).map(|person| person.patient);
        for entry in entries {
            let imported = self.documents.get(&entry.id);
            let fits = imported.is_some_and(|it| Some(it.patient) == own && it.title == entry.title);
            if !fits {
                self.accuse(format!("client {client} was shown a document that is not its patient's"));
                return;
            }
        }
    }

    fn received(&mut self, client: usize, document: DocumentId, sha256: &Fixed<32>) {
        self.count("documents received");
        let own = self.people.get(client).map(|person| person.patient);
        let imported = self.documents.get(&document);
        if !imported.is_some_and(|it| Some(it.patient) == own && it.sha256 == *sha256) {
            self.accuse(format!("client {client} holds bytes that are not this document of its patient"));
        }
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }
}

fn allowed(event: &Event) -> Option<(DeviceId, Deed)> {
    use rohrpost_safe_agent::audit::{Actor, Decision};
    match (&event.actor, event.decision) {
        (Actor::Device(device), Decision::Allowed) => Some((*device, Deed::recorded(&event.action)?)),
        (Actor::Device(_) | Actor::Owner | Actor::Safe, _) => None,
    }
}

fn name_of(errand: Errand) -> &'static str {
    match errand {
        Errand::Enrol { .. } => "enrolments finished",
        Errand::List => "listings finished",
        Errand::Fetch(_) => "fetches finished",
        Errand::Status => "status requests finished",
        Errand::Deposit => "deposits queued",
        Errand::Collect => "mailboxes looked into",
        Errand::Steal(_) => "thefts tried",
    }
}
