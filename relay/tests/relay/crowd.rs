//! As many peers at once as a relay takes: each is served, and each costs it little memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use quinn::Endpoint;
use rohrpost_figures::Figures;
use rohrpost_wire::{Frame, RelayAddress};
use tokio::task::JoinSet;

use crate::Place;
use crate::peer::{Peer, inbox_of, key};
use crate::process::{Running, peak_kib};

/// As many as a relay takes by its default limits.
const CROWD: usize = 10_000;
/// Below what one host may hold by default.
const AT_ONE_HOST: usize = 2000;
/// Who connects at once: fewer than the handshakes for which there is room without a proof of address.
const AT_ONCE: usize = 32;
/// Who is asked again when all are there.
const SAMPLE: usize = 100;
/// What a connection that has asked for something may cost: QUIC's state and keys, and buffers it has used.
const EACH_KIB: u64 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_are_served_and_cost_little_memory_each() {
    let place = Place::new();
    let relay = Running::start(place.folder.path());
    let before = peak_kib(relay.pid());
    let mut hosts = JoinSet::new();
    for (host, number) in (1..).zip((0..CROWD).step_by(AT_ONE_HOST)) {
        hosts.spawn(come(relay.url.clone(), host, AT_ONE_HOST.min(CROWD - number)));
    }
    let peers = hosts.join_all().await.concat();
    let grown = peak_kib(relay.pid()) - before;
    assert_eq!(peers.len(), CROWD);
    // Everybody is still there, and whoever of them asks is served; in which order they came nobody knows.
    assert_eq!(peers.iter().find_map(|peer| peer.connection.close_reason()), None);
    let records = Frame::Records(inbox_of(&key(1)));
    for peer in peers.iter().step_by(CROWD / SAMPLE) {
        assert!(matches!(peer.ask(&records, None).await, Frame::Refused(_)));
    }
    assert_eq!(peers.iter().find_map(|peer| peer.connection.close_reason()), None);
    let each = grown / CROWD as u64;
    assert!(each <= EACH_KIB, "{each} KiB each");
    Figures::of("relay.crowd")
        .count("connections at once", CROWD as u64)
        .count("MiB by which memory grew", grown / 1024)
        .count("KiB for each", each)
        .publish();
}

/// Everybody from one host comes, asks for something and stays.
async fn come(url: RelayAddress, host: u8, count: usize) -> Vec<Arc<Peer>> {
    let endpoint = Endpoint::client((IpAddr::from(Ipv4Addr::new(127, 0, 18, host)), 0).into()).unwrap();
    let (mut coming, mut here) = (JoinSet::new(), Vec::with_capacity(count));
    for number in 0..count {
        let (url, endpoint) = (url.clone(), endpoint.clone());
        coming.spawn(async move {
            let peer = Peer::connect_from(&endpoint, &url).await;
            assert!(matches!(peer.ask(&Frame::Challenge, None).await, Frame::Challenged(_)));
            Arc::new(peer)
        });
        if number >= AT_ONCE {
            here.extend(coming.join_next().await.map(Result::unwrap));
        }
    }
    here.extend(coming.join_all().await);
    here
}
