//! What is delivered to whom, what they do about it, and what the oracle is told on the way.

use rohrpost_wire::{Frame, limits};

use super::chaos::Node;
use super::setup::Moment;
use super::{Event, World, effort, trace};
use crate::message::Reader;
use crate::port::{FromPeer, FromRelay, Owed, Peer, RelayTimer, ToPeer, ToRelay};
use crate::safe::tags;

impl World {
    pub(super) fn deliver_to_relay(&mut self, input: ToRelay) {
        if !self.relay_is_up || !self.network.is_open_for(&input) {
            return;
        }
        self.trace.seen(self.now, &input);
        if let ToRelay::Asked(_, _, bytes) | ToRelay::Answered { bytes, .. } = &input
            && trace::holds_a_secret(bytes)
        {
            self.ghost.accuse("a secret in the clear at the relay".into());
        }
        let out = self.relay.handle(input, self.now);
        self.carry_out_relay(out);
    }

    pub(super) fn relay_timer(&mut self, timer: RelayTimer) {
        if timer != RelayTimer::Flush {
            let out = self.relay.handle(ToRelay::Timer(timer), self.now);
            return self.carry_out_relay(out);
        }
        let crash = self.crash_here(Node::Relay);
        if crash != Some(Moment::Before) {
            let out = self.relay.handle(ToRelay::Timer(timer), self.now);
            if crash.is_none() {
                return self.carry_out_relay(out);
            }
        }
        self.crash_relay();
    }

    pub(super) fn carry_out_relay(&mut self, out: Vec<FromRelay>) {
        self.ghost.handle_report(self.relay.take_report());
        for action in out {
            if let FromRelay::Timer(after, timer) = action {
                self.after(after, Event::RelayTimer(self.relay_life, timer));
                continue;
            }
            self.trace.said(self.now, &action);
            for (when, event) in self.network.carry_from_relay(action, self.now) {
                self.at(when, event);
            }
        }
    }

    pub(super) fn deliver_to_peer(&mut self, peer: Peer, input: ToPeer) {
        if !self.network.reaches(&input) {
            return;
        }
        match peer {
            Peer::Safe(index) => self.deliver_to_safe(index, input),
            Peer::Client(index) => self.deliver_to_client(index, input),
        }
    }

    fn deliver_to_safe(&mut self, index: usize, input: ToPeer) {
        let flush = matches!(input, ToPeer::Timer(timer) if timer.tag == tags::FLUSH);
        let crash = if flush { self.crash_here(Node::Safe(index)) } else { None };
        if crash == Some(Moment::Before) {
            return self.crash_safe(index);
        }
        let Some(safe) = self.safes.get_mut(index) else { return };
        let most = effort::most(&input, safe.held());
        let out = safe.handle(input, self.now);
        if flush {
            self.observe(index);
        }
        if crash == Some(Moment::After) {
            return self.crash_safe(index);
        }
        if out.len() > most {
            self.ghost.accuse(format!("safe {index} took {} steps where {most} are due", out.len()));
        }
        self.carry_out_peer(Peer::Safe(index), out);
    }

    fn deliver_to_client(&mut self, index: usize, input: ToPeer) {
        let Some(client) = self.clients.get_mut(index) else { return };
        let mut owed = None;
        if let ToPeer::Answered { conn, stream, whole, .. } = &input
            && client.waits_on(*conn, *stream)
        {
            // What the network cut off besides looks like a network that failed; to a wrong clock, its own or that of a
            // safe it was set by, records are out of date.
            let knows = client.knows_the_time();
            let is_plain = *whole && (knows || !client.is_meeting());
            let full = self.ghost.owed(*conn, *stream).filter(|owed| knows || *owed != Owed::Lateness);
            owed = full.map(|owed| if is_plain { owed } else { owed.min(Owed::Failure) });
        }
        let out = client.handle(input, self.now);
        let lives = self.carry_out_client(index, out);
        let heard = self.listen(index);
        // Who crashes over an answer may have said nothing yet.
        if let Some(owed) = owed.filter(|_| lives) {
            self.ghost.count("spoiled answers received");
            if heard < Some(owed) {
                self.ghost.accuse(format!("client {index} owed {owed:?} for a spoiled answer and showed {heard:?}"));
            }
        }
    }

    /// What a device does, unless it crashes as it writes. Whether it lives.
    pub(super) fn carry_out_client(&mut self, index: usize, out: Vec<FromPeer>) -> bool {
        let lives = !self.crash_at_a_write(index);
        if lives {
            self.carry_out_peer(Peer::Client(index), out);
        }
        lives
    }

    pub(super) fn carry_out_peer(&mut self, peer: Peer, out: Vec<FromPeer>) {
        for action in out {
            if let FromPeer::Timer(after, timer) = action {
                self.after(after, Event::ToPeer(peer, ToPeer::Timer(timer)));
                continue;
            }
            if matches!(action, FromPeer::Dial(_)) && self.dials.are_too_many(peer, self.now) {
                self.ghost.accuse(format!("{peer:?} dials without end"));
            }
            if let Peer::Safe(index) = peer {
                self.look_at_reply(index, &action);
            }
            for (when, event) in self.network.carry_from_peer(action, self.relay_is_up, self.now) {
                self.at(when, event);
            }
        }
    }

    /// The reply that a safe sends, if this is one: as the answer to a call, or left in a mailbox.
    fn look_at_reply(&mut self, safe: usize, action: &FromPeer) {
        let (FromPeer::Answer(_, _, bytes) | FromPeer::Ask(_, _, bytes)) = action else { return };
        let mut reader = Reader::new(bytes);
        let is_left = matches!(action, FromPeer::Ask(..));
        if is_left && !matches!(reader.frame(), Ok(Frame::Deposit(_))) {
            return;
        }
        if let Ok(reply) = reader.blob(limits::ENVELOPE_BYTES) {
            self.ghost.answered_by(safe, reply, reader.rest());
        }
    }
}
