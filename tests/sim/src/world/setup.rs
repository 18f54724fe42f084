//! What a simulation consists of, and how it begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chaos::Mishap;
use super::{Act, Event, World, relay_address};
use crate::client::Client;
use crate::ghost::{Imported, Person};
use crate::port::FromPeer;
use crate::random;
use crate::relay::Relay;
use crate::safe::Safe;
use crate::safe::office::sha256;
use crate::time::Millis;

/// From here on a world's documents are five thousand bytes longer: what a comparison of twins must notice.
pub const LONGER: u8 = 200;

/// The size and weather of a world.
#[derive(Clone, Debug)]
pub struct Config {
    /// From which everything follows.
    pub seed: u64,
    /// Safes.
    pub safes: usize,
    /// Patients of each, with a device each.
    pub clients_per_safe: usize,
    /// Hours of chaos.
    pub hours: u64,
    /// Minutes between two errands of a device, about.
    pub errand_minutes: u64,
    /// Minutes until the safes are started; until then the practices work by commands alone.
    pub closed_minutes: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// What the first practice does for its first patient, and at which minute; if there is nothing, all draw what they do.
    pub acts: Vec<(u64, Act)>,
    /// Crashes wanted at numbered boundaries.
    pub crashes: BTreeMap<u64, Crash>,
    /// Which of many worlds of secrets; all of the same sizes below [`LONGER`].
    pub secrets: u8,
    /// Whether to keep what the relay saw.
    pub record: bool,
    /// Whether the first device is an insider's, who tries for everybody's documents.
    pub insider: bool,
    /// Whether the safes were founded so long ago that what they published first is over, and the relay has kept it.
    pub old: bool,
}

/// What goes wrong, and how often.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Messages in 1000 that end their connection.
    pub broken_per_mille: u64,
    /// Messages in 1000 that are delayed by seconds.
    pub slow_per_mille: u64,
    /// Of 1000 chances an hour: that a safe crashes.
    pub safe_crashes: u64,
    /// That the relay does.
    pub relay_crashes: u64,
    /// That a device does.
    pub client_crashes: u64,
    /// That somebody is cut off.
    pub partitions: u64,
    /// That a clock is set wrong.
    pub clock_jumps: u64,
}

/// A crash that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// Before or after the flush, or a device's write.
    pub moment: Moment,
    /// And once more at the first flush or write of whoever crashed, after the start.
    pub again: Option<Moment>,
}

/// On which side of a flush or a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What was written is lost.
    Before,
    /// What was written is kept, and nobody has been told.
    After,
}

impl Faults {
    /// Everything, often.
    pub fn all() -> Self {
        Self {
            broken_per_mille: 12,
            slow_per_mille: 50,
            safe_crashes: 150,
            relay_crashes: 400,
            client_crashes: 100,
            partitions: 60,
            clock_jumps: 30,
        }
    }
}

impl Config {
    /// The size of the promise: a relay, 20 safes, 200 devices.
    pub fn large(seed: u64, hours: u64) -> Self {
        Self { safes: 20, clients_per_safe: 10, errand_minutes: 480, hours, ..Self::small(seed) }
    }

    /// A world small enough for many schedules.
    pub fn small(seed: u64) -> Self {
        Self {
            seed,
            safes: 2,
            clients_per_safe: 2,
            hours: 3,
            errand_minutes: 20,
            closed_minutes: 0,
            faults: Faults::default(),
            acts: Vec::new(),
            crashes: BTreeMap::new(),
            secrets: 0,
            record: false,
            insider: false,
            old: false,
        }
    }

    /// The same with everything going wrong.
    #[must_use]
    pub fn in_bad_weather(self) -> Self {
        Self { faults: Faults::all(), ..self }
    }

    /// A world for malicious relays, with an insider, in which things go wrong besides.
    pub fn attacked(seed: u64) -> Self {
        let faults = Faults {
            broken_per_mille: 3,
            slow_per_mille: 30,
            safe_crashes: 300,
            relay_crashes: 500,
            client_crashes: 300,
            partitions: 50,
            clock_jumps: 50,
        };
        Self { insider: true, old: true, hours: 2, errand_minutes: 10, faults, ..Self::small(seed) }
    }

    /// When faults end.
    pub(super) fn calm(&self) -> Millis {
        Millis::hours(self.hours)
    }

    /// When the patients all want something: an hour and a quarter later, when every safe has put its records right.
    pub(super) fn wants(&self) -> Millis {
        self.calm().plus(Millis::minutes(75))
    }

    /// When everything must be done.
    pub(super) fn end(&self) -> Millis {
        self.wants().plus(Millis::hours(1))
    }
}

impl World {
    pub(super) fn set_up(&mut self) {
        for index in 0..self.config.safes {
            self.found(index);
        }
        self.carry_out_relay(Relay::first());
        self.at(Millis(0), Event::Hour);
        for (minute, act) in self.config.acts.clone() {
            self.at(Millis::minutes(minute), Event::Act(0, act));
        }
        self.at(self.config.calm(), Event::Calm);
        self.at(self.config.wants(), Event::Wants);
    }

    fn found(&mut self, index: usize) {
        let rng = random::stream(self.config.seed, 1000 + index as u64);
        let practice = secret(self.config.secrets, "practice", index as u64);
        let (mut safe, over) = Safe::found(index, &practice, relay_address(), self.config.old, rng);
        if let Some(over) = over {
            self.relay.remember(safe.identity().inbox, over);
        }
        self.ghost.add_safe(&safe);
        for _ in 0..self.config.clients_per_safe {
            self.admit(index, &mut safe);
        }
        safe.end_command();
        self.safes.push(safe);
        self.observe(index);
        self.after(Millis::minutes(self.config.closed_minutes), Event::Mishap(Mishap::StartSafe(index)));
        let minute = random::below(&mut self.rng, 60);
        if self.config.acts.is_empty() {
            self.after(Millis::minutes(minute), Event::Office(index));
        }
        if self.config.insider {
            let last = self.clients.len().saturating_sub(1);
            self.after(Millis::minutes(40 + minute), Event::Renew(last));
            self.after(Millis::minutes(70), Event::Act(last, Act::Revoke));
        }
    }

    /// A patient with two documents, a device, and soon a link.
    fn admit(&mut self, index: usize, safe: &mut Safe) {
        let client = self.clients.len();
        let name = secret(self.config.secrets, "name", client as u64);
        let (patient, _) = safe.add_patient(&name, self.now);
        self.ghost.add_person(Person { safe: index, patient, name });
        self.people.add(index, patient);
        for number in 0..2 {
            let _not_started_yet = self.import(client, safe, number);
        }
        let device = secret(self.config.secrets, "device", client as u64);
        self.clients.push(Client::new(client, device, random::stream(self.config.seed, 100_000 + client as u64)));
        let minute = random::below(&mut self.rng, 30);
        self.after(Millis::minutes(minute + 1), Event::Invite(client));
        self.after(Millis::minutes(minute + 10), Event::Errand(client));
    }

    /// A document whose size depends on nothing secret.
    pub(super) fn import(&mut self, client: usize, safe: &mut Safe, number: u64) -> Vec<FromPeer> {
        let Some(person) = self.ghost.person(client).cloned() else { return Vec::new() };
        let nonce = (client as u64) << 32 | number;
        let title = secret(self.config.secrets, "title", nonce);
        let drawn = 100 + random::below(self.people.rng(), 40_000);
        let length = if self.config.secrets >= LONGER { drawn + 5000 } else { drawn };
        let mut content = secret(self.config.secrets, "content", nonce).into_bytes();
        let mark = content.clone();
        while (content.len() as u64) < length {
            content.extend(&mark);
        }
        content.truncate(usize::try_from(length).unwrap_or(100));
        let sha256 = sha256(&content);
        let (id, out) = safe.add_document(person.patient, &title, Arc::new(content), self.now);
        self.ghost.add_document(id, Imported { patient: person.patient, title, sha256 });
        self.people.add_document(client, id);
        out
    }
}

/// A text by which a leak is recognised, of a length that does not depend on the world of secrets.
fn secret(world: u8, class: &str, nonce: u64) -> String {
    let letter = char::from(b'A' + world % 26);
    format!("KANARI {class} {letter}{nonce:016x}{letter}")
}
