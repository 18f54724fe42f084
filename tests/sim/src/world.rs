//! The simulation: an agenda of events in simulated time, the network between, chaos first and then a calm hour.
//!
//! Everything follows from the seed: the agenda is ordered by time and arrival, every node draws from a stream of its
//! own, and nothing looks at a clock or at the order of a hash table. The trace is a hash over all events with their bytes.

mod acts;
mod calm;
mod chaos;
mod delivery;
mod effort;
mod errands;
mod network;
mod practice;
mod quiet;
mod setup;
mod trace;

use std::collections::BTreeMap;

use rohrpost_relay::Limits;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{RelayAddress, RelayKeyHash};

use self::chaos::{Mishap, Node};
use self::network::Network;
use self::practice::People;
use self::trace::Trace;
use crate::client::{Client, Errand, Told};
use crate::ghost::{Ghost, weigh};
use crate::port::{Owed, Peer, RelayPort, RelayTimer, ToPeer, ToRelay};
use crate::random::{self, Rng};
use crate::relay::Relay;
use crate::safe::Safe;
use crate::time::{Millis, WallClock};

pub use self::acts::Act;
pub use self::setup::{Config, Crash, LONGER, Moment};
pub use self::trace::Line;

/// What can be on the agenda.
#[derive(Debug)]
enum Event {
    ToRelay(ToRelay),
    /// Void if the relay was started anew since.
    RelayTimer(u64, RelayTimer),
    ToPeer(Peer, ToPeer),
    Mishap(Mishap),
    /// A patient turns to the device.
    Errand(usize),
    /// The practice makes a link for a patient.
    Invite(usize),
    /// The link reaches the patient.
    Invited(usize, Box<crate::safe::office::Invitation>),
    /// The practice does something.
    Office(usize),
    /// The practice of this client's safe renews its identity.
    Renew(usize),
    /// The practice does this for a client.
    Act(usize, Act),
    /// Every hour.
    Hour,
    /// Faults end.
    Calm,
    /// Patients all want something, and must get it.
    Wants,
}

/// A simulation under way.
pub struct World {
    config: Config,
    now: Millis,
    agenda: BTreeMap<(Millis, u64), Event>,
    arrivals: u64,
    relay: Box<dyn RelayPort>,
    relay_life: u64,
    relay_is_up: bool,
    safes: Vec<Safe>,
    clients: Vec<Client>,
    people: People,
    network: Network,
    rng: Rng,
    ghost: Ghost,
    /// What each client is about, and since when.
    about: BTreeMap<usize, ((u64, u64), Millis)>,
    trace: Trace,
    dials: effort::Dials,
    /// Flushes and writes before the calm, of everybody: where a crash can be wanted.
    boundaries: u64,
    /// Who crashed as was wanted, and what is wanted of the first flush after the start.
    recovering: BTreeMap<Node, Option<Moment>>,
    quiet: quiet::Quiet,
    calm: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World(seed {}, {:?})", self.config.seed, self.now)
    }
}

/// How a simulation ended.
#[derive(Debug)]
pub struct Outcome {
    /// The hash of all that happened.
    pub trace: String,
    /// What the relay saw, if that was recorded.
    pub lines: Vec<Line>,
    /// How much happened.
    pub events: u64,
    /// Places at which a crash was possible.
    pub boundaries: u64,
    /// How often the relay did what it should not.
    pub harm: u64,
    /// How often it would have and could not.
    pub unused: u64,
    /// What was wrong.
    pub violations: Vec<String>,
    /// What was sealed, all of it afresh.
    pub sealed: u64,
    /// What was counted.
    pub tally: crate::client::Tally,
}

impl World {
    /// A world with an honest relay.
    pub fn honest(config: Config) -> Self {
        let relay = Relay::new(relay_address().key_hash, Limits::default(), random::stream(config.seed, 1));
        Self::with_relay(config, Box::new(relay))
    }

    /// A world with this relay.
    pub fn with_relay(config: Config, relay: Box<dyn RelayPort>) -> Self {
        let (rng, faults) = (random::stream(config.seed, 2), config.faults);
        let mut world = Self {
            network: Network::new(random::stream(config.seed, 3), faults),
            people: People::new(random::stream(config.seed, 4)),
            now: Millis(0),
            agenda: BTreeMap::new(),
            arrivals: 0,
            relay,
            relay_life: 1,
            relay_is_up: true,
            safes: Vec::new(),
            clients: Vec::new(),
            rng,
            ghost: Ghost::default(),
            about: BTreeMap::new(),
            trace: Trace::new(config.record),
            dials: effort::Dials::default(),
            boundaries: 0,
            recovering: BTreeMap::new(),
            quiet: quiet::Quiet::default(),
            calm: false,
            config,
        };
        world.set_up();
        world
    }

    /// Runs to the end, or to the first thing that is wrong.
    pub fn run(mut self) -> Outcome {
        let end = self.config.end();
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > end || !self.ghost.violations().is_empty() {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.trace.event(at, &event);
            self.handle(event);
        }
        if self.ghost.violations().is_empty() {
            self.check_calm();
        }
        self.ghost.recheck_queued(WallClock::default().read(self.now));
        for (index, safe) in self.safes.iter().enumerate() {
            self.ghost.recheck(index, safe);
        }
        Outcome {
            trace: self.trace.hash(),
            lines: self.trace.take_lines(),
            events: self.trace.events(),
            boundaries: self.boundaries,
            harm: self.relay.harm_done(),
            unused: self.relay.moves_unused(),
            violations: self.ghost.violations().to_vec(),
            sealed: self.ghost.sealed(),
            tally: self.ghost.tally,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::ToRelay(input) => self.deliver_to_relay(input),
            Event::RelayTimer(life, timer) if life == self.relay_life => self.relay_timer(timer),
            Event::RelayTimer(..) => {}
            Event::ToPeer(peer, input) => self.deliver_to_peer(peer, input),
            Event::Mishap(mishap) => self.befall(mishap),
            Event::Errand(client) => self.errand(client),
            Event::Invite(client) => self.make_link(client),
            Event::Invited(client, invitation) => self.hand_over(client, *invitation),
            Event::Office(safe) => self.office(safe),
            Event::Renew(client) => self.renew_by_chance(client),
            Event::Act(client, act) => self.act(client, act),
            Event::Hour => {
                (0..self.clients.len()).for_each(|client| self.look_for_silence(client));
                self.look_for_loss();
                self.plan_chaos();
            }
            Event::Calm => self.begin_calm(),
            Event::Wants => self.begin_wants(),
        }
    }

    fn at(&mut self, when: Millis, event: Event) {
        self.arrivals += 1;
        self.agenda.insert((when, self.arrivals), event);
    }

    fn after(&mut self, pause: Millis, event: Event) {
        self.at(self.now.plus(pause), event);
    }

    fn observe(&mut self, index: usize) {
        if let Some(safe) = self.safes.get(index) {
            self.ghost.observe(index, safe, self.now);
        }
    }

    /// Passes on to the oracle what a client has come to believe, and to the practice what its patient needs. What the
    /// patient was shown: a complaint, a failure, or neither.
    fn listen(&mut self, index: usize) -> Option<Owed> {
        let told = self.clients.get_mut(index).map(Client::take_told).unwrap_or_default();
        let mut shown = None;
        for told in told {
            if let Told::Failed(.., failure) = &told {
                shown = shown.max(Some(weigh(failure)));
            }
            self.trace.told(&told);
            self.react(index, &told);
            self.look_for_answer(index, &told);
            self.ghost.hear(index, told, &self.safes, self.now);
        }
        self.look_for_silence(index);
        shown
    }

    fn send(&mut self, client: usize, errand: Errand) {
        let out = self.clients.get_mut(client).map(|device| device.plan(errand)).unwrap_or_default();
        self.carry_out_client(client, out);
        self.listen(client);
    }
}

/// Where everybody finds the relay.
pub fn relay_address() -> RelayAddress {
    RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash(Fixed([7; 32])) }
}
