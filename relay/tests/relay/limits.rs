//! Every limit, reached: a knob that is ignored fails here.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use quinn::crypto::rustls::QuicClientConfig;
use rohrpost_figures::Figures;
use rohrpost_relay::{Limits, Relay};
use rohrpost_wire::frame::Fetch;
use rohrpost_wire::{ALPN, ErrorCode, Frame, limits};
use tokio::net::UdpSocket;

use crate::Place;
use crate::peer::{Peer, client_crypto, inbox_of, key, reply, request};

/// What is done to reach a limit.
#[derive(Clone, Copy, Debug)]
enum Scenario {
    SecondConnection,
    HandshakeWhileOneHangs,
    SecondStream,
    BlobBesideOneThatHangs { on_the_same_connection: bool },
    SecondCall { from_another: bool, to_another: bool },
    SecondWaitingFetch,
    SilentCall,
    SilentVisit,
    SecondRequest { to_another: bool },
    SecondReply,
    SecondPublisher,
}

/// A row for every limit: this does not compile when one is added without.
fn table() -> Vec<(Limits, Scenario)> {
    let base = Limits::default();
    let Limits {
        connections: _,
        handshakes: _,
        handshakes_per_source: _,
        connections_per_source: _,
        calls_per_source: _,
        streams_per_connection: _,
        blobs_per_connection: _,
        blob_memory: _,
        calls_per_safe: _,
        calls_per_connection: _,
        calls: _,
        waiting_fetches: _,
        call_idle_seconds: _,
        visit_idle_seconds: _,
        inbox_envelopes: _,
        inbox_bytes: _,
        mailboxes_per_inbox: _,
        mailbox_envelopes: _,
        mailbox_bytes: _,
        envelopes: _,
        envelope_bytes: _,
        mailboxes: _,
        record_sets: _,
    } = &base;
    let call = |from_another, to_another| Scenario::SecondCall { from_another, to_another };
    let blob = |on_the_same_connection| Scenario::BlobBesideOneThatHangs { on_the_same_connection };
    vec![
        (Limits { connections: 1, ..base.clone() }, Scenario::SecondConnection),
        (Limits { handshakes: 1, ..base.clone() }, Scenario::HandshakeWhileOneHangs),
        (Limits { connections_per_source: 1, ..base.clone() }, Scenario::SecondConnection),
        (Limits { handshakes_per_source: 1, ..base.clone() }, Scenario::HandshakeWhileOneHangs),
        (Limits { calls_per_source: 1, ..base.clone() }, call(true, true)),
        (Limits { streams_per_connection: 1, ..base.clone() }, Scenario::SecondStream),
        (Limits { blobs_per_connection: 1, ..base.clone() }, blob(true)),
        (Limits { blob_memory: limits::ENVELOPE_BYTES, ..base.clone() }, blob(false)),
        (Limits { calls_per_safe: 1, ..base.clone() }, call(true, false)),
        (Limits { calls_per_connection: 1, ..base.clone() }, call(false, true)),
        (Limits { calls: 1, ..base.clone() }, call(true, true)),
        (Limits { waiting_fetches: 1, ..base.clone() }, Scenario::SecondWaitingFetch),
        (Limits { call_idle_seconds: 1, ..base.clone() }, Scenario::SilentCall),
        (Limits { visit_idle_seconds: 1, ..base.clone() }, Scenario::SilentVisit),
        (Limits { inbox_envelopes: 1, ..base.clone() }, Scenario::SecondRequest { to_another: false }),
        (Limits { inbox_bytes: 150, ..base.clone() }, Scenario::SecondRequest { to_another: false }),
        (Limits { mailboxes_per_inbox: 1, ..base.clone() }, Scenario::SecondRequest { to_another: false }),
        (Limits { envelopes: 1, ..base.clone() }, Scenario::SecondRequest { to_another: true }),
        (Limits { envelope_bytes: 150, ..base.clone() }, Scenario::SecondRequest { to_another: true }),
        (Limits { mailboxes: 1, ..base.clone() }, Scenario::SecondRequest { to_another: true }),
        (Limits { mailbox_envelopes: 1, ..base.clone() }, Scenario::SecondReply),
        (Limits { mailbox_bytes: 150, ..base.clone() }, Scenario::SecondReply),
        (Limits { record_sets: 1, ..base }, Scenario::SecondPublisher),
    ]
}

/// The names and values of all limits: their Debug form names each once.
fn fields(limits: &Limits) -> BTreeSet<String> {
    let text = format!("{limits:?}");
    let inside = text.strip_prefix("Limits { ").unwrap().strip_suffix(" }").unwrap();
    inside.split(", ").map(str::to_owned).collect()
}

/// The destructuring makes whoever adds a limit look at the table; this makes them add a row.
#[test]
fn every_limit_has_a_row_that_changes_it_alone() {
    let usual = fields(&Limits::default());
    let mut left: BTreeSet<String> = usual.iter().map(|field| field.split(':').next().unwrap().to_owned()).collect();
    let knobs = left.len();
    for (limits, scenario) in table() {
        let changed: Vec<String> = fields(&limits).difference(&usual).cloned().collect();
        assert_eq!(changed.len(), 1, "{scenario:?}: {changed:?}");
        assert!(left.remove(changed[0].split(':').next().unwrap()), "{scenario:?}: {changed:?} twice");
        assert_eq!(limits.unusable(), None, "{scenario:?}");
    }
    assert!(left.is_empty(), "limits that no row reaches: {left:?}");
    Figures::of("fuzz.limits")
        .count("knobs", knobs as u64)
        .count("knobs with a test at the limit", knobs as u64)
        .publish();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_is_reached_and_has_its_answer() {
    let mut running = tokio::task::JoinSet::new();
    for (limits, scenario) in table() {
        running.spawn(async move {
            let place = Place::new();
            let relay = place.relay_with(limits).await;
            reach(&relay, scenario).await;
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

async fn reach(relay: &Relay, scenario: Scenario) {
    match scenario {
        Scenario::SecondConnection => {
            let first = Peer::connect(&relay.url()).await;
            // Its answer shows that the relay has taken it in, which the end of the handshake does not.
            first.challenge().await;
            assert!(Peer::try_connect(&relay.url(), ALPN).await.is_err());
        }
        Scenario::HandshakeWhileOneHangs => handshake_while_one_hangs(relay).await,
        Scenario::SecondStream => {
            let peer = Peer::connect(&relay.url()).await;
            let _first = peer.connection.open_bi().await.unwrap();
            assert!(is_pending(peer.connection.open_bi()));
        }
        Scenario::BlobBesideOneThatHangs { on_the_same_connection } => {
            blob_beside_one_that_hangs(relay, on_the_same_connection).await;
        }
        Scenario::SecondCall { from_another, to_another } => second_call(relay, from_another, to_another).await,
        Scenario::SecondWaitingFetch => {
            let safe = Peer::safe(&relay.url(), &key(1)).await;
            let wait = Frame::Fetch(Fetch::Inbox { wait: true });
            let (mut first, mut second) = (safe.open(&wait, None).await, safe.open(&wait, None).await);
            let refused = tokio::select! { frame = first.frame() => frame, frame = second.frame() => frame };
            assert_eq!(refused, Frame::Refused(ErrorCode::Busy));
        }
        Scenario::SilentCall => {
            let (safe, client) = (Peer::safe(&relay.url(), &key(1)).await, Peer::connect(&relay.url()).await);
            let mut call = client.call(inbox_of(&key(1))).await.unwrap();
            let timed_out = quinn::ReadError::Reset(ErrorCode::TimedOut.number().into());
            assert_eq!(call.recv.read(&mut [0]).await, Err(timed_out));
            drop(safe);
        }
        Scenario::SilentVisit => {
            let client = Peer::connect(&relay.url()).await;
            assert_eq!(client.closed().await, ErrorCode::TimedOut);
        }
        Scenario::SecondRequest { to_another } => {
            let client = Peer::connect(&relay.url()).await;
            let (first, second) = (request(&key(1), Some(&key(8))), request(&key(1), Some(&key(9))));
            let second = if to_another { request(&key(2), Some(&key(9))) } else { second };
            assert!(matches!(client.deposit(&first, &[1; 100]).await, Frame::Queued(_)));
            let code = if to_another { ErrorCode::Busy } else { ErrorCode::Full };
            assert_eq!(client.deposit(&second, &[2; 100]).await, Frame::Refused(code));
        }
        Scenario::SecondReply => {
            let safe = Peer::safe(&relay.url(), &key(1)).await;
            assert!(matches!(safe.deposit(&request(&key(1), Some(&key(9))), b"r").await, Frame::Queued(_)));
            assert!(matches!(safe.deposit(&reply(&key(9)), &[1; 100]).await, Frame::Queued(_)));
            assert_eq!(safe.deposit(&reply(&key(9)), &[2; 100]).await, Frame::Refused(ErrorCode::Full));
        }
        Scenario::SecondPublisher => {
            let (first, second) = (Peer::safe(&relay.url(), &key(1)).await, Peer::safe(&relay.url(), &key(2)).await);
            assert_eq!(first.ask(&Frame::Publish, Some(b"records")).await, Frame::Done);
            assert_eq!(second.ask(&Frame::Publish, Some(b"records")).await, Frame::Refused(ErrorCode::Busy));
        }
    }
}

async fn second_call(relay: &Relay, from_another: bool, to_another: bool) {
    let safes = [Peer::safe(&relay.url(), &key(1)).await, Peer::safe(&relay.url(), &key(2)).await];
    let clients = [Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await];
    let _first = clients[0].call(inbox_of(&key(1))).await.unwrap();
    let to = if to_another { key(2) } else { key(1) };
    let second = clients[usize::from(from_another)].call(inbox_of(&to)).await;
    assert_eq!(second.err(), Some(ErrorCode::Busy));
    drop(safes);
}

/// One deposit has announced the largest envelope and sends nothing: a second must wait until it is through.
async fn blob_beside_one_that_hangs(relay: &Relay, on_the_same_connection: bool) {
    let (first, other) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let envelope = vec![7; limits::ENVELOPE_BYTES];
    let length = u32::try_from(envelope.len()).unwrap().to_be_bytes();
    let mut hanging = first.open(&Frame::Deposit(request(&key(1), None)), None).await;
    hanging.send.write_all(&length).await.unwrap();
    // Answers to other verbs show that the relay has read what was sent before.
    first.challenge().await;
    let second = if on_the_same_connection { &first } else { &other };
    let mut waiting = second.open(&Frame::Deposit(request(&key(2), None)), Some(b"small")).await;
    for _ in 0..10 {
        second.challenge().await;
    }
    assert!(is_pending(waiting.frame()));
    hanging.send.write_all(&envelope).await.unwrap();
    assert!(matches!(hanging.frame().await, Frame::Queued(_)));
    assert!(matches!(waiting.frame().await, Frame::Queued(_)));
}

/// A newcomer is asked to prove its address while somebody else's handshake hangs.
async fn handshake_while_one_hangs(relay: &Relay) {
    let swallow = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let crypto = QuicClientConfig::try_from(client_crypto(&relay.url(), ALPN)).unwrap();
    let config = quinn::ClientConfig::new(std::sync::Arc::new(crypto));
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let hanging = endpoint.connect_with(config, swallow.local_addr().unwrap(), "relay.invalid").unwrap();
    let mut datagram = [0; 1500];
    let length = swallow.recv(&mut datagram).await.unwrap();
    swallow.send_to(&datagram[..length], relay.local_address()).await.unwrap();
    // The relay's answer shows that the handshake has begun there; it is never passed on.
    swallow.recv(&mut datagram).await.unwrap();
    assert_eq!(relay.metrics().retried.read(), 0);
    Peer::connect(&relay.url()).await.leave().await;
    assert_eq!(relay.metrics().retried.read(), 1);
    drop(hanging);
}

fn is_pending(future: impl Future) -> bool {
    let future = pin!(future);
    matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}
