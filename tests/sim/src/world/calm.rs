//! The calm hour: faults end, everybody wants one of each, and must have got it when the hour is over.

use super::{Event, World};
use crate::client::{Client, Errand};
use crate::port::Peer;
use crate::time::Millis;

impl World {
    /// Faults end: everybody is started, connected and shown the right time.
    pub(super) fn begin_calm(&mut self) {
        self.calm = true;
        self.after(Millis::hours(1), Event::Hour);
        self.after(Millis::hours(2), Event::Hour);
        self.relay.turn_honest();
        self.relay.set_clock(0);
        self.network.calm_down();
        self.start_relay();
        for index in 0..self.safes.len() {
            self.set_clock(Peer::Safe(index), 0);
            self.start_safe(index);
        }
        for index in 0..self.clients.len() {
            self.set_clock(Peer::Client(index), 0);
        }
    }

    /// Who is not enrolled is invited, and everybody wants one of each. An answer that a lying relay threw away is waited
    /// for no longer, so that from here on every answer is due.
    pub(super) fn begin_wants(&mut self) {
        self.ghost.expect_all();
        for client in 0..self.clients.len() {
            if let Some(device) = self.clients.get_mut(client) {
                device.forget_awaited(|conn| self.ghost.may_lose(conn));
            }
            if self.clients.get(client).is_some_and(Client::is_enrolled) {
                self.want(client);
            } else {
                self.type_again(client);
            }
        }
    }

    pub(super) fn want(&mut self, client: usize) {
        for errand in [Errand::Status, Errand::List, Errand::Fetch(client), Errand::Deposit] {
            self.send(client, errand);
        }
    }

    pub(super) fn wants_are_due(&self) -> bool {
        self.now >= self.config.wants()
    }

    /// Everything that was wanted has been got, nothing waits anywhere.
    pub(super) fn check_calm(&mut self) {
        let mut left = self.people.unserved(&self.ghost);
        for (index, client) in self.clients.iter().enumerate() {
            if !client.is_enrolled() {
                left.push(format!("client {index} is not enrolled"));
            }
            if !self.ghost.is_served(index) {
                left.push(format!("client {index} has not got what it left at the relay"));
            }
            if !client.is_idle() {
                left.push(format!("client {index} is not done, {} awaited", client.awaiting()));
            }
        }
        if self.relay.waiting() > 0 {
            left.push(format!("{} requests wait at the relay", self.relay.waiting()));
        }
        for (index, safe) in self.safes.iter().enumerate() {
            if !safe.is_connected() {
                left.push(format!("safe {index} is not connected"));
            }
        }
        for wrong in left {
            self.ghost.accuse(format!("after the calm hour {wrong}"));
        }
    }
}
