//! What goes wrong: crashes, cuts, clocks; and how it ends.

use super::setup::Moment;
use super::{Event, World};
use crate::client::Client;
use crate::port::Peer;
use crate::random;
use crate::time::Millis;

/// Whoever has a disk to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Relay,
    Safe(usize),
    Client(usize),
}

/// Something that goes wrong, or right again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mishap {
    CrashSafe(usize),
    StartSafe(usize),
    CrashRelay,
    StartRelay,
    CrashClient(usize),
    CutOff(Peer),
    Reconnect(Peer),
    /// A clock, ahead by so many seconds.
    SetClock(Peer, i64),
    /// The relay's.
    SetRelayClock(i64),
}

/// Cuts in 1000 that last up to a day; all others are over within the hour.
const LONG_CUTS: u64 = 100;
/// The jumps of a clock, in seconds: an hour, a day ahead, ten years.
const JUMPS: [i64; 5] = [3600, -3600, 86_400, 315_360_000, -315_360_000];

impl World {
    /// Draws the mishaps of the hour that begins.
    pub(super) fn plan_chaos(&mut self) {
        if self.calm {
            return;
        }
        let faults = self.config.faults;
        if self.drawn(faults.relay_crashes) {
            self.within_the_hour(Mishap::CrashRelay);
        }
        if self.drawn(faults.clock_jumps) {
            // Not by a day: a relay that starts a day ahead cannot tell that from a day of rest, and lets go what had a day.
            let jump = self.jump();
            self.within_the_hour(Mishap::SetRelayClock(if jump == 86_400 { 3600 } else { jump }));
        }
        for safe in 0..self.safes.len() {
            if self.drawn(faults.safe_crashes) {
                self.within_the_hour(Mishap::CrashSafe(safe));
            }
            self.plan_for(Peer::Safe(safe));
        }
        for client in 0..self.clients.len() {
            if self.drawn(faults.client_crashes) {
                self.within_the_hour(Mishap::CrashClient(client));
            }
            self.plan_for(Peer::Client(client));
        }
        self.after(Millis::hours(1), Event::Hour);
    }

    /// No patient is left without a word for an hour: an errand is done by then, or was given up.
    pub(super) fn look_for_silence(&mut self, client: usize) {
        let now = self.clients.get(client).and_then(Client::under_way);
        let Some(now) = now else {
            self.about.remove(&client);
            return;
        };
        let since = match self.about.get(&client) {
            Some((before, since)) if *before == now => *since,
            _ => self.now,
        };
        self.about.insert(client, (now, since));
        if self.now > since.plus(Millis::hours(1)) {
            self.ghost.accuse(format!("client {client} has been told nothing for an hour"));
        }
    }

    fn plan_for(&mut self, peer: Peer) {
        if self.drawn(self.config.faults.partitions) {
            self.within_the_hour(Mishap::CutOff(peer));
        }
        if self.drawn(self.config.faults.clock_jumps) {
            let jump = self.jump();
            self.within_the_hour(Mishap::SetClock(peer, jump));
        }
    }

    fn jump(&mut self) -> i64 {
        let drawn = usize::try_from(random::below(&mut self.rng, JUMPS.len() as u64)).unwrap_or(0);
        JUMPS.get(drawn).copied().unwrap_or(0)
    }

    fn drawn(&mut self, per_mille: u64) -> bool {
        random::chance(&mut self.rng, per_mille)
    }

    fn within_the_hour(&mut self, mishap: Mishap) {
        let pause = random::below(&mut self.rng, Millis::hours(1).0);
        self.after(Millis(pause), Event::Mishap(mishap));
    }

    pub(super) fn befall(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::StartSafe(index) => return self.start_safe(index),
            Mishap::StartRelay => return self.start_relay(),
            Mishap::Reconnect(peer) => return self.network.reconnect(peer),
            Mishap::SetClock(peer, 0) => return self.set_clock(peer, 0),
            Mishap::SetRelayClock(0) => return self.relay.set_clock(0),
            _ if self.calm => return,
            Mishap::CrashSafe(index) => self.crash_soon(Node::Safe(index)),
            Mishap::CrashRelay => self.crash_soon(Node::Relay),
            Mishap::CrashClient(index) => self.crash_soon(Node::Client(index)),
            Mishap::CutOff(peer) => {
                let due = self.network.cut_off(peer, self.now);
                self.put_all(due);
                let longest = if self.drawn(LONG_CUTS) { 24 * 60 } else { 40 };
                let pause = Millis::minutes(1 + random::below(&mut self.rng, longest));
                self.after(pause, Event::Mishap(Mishap::Reconnect(peer)));
            }
            Mishap::SetClock(peer, ahead) => {
                self.set_clock(peer, ahead);
                let pause = Millis::minutes(1 + random::below(&mut self.rng, 120));
                self.after(pause, Event::Mishap(Mishap::SetClock(peer, 0)));
            }
            Mishap::SetRelayClock(ahead) => {
                self.relay.set_clock(ahead);
                let pause = Millis::minutes(1 + random::below(&mut self.rng, 120));
                self.after(pause, Event::Mishap(Mishap::SetRelayClock(0)));
            }
        }
        self.ghost.count("mishaps");
    }

    /// Now, or around the next flush or write: that is when there is something to lose.
    fn crash_soon(&mut self, node: Node) {
        let moment = match (random::below(&mut self.rng, 3), node) {
            (0, Node::Relay) => return self.crash_relay(),
            (0, Node::Safe(index)) => return self.crash_safe(index),
            (0, Node::Client(index)) => return self.crash_client(index),
            (1, _) => Moment::Before,
            _ => Moment::After,
        };
        self.recovering.insert(node, Some(moment));
    }

    /// Whether a crash of this node is wanted at the flush or write at hand. In the calm hour nothing crashes: whoever asks then
    /// is answered.
    pub(super) fn crash_here(&mut self, node: Node) -> Option<Moment> {
        if self.calm {
            return None;
        }
        if let Some(again) = self.recovering.remove(&node) {
            return again;
        }
        self.boundaries += 1;
        let crash = self.config.crashes.get(&self.boundaries).copied()?;
        self.recovering.insert(node, crash.again);
        Some(crash.moment)
    }

    pub(super) fn crash_safe(&mut self, index: usize) {
        let Some(safe) = self.safes.get_mut(index).filter(|safe| safe.is_up()) else { return };
        safe.crash();
        let due = self.network.break_all(Some(Peer::Safe(index)), self.now);
        self.put_all(due);
        self.ghost.count("crashes of a safe");
        let pause = Millis(500 + random::below(&mut self.rng, 300_000));
        self.after(pause, Event::Mishap(Mishap::StartSafe(index)));
    }

    pub(super) fn start_safe(&mut self, index: usize) {
        let Some(safe) = self.safes.get_mut(index).filter(|safe| !safe.is_up()) else { return };
        let out = safe.start(self.now);
        self.carry_out_peer(Peer::Safe(index), out);
    }

    pub(super) fn crash_relay(&mut self) {
        if !self.relay_is_up {
            return;
        }
        self.relay_is_up = false;
        // What it waited for died with it, a flush too.
        self.relay_life += 1;
        let due = self.network.break_all(None, self.now);
        self.put_all(due);
        self.ghost.count("crashes of the relay");
        let pause = Millis(500 + random::below(&mut self.rng, 120_000));
        self.after(pause, Event::Mishap(Mishap::StartRelay));
    }

    pub(super) fn start_relay(&mut self) {
        if std::mem::replace(&mut self.relay_is_up, true) {
            return;
        }
        let out = self.relay.crash(self.now);
        self.carry_out_relay(out);
    }

    fn crash_client(&mut self, index: usize) {
        if let Some(client) = self.clients.get_mut(index) {
            client.crash();
        }
        self.restart_client(index);
    }

    /// Whether a device crashes at one of the writes of the step it has just taken. Then it sends nothing of it.
    pub(super) fn crash_at_a_write(&mut self, index: usize) -> bool {
        let writes = self.clients.get(index).map_or(0, Client::writes);
        let crash = (0..writes).find_map(|write| Some((write, self.crash_here(Node::Client(index))?)));
        let Some(client) = self.clients.get_mut(index) else { return false };
        let Some((write, moment)) = crash else {
            client.settle();
            return false;
        };
        client.crash_at(write, moment);
        self.restart_client(index);
        true
    }

    /// Whoever was enrolling begins the same command again.
    fn restart_client(&mut self, index: usize) {
        self.ghost.count("crashes of a device");
        let due = self.network.break_all(Some(Peer::Client(index)), self.now);
        self.put_all(due);
        let is_enrolling =
            self.clients.get(index).is_some_and(|client| !client.is_enrolled() && client.link().is_some());
        if is_enrolling {
            self.type_again(index);
        }
    }

    pub(super) fn set_clock(&mut self, peer: Peer, ahead: i64) {
        match peer {
            Peer::Safe(index) => {
                if let Some(safe) = self.safes.get_mut(index) {
                    safe.clock.offset = ahead;
                }
            }
            Peer::Client(index) => {
                if let Some(client) = self.clients.get_mut(index) {
                    client.clock.offset = ahead;
                }
            }
        }
    }

    fn put_all(&mut self, due: Vec<(Millis, Event)>) {
        for (when, event) in due {
            self.at(when, event);
        }
    }
}
