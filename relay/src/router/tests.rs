use proptest::prelude::*;
use rohrpost_wire::fixed::Fixed;

use super::*;

fn inbox(byte: u8) -> InboxId {
    InboxId(Fixed([byte; 16]))
}

fn router(limits: &Limits) -> (Router, ConnectionId, ConnectionId) {
    let mut router = Router::new(limits);
    let safe = router.handle_opened().unwrap();
    let caller = router.handle_opened().unwrap();
    assert_eq!(router.handle_login(safe, inbox(1)), Ok(None));
    (router, safe, caller)
}

fn live(route: Route) -> LiveCall {
    match route {
        Route::To(call) => call,
        Route::Away | Route::Busy => panic!("not let through: {route:?}"),
    }
}

#[test]
fn the_newest_login_wins_and_the_older_connection_is_told() {
    let (mut router, old, new) = router(&Limits::default());
    assert_eq!(router.handle_login(new, inbox(1)), Ok(Some(Effect::Close(old, ErrorCode::Superseded))));
    assert_eq!(router.inbox_of(old), None);
    assert_eq!(router.inbox_of(new), Some(inbox(1)));
    assert_eq!(router.handle_login(old, inbox(1)), Err(ErrorCode::Superseded));
    router.handle_closed(old);
    assert_eq!(router.inbox_of(new), Some(inbox(1)));
    assert_eq!(live(router.handle_call(new, inbox(1))).to, new);
}

#[test]
fn a_connection_keeps_the_inbox_it_logged_in_with() {
    let (mut router, safe, _) = router(&Limits::default());
    assert_eq!(router.handle_login(safe, inbox(2)), Err(ErrorCode::UnexpectedFrame));
    assert_eq!(router.handle_login(safe, inbox(1)), Ok(None));
    assert_eq!(router.safes(), 1);
}

#[test]
fn a_call_to_a_safe_that_has_gone_is_answered_away() {
    let (mut router, safe, caller) = router(&Limits::default());
    assert_eq!(router.handle_call(caller, inbox(2)), Route::Away);
    router.handle_closed(safe);
    assert_eq!(router.handle_call(caller, inbox(1)), Route::Away);
}

#[test]
fn each_limit_on_calls_answers_busy_until_a_call_ends() {
    let limits = [
        Limits { calls_per_safe: 2, ..Limits::default() },
        Limits { calls_per_connection: 2, ..Limits::default() },
        Limits { calls: 2, ..Limits::default() },
    ];
    for limits in limits {
        let (mut router, _, caller) = router(&limits);
        let first = live(router.handle_call(caller, inbox(1)));
        let second = live(router.handle_call(caller, inbox(1)));
        assert_eq!(router.handle_call(caller, inbox(1)), Route::Busy);
        router.handle_call_ended(first);
        let third = live(router.handle_call(caller, inbox(1)));
        router.handle_call_ended(second);
        router.handle_call_ended(third);
        assert_eq!(router.calls(), 0);
    }
}

#[test]
fn a_connection_beyond_the_limit_is_not_taken() {
    let mut router = Router::new(&Limits { connections: 1, ..Limits::default() });
    let first = router.handle_opened().unwrap();
    assert_eq!(router.handle_opened(), None);
    router.handle_closed(first);
    assert!(router.handle_opened().is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Open,
    Close(prop::sample::Index),
    Login(prop::sample::Index, u8),
    Call(prop::sample::Index, u8),
    End(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let any_index = any::<prop::sample::Index>;
    prop_oneof![
        Just(Step::Open),
        any_index().prop_map(Step::Close),
        (any_index(), 0u8..3).prop_map(|(i, b)| Step::Login(i, b)),
        (any_index(), 0u8..3).prop_map(|(i, b)| Step::Call(i, b)),
        any_index().prop_map(Step::End),
    ]
}

proptest! {
    /// The reference is a list of logins, the last of which counts, and a list of calls.
    #[test]
    fn the_router_agrees_with_a_list_of_logins(steps in prop::collection::vec(step(), 1..80)) {
        let limits = Limits { connections: 5, calls: 4, calls_per_safe: 2, calls_per_connection: 3, ..Limits::default() };
        let mut router = Router::new(&limits);
        let mut open: Vec<ConnectionId> = Vec::new();
        let mut logins: Vec<(InboxId, ConnectionId)> = Vec::new();
        let mut calls: Vec<LiveCall> = Vec::new();
        for step in steps {
            match step {
                Step::Open => {
                    let opened = router.handle_opened();
                    prop_assert_eq!(opened.is_some(), open.len() < 5);
                    open.extend(opened);
                }
                Step::Close(index) if !open.is_empty() => {
                    let id = open.remove(index.index(open.len()));
                    router.handle_closed(id);
                    logins.retain(|(_, owner)| *owner != id);
                }
                Step::Login(index, byte) if !open.is_empty() => {
                    let id = open[index.index(open.len())];
                    if router.handle_login(id, inbox(byte)).is_ok() {
                        logins.retain(|(owned, _)| *owned != inbox(byte));
                        logins.push((inbox(byte), id));
                    }
                }
                Step::Call(index, byte) if !open.is_empty() => {
                    let from = open[index.index(open.len())];
                    let owner = logins.iter().find(|(owned, _)| *owned == inbox(byte)).map(|(_, id)| *id);
                    let inbound = calls.iter().filter(|call| Some(call.to) == owner).count();
                    let outbound = calls.iter().filter(|call| call.from == from).count();
                    let free = calls.len() < 4 && inbound < 2 && outbound < 3;
                    match (owner, router.handle_call(from, inbox(byte))) {
                        (None, route) => prop_assert_eq!(route, Route::Away),
                        (Some(_), Route::Busy) => prop_assert!(!free),
                        (Some(to), route) => {
                            prop_assert!(free);
                            let call = live(route);
                            prop_assert_eq!(call.to, to);
                            calls.push(call);
                        }
                    }
                }
                Step::End(index) if !calls.is_empty() => {
                    router.handle_call_ended(calls.remove(index.index(calls.len())));
                }
                Step::Close(_) | Step::Login(..) | Step::Call(..) | Step::End(_) => {}
            }
            prop_assert_eq!(router.calls(), calls.len());
            prop_assert_eq!(router.safes(), logins.len());
            for id in &open {
                let owned = logins.iter().find(|(_, owner)| owner == id).map(|(inbox, _)| *inbox);
                prop_assert_eq!(router.inbox_of(*id), owned);
            }
        }
    }
}
