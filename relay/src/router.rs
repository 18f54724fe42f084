//! Who is connected, who is logged in where, and which calls are under way.
//!
//! A plain value without lock, clock or socket: the driver tells it what happened and executes what it answers.
//! Invariant: an inbox belongs to at most one connection, the one that logged in last; a connection belongs to at most
//! one inbox; every live call is counted at its caller, at its safe and in all, and is counted out exactly once.

use std::collections::BTreeMap;

use rohrpost_wire::{ErrorCode, InboxId};

use crate::quota::Limits;

/// A connection, numbered in the order of arrival and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What the driver has to do because of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Close this connection with this code.
    Close(ConnectionId, ErrorCode),
}

/// Where a call goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// To this safe; hand the call back with [`Router::handle_call_ended`].
    To(LiveCall),
    /// The safe is not connected.
    Away,
    /// The safe, the caller or the relay has all the calls it may have.
    Busy,
}

/// A call that is counted as under way.
#[derive(Debug, PartialEq, Eq)]
pub struct LiveCall {
    /// Who calls.
    pub from: ConnectionId,
    /// The connection of the safe that is called.
    pub to: ConnectionId,
}

/// The routing state of a relay.
#[derive(Debug)]
pub struct Router {
    connections: BTreeMap<ConnectionId, Connection>,
    safes: BTreeMap<InboxId, ConnectionId>,
    calls: usize,
    next: u64,
    limits: RouterLimits,
}

#[derive(Debug, Default)]
struct Connection {
    inbox: Option<InboxId>,
    calls_out: usize,
    calls_in: usize,
}

#[derive(Debug)]
struct RouterLimits {
    connections: usize,
    per_safe: usize,
    per_connection: usize,
    calls: usize,
}

impl Router {
    /// A router that knows nobody yet.
    pub fn new(limits: &Limits) -> Self {
        let limits = RouterLimits {
            connections: limits.connections,
            per_safe: limits.calls_per_safe,
            per_connection: limits.calls_per_connection,
            calls: limits.calls,
        };
        Self { connections: BTreeMap::new(), safes: BTreeMap::new(), calls: 0, next: 0, limits }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// How many safes are logged in.
    pub fn safes(&self) -> usize {
        self.safes.len()
    }

    /// How many calls are under way.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// The inbox that this connection owns now; a superseded connection owns none.
    pub fn inbox_of(&self, id: ConnectionId) -> Option<InboxId> {
        let inbox = self.connections.get(&id)?.inbox?;
        (self.safes.get(&inbox) == Some(&id)).then_some(inbox)
    }

    /// A peer has connected: the number it is known by from now on, or nothing if there are too many.
    pub fn handle_opened(&mut self) -> Option<ConnectionId> {
        if self.connections.len() >= self.limits.connections {
            return None;
        }
        let id = ConnectionId(self.next);
        self.next += 1;
        self.connections.insert(id, Connection::default());
        Some(id)
    }

    /// A connection has proved to own an inbox. The newest login wins; a connection cannot change its inbox.
    pub fn handle_login(&mut self, id: ConnectionId, inbox: InboxId) -> Result<Option<Effect>, ErrorCode> {
        let connection = self.connections.get_mut(&id).ok_or(ErrorCode::Superseded)?;
        match connection.inbox {
            Some(other) if other != inbox => return Err(ErrorCode::UnexpectedFrame),
            Some(_) if self.safes.get(&inbox) != Some(&id) => return Err(ErrorCode::Superseded),
            Some(_) | None => connection.inbox = Some(inbox),
        }
        let older = self.safes.insert(inbox, id).filter(|older| *older != id);
        Ok(older.map(|older| Effect::Close(older, ErrorCode::Superseded)))
    }

    /// A connection has ended. A newer login of the same safe is not touched.
    pub fn handle_closed(&mut self, id: ConnectionId) {
        let inbox = self.inbox_of(id);
        self.connections.remove(&id);
        if let Some(inbox) = inbox {
            self.safes.remove(&inbox);
        }
    }

    /// Somebody calls a safe.
    pub fn handle_call(&mut self, from: ConnectionId, to: InboxId) -> Route {
        let Some(safe) = self.safes.get(&to).copied() else { return Route::Away };
        let calls_in = self.connections.get(&safe).map_or(0, |connection| connection.calls_in);
        let calls_out = self.connections.get(&from).map_or(0, |connection| connection.calls_out);
        if calls_in >= self.limits.per_safe
            || calls_out >= self.limits.per_connection
            || self.calls >= self.limits.calls
        {
            return Route::Busy;
        }
        self.calls += 1;
        self.count(from, safe, |count| count + 1);
        Route::To(LiveCall { from, to: safe })
    }

    /// A call that [`Router::handle_call`] let through is over, one way or another.
    #[expect(clippy::needless_pass_by_value, reason = "taken by value, so that no call can end twice")]
    pub fn handle_call_ended(&mut self, call: LiveCall) {
        let LiveCall { from, to } = call;
        self.calls = self.calls.saturating_sub(1);
        self.count(from, to, |count| count.saturating_sub(1));
    }

    fn count(&mut self, from: ConnectionId, to: ConnectionId, step: impl Fn(usize) -> usize) {
        if let Some(caller) = self.connections.get_mut(&from) {
            caller.calls_out = step(caller.calls_out);
        }
        if let Some(safe) = self.connections.get_mut(&to) {
            safe.calls_in = step(safe.calls_in);
        }
    }
}

#[cfg(test)]
mod tests;
