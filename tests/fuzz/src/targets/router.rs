//! Who is connected where, moved by arbitrary events, against a plain list.

use std::collections::BTreeMap;

use rohrpost_relay::Limits;
use rohrpost_relay::router::{ConnectionId, Effect, LiveCall, Route, Router};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{ErrorCode, InboxId};

use crate::input::Input;
use crate::target::Verdict;

const CONNECTIONS: usize = 5;
const PER_SAFE: usize = 2;
const PER_CONNECTION: usize = 3;
const CALLS: usize = 4;

struct Run {
    router: Router,
    /// Every connection that is open, and the inbox it has ever logged in to.
    open: BTreeMap<ConnectionId, Option<InboxId>>,
    holders: BTreeMap<InboxId, ConnectionId>,
    calls: Vec<LiveCall>,
    ids: Vec<ConnectionId>,
}

/// Every count is what a list says, no limit is passed, and a call goes to who holds the inbox now and to nobody else.
pub(super) fn router(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let limits = Limits {
        connections: CONNECTIONS,
        calls_per_safe: PER_SAFE,
        calls_per_connection: PER_CONNECTION,
        calls: CALLS,
        ..Limits::default()
    };
    let (open, holders) = (BTreeMap::new(), BTreeMap::new());
    let mut run = Run { router: Router::new(&limits), open, holders, calls: Vec::new(), ids: Vec::new() };
    let mut routed = false;
    while !input.is_over() {
        routed |= run.step(&mut input);
        run.check();
    }
    Verdict::taken(routed)
}

impl Run {
    fn step(&mut self, input: &mut Input<'_>) -> bool {
        match input.choice(8) {
            0 | 1 => self.opens(),
            2 | 3 => {
                let (id, inbox) = (self.some(input), inbox(input));
                self.logs_in(id, inbox);
            }
            4 | 5 => {
                let (id, inbox) = (self.some(input), inbox(input));
                return self.calls(id, inbox);
            }
            6 if !self.calls.is_empty() => {
                let ended = self.calls.swap_remove(input.choice(self.calls.len()));
                self.router.handle_call_ended(ended);
            }
            _ => {
                let id = self.some(input);
                self.closes(id);
            }
        }
        false
    }

    /// Any connection there has been, or one there never was.
    fn some(&self, input: &mut Input<'_>) -> ConnectionId {
        let index = input.choice(self.ids.len() + 1);
        self.ids.get(index).copied().unwrap_or(ConnectionId(u64::MAX))
    }

    fn opens(&mut self) {
        let opened = self.router.handle_opened();
        assert_eq!(opened.is_some(), self.open.len() < CONNECTIONS, "the limit of connections");
        if let Some(id) = opened {
            assert!(!self.ids.contains(&id), "a number is used again");
            self.ids.push(id);
            self.open.insert(id, None);
        }
    }

    fn logs_in(&mut self, id: ConnectionId, inbox: InboxId) {
        let expected = match self.open.get(&id) {
            None => Err(ErrorCode::Superseded),
            Some(Some(other)) if *other != inbox => Err(ErrorCode::UnexpectedFrame),
            Some(Some(_)) if self.holders.get(&inbox) != Some(&id) => Err(ErrorCode::Superseded),
            Some(_) => {
                self.open.insert(id, Some(inbox));
                let older = self.holders.insert(inbox, id).filter(|older| *older != id);
                Ok(older.map(|older| Effect::Close(older, ErrorCode::Superseded)))
            }
        };
        assert_eq!(self.router.handle_login(id, inbox), expected, "a login");
    }

    fn calls(&mut self, from: ConnectionId, to: InboxId) -> bool {
        let count = |of: fn(&LiveCall) -> ConnectionId, id| self.calls.iter().filter(|call| of(call) == id).count();
        // Who has gone may have calls whose ends are still to be told; of those nothing is counted at the caller.
        let out = if self.open.contains_key(&from) { count(|call| call.from, from) } else { 0 };
        let Some(safe) = self.holders.get(&to).copied() else {
            assert_eq!(self.router.handle_call(from, to), Route::Away);
            return false;
        };
        let full = count(|call| call.to, safe) >= PER_SAFE || out >= PER_CONNECTION || self.calls.len() >= CALLS;
        match self.router.handle_call(from, to) {
            Route::To(call) => {
                assert!(!full, "a call beyond a limit");
                assert_eq!((call.from, call.to), (from, safe), "a call goes elsewhere");
                self.calls.push(call);
                true
            }
            Route::Busy => {
                assert!(full, "a call is refused without a reason");
                false
            }
            Route::Away => panic!("a safe that is logged in is called away"),
        }
    }

    fn closes(&mut self, id: ConnectionId) {
        self.router.handle_closed(id);
        self.open.remove(&id);
        self.holders.retain(|_, holder| *holder != id);
    }

    fn check(&self) {
        assert_eq!(self.router.connections(), self.open.len());
        assert_eq!(self.router.safes(), self.holders.len());
        assert_eq!(self.router.calls(), self.calls.len());
        for id in &self.ids {
            let held = self.holders.iter().find(|(_, holder)| *holder == id).map(|(inbox, _)| *inbox);
            assert_eq!(self.router.inbox_of(*id), held, "an inbox is with another connection");
        }
    }
}

fn inbox(input: &mut Input<'_>) -> InboxId {
    InboxId(Fixed([input.byte() % 3; 16]))
}

pub(super) fn router_seeds() -> Vec<Vec<u8>> {
    vec![
        // Two connect, one logs in, the other calls it three times, and all ends.
        vec![0, 0, 2, 0, 0, 4, 1, 0, 4, 1, 0, 4, 1, 0, 6, 0, 6, 0, 7, 0, 7, 1],
        // A newer login takes over while a call runs.
        vec![0, 0, 0, 2, 0, 1, 4, 2, 1, 2, 1, 1, 4, 2, 1, 2, 0, 1, 6, 0, 7, 1],
        vec![0, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0, 1, 2, 9, 0, 7, 0, 0],
    ]
}
