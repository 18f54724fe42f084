//! Who is who: the relay's key, logins, records, and what ends a connection.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::proof::{self, Exporter};
use rohrpost_wire::{ALPN, ErrorCode, Frame, RelayKeyHash, limits};

use crate::Place;
use crate::peer::{Peer, code_of, inbox_of, key};

#[tokio::test]
async fn a_relay_shows_the_key_its_url_names_and_keeps_it() {
    let place = Place::new();
    let relay = place.relay().await;
    let url = relay.url();
    Peer::connect(&url).await.leave().await;
    relay.shutdown().await;
    let again = place.relay().await;
    assert_eq!(again.url().key_hash, url.key_hash);
    let mut other = again.url();
    other.key_hash = RelayKeyHash(Fixed([0; 32]));
    assert!(Peer::try_connect(&other, ALPN).await.is_err());
}

#[tokio::test]
async fn a_peer_of_another_version_never_gets_past_the_handshake() {
    let place = Place::new();
    let relay = place.relay().await;
    for alpn in [&b"rohrpost/2"[..], b"rohrpost", b"h3"] {
        assert!(Peer::try_connect(&relay.url(), alpn).await.is_err());
    }
}

#[tokio::test]
async fn a_login_of_another_connection_proves_nothing() {
    let place = Place::new();
    let relay = place.relay().await;
    let (first, second) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let hash = relay.url().key_hash;
    let captured = proof::sign_login(&key(1), &hash, &first.exporter(), 1);
    let elsewhere = proof::sign_login(&key(1), &RelayKeyHash(Fixed([0; 32])), &second.exporter(), 1);
    let guessed = proof::sign_login(&key(1), &hash, &Exporter([0; 32]), 1);
    for login in [captured.clone(), elsewhere, guessed] {
        assert_eq!(second.ask(&Frame::Login(login), None).await, Frame::Refused(ErrorCode::BadProof));
    }
    assert_eq!(first.ask(&Frame::Login(captured), None).await, Frame::Done);
}

#[tokio::test]
async fn the_newest_login_wins_and_the_older_connection_is_closed() {
    let place = Place::new();
    let relay = place.relay().await;
    let old = Peer::safe(&relay.url(), &key(1)).await;
    let new = Peer::safe(&relay.url(), &key(1)).await;
    assert_eq!(old.closed().await, ErrorCode::Superseded);
    assert_eq!(new.fetch(false).await, Ok(vec![]));
}

#[tokio::test]
async fn what_a_safe_publishes_everybody_reads_also_after_a_restart() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    assert_eq!(safe.ask(&Frame::Publish, Some(b"old")).await, Frame::Done);
    let records = vec![7; limits::RECORDS_BYTES];
    assert_eq!(safe.ask(&Frame::Publish, Some(&records)).await, Frame::Done);
    relay.shutdown().await;
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    let mut stream = client.open(&Frame::Records(inbox_of(&key(1))), None).await;
    assert_eq!(stream.frame().await, Frame::Done);
    assert_eq!(stream.blob().await, records);
    let unknown = Frame::Records(inbox_of(&key(2)));
    assert_eq!(client.ask(&unknown, None).await, Frame::Refused(ErrorCode::Unknown));
}

#[tokio::test]
async fn a_verb_that_needs_a_login_is_refused_and_the_connection_lives_on() {
    let place = Place::new();
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    let refused = Frame::Refused(ErrorCode::NotLoggedIn);
    assert_eq!(client.ask(&Frame::Publish, Some(b"records")).await, refused);
    assert_eq!(client.fetch(false).await, Err(ErrorCode::NotLoggedIn));
    assert_eq!(client.ack(vec![]).await, refused);
    assert_eq!(client.login(&key(1)).await, Frame::Done);
    assert_eq!(client.ask(&Frame::Publish, Some(b"records")).await, Frame::Done);
}

#[tokio::test]
async fn bytes_that_are_no_request_end_that_connection_with_a_number_and_no_other() {
    let place = Place::new();
    let relay = place.relay().await;
    let bystander = Peer::safe(&relay.url(), &key(1)).await;
    let mut trailing = Frame::Challenge.encode();
    trailing[3] += 1;
    trailing.push(0);
    let deposit = Frame::Deposit(crate::peer::request(&key(1), None)).encode();
    let huge_blob = [&deposit[..], &(u32::try_from(limits::ENVELOPE_BYTES).unwrap() + 1).to_be_bytes()].concat();
    let cases: [(&[u8], ErrorCode); 9] = [
        (&[0, 0, 0, 0], ErrorCode::Malformed),
        (&[0, 0, 0, 1, 0], ErrorCode::Malformed),
        (&[0, 0, 0, 3, 0, 3, 1], ErrorCode::Malformed),
        (&trailing, ErrorCode::Malformed),
        (&deposit[..deposit.len() - 1], ErrorCode::Malformed),
        (&[0xff, 0xff, 0xff, 0xff], ErrorCode::TooLarge),
        (&huge_blob, ErrorCode::TooLarge),
        (&[0, 0, 0, 2, 0, 9], ErrorCode::UnexpectedFrame),
        (&[0, 0, 0, 2, 0, 33], ErrorCode::UnexpectedFrame),
    ];
    for (bytes, code) in cases {
        let peer = Peer::connect(&relay.url()).await;
        let (mut send, _recv) = peer.connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        send.finish().unwrap();
        assert_eq!(peer.closed().await, code, "{bytes:?}");
    }
    assert_eq!(relay.metrics().misbehaved.read(), 9);
    assert_eq!(bystander.fetch(false).await, Ok(vec![]));
}

#[tokio::test]
async fn a_relay_that_stops_tells_its_peers() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    relay.shutdown().await;
    assert_eq!(code_of(&safe.connection.closed().await), ErrorCode::ShuttingDown);
}
