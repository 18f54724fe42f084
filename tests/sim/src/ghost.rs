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
            | Action::ClockAccepted
            | Action::LossAccepted { .. } => None,
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
    sealed: BTreeMap<Fixed<32>, Sealed>,
    allowed: BTreeMap<(DeviceId, Deed), u64>,
    believed: BTreeMap<(DeviceId, Deed), u64>,
    encapsulated: BTreeSet<Vec<u8>>,
    known: BTreeMap<(usize, SafePin), Known>,
    violations: Vec<String>,
    /// What was counted.
    pub tally: Tally,
}

/// An envelope as its author knows it.
#[derive(Debug)]
struct Sealed {
    device: DeviceId,
    deed: Deed,
    live: bool,
    right_pin: bool,
    /// How often it had its effect.
    effects: u64,
}

#[derive(Debug)]
struct SafeGhost {
    pin: SafePin,
    /// What was judged, to see that it stays.
    record: Vec<Event>,
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
        self.safes.push(SafeGhost { pin, record: Vec::new(), policy: Policy::default(), prekeys: BTreeMap::new() });
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
        for (number, event) in safe.durable_leaves(ghost.record.len() as u64) {
            if number != ghost.record.len() as u64 {
                wrong.push(format!("leaf {number} stands where {} is due", ghost.record.len()));
            }
            wrong.extend(ghost.policy.judge(&event, &self.documents).map(str::to_owned));
            if let Some((device, deed)) = allowed(&event) {
                *self.allowed.entry((device, deed)).or_default() += 1;
                let sealed = safe.writer_of(number).map(|(digest, live)| (self.sealed.get_mut(&digest), live));
                wrong.extend(trace_back(sealed, device, deed).map(str::to_owned));
            }
            ghost.record.push(event);
        }
        self.violations.extend(wrong.into_iter().map(|why| format!("safe {index}: {why}")));
    }

    /// Nothing that was ever recorded and flushed has changed or gone.
    pub fn recheck(&mut self, index: usize, safe: &Safe) {
        let Some(ghost) = self.safes.get(index) else { return };
        let stands: Vec<Event> = safe.durable_leaves(0).into_iter().map(|(_, event)| event).collect();
        if stands != ghost.record {
            self.accuse(format!("safe {index}: the record is not what it was"));
        }
    }

    /// How many documents are shared with a patient now.
    pub fn shares_of(&self, safe: usize, patient: PatientId) -> usize {
        self.safes.get(safe).map_or(0, |safe| safe.policy.shares_of(patient))
    }

    /// A client tells what it sealed or believes.
    pub fn hear(&mut self, client: usize, told: Told, safes: &[Safe]) {
        match told {
            Told::Met { pin, prekey, key, known } => {
                self.met(client, pin, prekey, &key, safes);
                self.learnt(client, pin, known);
            }
            Told::Sealed { device, deed, digest, live, right_pin, encapsulated } => {
                self.sealed.insert(digest, Sealed { device, deed, live, right_pin, effects: 0 });
                self.count("envelopes");
                if !self.encapsulated.insert(encapsulated) {
                    self.accuse(format!("client {client} encapsulated twice to the same effect"));
                }
            }
            Told::Answered { device, deed, status } => self.answered(client, device, deed, status),
            Told::Enrolled(device, name) => self.enrolled(client, device, &name),
            Told::Listed(_, entries) => self.listed(client, &entries),
            Told::Received { document, sha256, .. } => self.received(client, document, &sha256),
            Told::SetBack => self.accuse(format!("client {client} found its safe set back, and no safe was")),
            Told::Removed(device) => self.removed(client, device),
            Told::Failed(trouble) => {
                self.count("failed tries");
                if trouble.is_alarm() {
                    self.count("alarms");
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

    /// Nobody is sent away who has every right to be there.
    fn removed(&mut self, client: usize, device: DeviceId) {
        self.count("devices found removed");
        let safe = self.people.get(client).and_then(|person| self.safes.get(person.safe));
        if safe.is_some_and(|safe| safe.policy.is_active(device)) {
            self.accuse(format!("client {client} was sent away and is enrolled"));
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

/// What is wrong with an effect: it must be of one envelope, as its author sealed it, and the only one.
fn trace_back(sealed: Option<(Option<&mut Sealed>, bool)>, device: DeviceId, deed: Deed) -> Option<&'static str> {
    let Some((Some(sealed), live)) = sealed else { return Some("an effect of an envelope that nobody sealed") };
    sealed.effects += 1;
    if sealed.effects > 1 {
        return Some("two effects of one envelope");
    }
    if sealed.device != device || sealed.deed != deed {
        return Some("an effect that is not what was asked for, or for somebody else");
    }
    if sealed.live != live {
        return Some("an effect of an envelope that came another way than it was sealed for");
    }
    (deed == Deed::Enrol && !sealed.right_pin).then_some("an enrolment with a wrong PIN")
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
