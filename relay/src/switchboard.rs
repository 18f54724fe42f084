//! The router together with the connections it decides about.
//!
//! Locked for one decision at a time and never across an await. Invariant: every connection the router knows is here,
//! and what the router wants closed is closed before the lock is given up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rohrpost_wire::{ErrorCode, InboxId};

use crate::line::Line;
use crate::quota::Limits;
use crate::router::{ConnectionId, Effect, LiveCall, Route, Router};
use crate::stream::number;

/// The driver's side of a [`Router`].
#[derive(Debug)]
pub(crate) struct Switchboard(Mutex<State>);

#[derive(Debug)]
struct State {
    router: Router,
    connections: BTreeMap<ConnectionId, Arc<Line>>,
}

/// A call under way, counted out when this is dropped.
#[derive(Debug)]
pub(crate) struct CallGuard {
    board: Arc<Switchboard>,
    call: Option<LiveCall>,
}

impl Switchboard {
    /// A switchboard without connections.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(State { router: Router::new(limits), connections: BTreeMap::new() }))
    }

    /// A peer has connected.
    pub(crate) fn open(&self, line: &Arc<Line>) -> Option<ConnectionId> {
        let mut state = self.lock();
        let id = state.router.handle_opened()?;
        state.connections.insert(id, Arc::clone(line));
        Some(id)
    }

    /// A connection has ended.
    pub(crate) fn close(&self, id: ConnectionId) {
        let mut state = self.lock();
        state.router.handle_closed(id);
        state.connections.remove(&id);
    }

    /// Closes every connection with a code.
    pub(crate) fn dismiss(&self, code: ErrorCode) {
        for line in self.lock().connections.values() {
            line.connection.close(number(code), b"");
        }
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.lock().router.connections()
    }

    /// A connection has proved to own an inbox.
    pub(crate) fn login(&self, id: ConnectionId, inbox: InboxId) -> Result<(), ErrorCode> {
        let mut state = self.lock();
        if let Some(Effect::Close(older, code)) = state.router.handle_login(id, inbox)?
            && let Some(older) = state.connections.get(&older)
        {
            older.connection.close(number(code), b"");
        }
        Ok(())
    }

    /// The inbox a connection owns now.
    pub(crate) fn inbox_of(&self, id: ConnectionId) -> Option<InboxId> {
        self.lock().router.inbox_of(id)
    }

    /// Finds the way to a safe; the call is under way until the guard is dropped.
    pub(crate) fn call(self: &Arc<Self>, from: ConnectionId, to: InboxId) -> Result<(Arc<Line>, CallGuard), ErrorCode> {
        let mut state = self.lock();
        let call = match state.router.handle_call(from, to) {
            Route::To(call) => call,
            Route::Away => return Err(ErrorCode::Away),
            Route::Busy => return Err(ErrorCode::Busy),
        };
        let safe = state.connections.get(&call.to).cloned();
        drop(state);
        let guard = CallGuard { board: Arc::clone(self), call: Some(call) };
        Ok((safe.ok_or(ErrorCode::Away)?, guard))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.board.lock().router.handle_call_ended(call);
        }
    }
}
