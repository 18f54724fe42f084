//! The oracle: what really happened, kept beside the system and compared with what everybody believes.
//!
//! It learns what was asked from the clients, what was decided from the safes' records once these are on disk, and what
//! was believed from the clients again. Its policy reads the record from the beginning and shares no code with the
//! product's: who was enrolled, revoked, given and refused follows from the order of the leaves alone.

mod alarms;
mod answers;
mod beliefs;
mod deed;
mod freshness;
mod mark;
mod past;
mod policy;
mod refusals;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::DocumentId;
use rohrpost_e2ee::trust::Known;
use rohrpost_safe_agent::audit::{Actor, Event};
use rohrpost_safe_agent::rows::{PatientId, PrekeyRow};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{SafePin, Timestamp};

use self::alarms::Alarms;
pub use self::alarms::weigh;
pub use self::deed::Deed;
use self::freshness::Freshness;
use self::mark::Mark;
use self::policy::Policy;
use self::requests::Requests;
pub use self::requests::Sealed;
use crate::client::{Errand, Tally, Told};
use crate::port::{Conn, Owed, Peer, Report, Stream};
use crate::safe::Safe;
use crate::safe::office::sha256;
use crate::time::Millis;

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
    requests: Requests,
    freshness: Freshness,
    alarms: Alarms,
    known: BTreeMap<(usize, SafePin), Known>,
    violations: Vec<String>,
    /// What was counted.
    pub tally: Tally,
}

#[derive(Debug)]
struct SafeGhost {
    pin: SafePin,
    /// What was judged, to see that it stays.
    record: Vec<Event>,
    /// How many of its counted tries were looked at.
    tries: usize,
    mark: Mark,
    policy: Policy,
    prekeys: BTreeMap<PrekeyId, PrekeyRow>,
}

impl SafeGhost {
    /// Takes note of the tries that were counted before this leaf. What is wrong with them, if anything is.
    fn count_tries(&mut self, safe: &Safe, before: u64, requests: &mut Requests) -> Vec<String> {
        let mut wrong = Vec::new();
        for (_, digest) in safe.counted_tries(self.tries).iter().take_while(|(leaf, _)| *leaf <= before) {
            self.tries += 1;
            match requests.count(digest) {
                Some((link, attempt)) => wrong.extend(self.policy.count_try(link, attempt).map(str::to_owned)),
                None => wrong.push("a try was counted for what enrols nobody".to_owned()),
            }
        }
        wrong
    }
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
        let (record, mark, policy, prekeys) = (Vec::new(), Mark::default(), Policy::default(), BTreeMap::new());
        self.safes.push(SafeGhost { pin, record, tries: 0, mark, policy, prekeys });
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
    pub fn observe(&mut self, index: usize, safe: &Safe, now: Millis) {
        let Some(ghost) = self.safes.get_mut(index) else { return };
        let mut wrong = Vec::new();
        for (number, event) in safe.durable_leaves(ghost.record.len() as u64) {
            if number != ghost.record.len() as u64 {
                wrong.push(format!("leaf {number} stands where {} is due", ghost.record.len()));
            }
            wrong.extend(ghost.count_tries(safe, number, &mut self.requests));
            wrong.extend(ghost.mark.judge(event.at, safe.clock_at(number)).map(str::to_owned));
            if let Some((digest, live)) = safe.writer_of(number) {
                let judged = self.requests.recorded((&digest, live), &event, &mut ghost.policy);
                self.requests.note_recorded(&digest, now);
                wrong.extend(judged.map(str::to_owned));
            } else if matches!(event.actor, Actor::Device(_)) {
                wrong.push("a leaf that no envelope wrote".to_owned());
            }
            wrong.extend(ghost.policy.judge(&event, &self.documents).map(str::to_owned));
            ghost.record.push(event);
        }
        wrong.extend(ghost.count_tries(safe, ghost.record.len() as u64, &mut self.requests));
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

    /// What was queued in time reached its safe, unless the relay wronged whoever left it.
    pub fn recheck_queued(&mut self, now: Timestamp) {
        let lost: Vec<Conn> = self.requests.unrecorded(now).filter(|left| !self.may_lose(*left)).collect();
        for left in lost {
            self.accuse(format!("what was queued on {left:?} reached no safe's record"));
        }
    }

    /// A safe has been connected since this time without a break: whatever was queued for it before, and could still lie
    /// there then, has reached it.
    pub fn accuse_of_loss(&mut self, safe: usize, since: Millis) {
        let clients = self.people.iter().enumerate().filter(|(_, person)| person.safe == safe);
        let clients: BTreeSet<Peer> = clients.map(|(client, _)| Peer::Client(client)).collect();
        let is_of = |left: Conn| clients.contains(&left.peer);
        let overdue = self.requests.overdue(since).filter(|left| is_of(*left) && !self.may_lose(*left));
        for left in overdue.collect::<Vec<_>>() {
            self.accuse(format!("what was queued on {left:?} has not reached safe {safe} in an hour"));
        }
        self.requests.expect_answers(since, is_of);
    }

    /// Whether the answer to the envelope with this hash has to be found at a relay that does no harm.
    pub fn is_answer_due(&self, digest: &Fixed<32>, now: Millis) -> bool {
        self.requests.is_answer_due(digest, now)
    }

    /// From now on whatever anybody leaves at the relay has to be done.
    pub fn expect_all(&mut self) {
        self.requests.expect_all();
    }

    /// Whether a client has left something at the relay since, and all of it was done.
    pub fn is_served(&self, client: usize) -> bool {
        self.requests.is_served(client)
    }

    /// How many documents are shared with a patient now.
    pub fn shares_of(&self, safe: usize, patient: PatientId) -> usize {
        self.safes.get(safe).map_or(0, |safe| safe.policy.shares_of(patient))
    }

    /// A client tells what it sealed or believes.
    pub fn hear(&mut self, client: usize, told: Told, safes: &[Safe], now: Millis) {
        match told {
            Told::Met { pin, prekey, key, time, known } => {
                self.met(client, pin, (prekey, &key), time, safes);
                self.learnt(client, pin, known);
            }
            Told::Sealed(sealed, envelope) => {
                let safe = self.people.get(client).and_then(|person| self.safes.get(person.safe));
                self.requests.seal(client, sha256(&envelope), *sealed, safe.map(|safe| &safe.policy));
                self.count("envelopes");
                let wrong = self.freshness.request(&envelope);
                self.accuse_of(wrong, &format!("client {client}"));
            }
            Told::Began(known) => self.begun(client, &known),
            Told::Queued(left, digest) => self.requests.queue(client, left, digest, now),
            Told::Answered(digest, status) => self.answered(client, &digest, status),
            Told::Enrolled(device, name) => self.enrolled(client, device, &name),
            Told::Listed(digest, entries) => self.listed(client, &digest, &entries),
            Told::Received { document, sha256, .. } => self.received(client, document, &sha256),
            Told::SetBack => self.accuse(format!("client {client} found its safe set back, and no safe was")),
            Told::Removed(device) => self.removed(client, device),
            Told::Failed(conn, trouble, shown) => {
                self.count("failed tries");
                if weigh(&shown) > Owed::Failure {
                    self.count("alarms");
                    if !self.alarms.may_complain(conn, trouble) {
                        self.accuse(format!("client {client} was wronged by nobody and complains of {trouble:?}"));
                    }
                }
            }
            Told::Missed(_) => self.count("answers looked for in vain"),
            Told::GaveUp(..) => self.count("errands given up"),
            Told::Finished(errand) => self.count(name_of(errand)),
        }
    }

    /// What a malicious relay says of itself.
    pub fn handle_report(&mut self, mut report: Report) {
        self.violations.append(&mut report.broken);
        for done in std::mem::take(&mut report.done) {
            self.count(done);
        }
        self.alarms.handle_report(report);
    }

    /// What the client that waits for this answer owes for it, if it was spoiled. It is asked once for each.
    pub fn owed(&mut self, conn: Conn, stream: Stream) -> Option<Owed> {
        self.alarms.owed(conn, stream)
    }

    /// Whether a malicious relay may have lost what was left there on this connection.
    pub fn may_lose(&self, conn: Conn) -> bool {
        self.alarms.may_lose(conn)
    }

    /// The name of one of the last requests of others than this client.
    pub fn name_of_another(&self, client: usize, place: usize) -> Option<RequestId> {
        self.requests.name_of_another(client, place)
    }

    /// A safe sends an answer: a sealed reply, and the object behind it.
    pub fn answered_by(&mut self, safe: usize, reply: &[u8], object: &[u8]) {
        let wrong = self.freshness.reply(reply).or_else(|| self.freshness.object(object));
        self.accuse_of(wrong, &format!("safe {safe}"));
    }

    fn accuse_of(&mut self, wrong: Option<&str>, whom: &str) {
        self.violations.extend(wrong.map(|why| format!("{whom}: {why}")));
    }

    /// How much was sealed, all of it afresh.
    pub fn sealed(&self) -> u64 {
        self.freshness.sealed
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
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
        Errand::Forge(_) => "forgeries left",
        Errand::Steal(_) => "thefts tried",
        Errand::Craft(..) => "crafted requests answered",
    }
}
