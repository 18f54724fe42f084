//! Handshakes that are begun and taken back at once: none is under way, and QUIC remembers them all.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rohrpost_figures::Figures;
use rohrpost_relay::Limits;
use rohrpost_wire::RelayAddress;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::Place;
use crate::flood::{ask, now, send, until_nobody_is_asked_for_a_proof, visits};
use crate::initials::{Bad, Initials, Said, read};
use crate::process::Running;

/// By the second: 683 would fill the memory of a relay that did not ask whose they are.
const RATE: usize = 1_000;
/// Half as many again as a relay remembers.
const PROVEN: usize = 3_000;
/// As long as a slow machine may take to prove them.
const LONGEST: Duration = Duration::from_secs(9);
/// So many hosts, with 384 each, would have more than all that a relay remembers.
const HOSTS: u8 = 8;
/// Who comes meanwhile and means it.
const NEWCOMERS: usize = 3;

/// QUIC remembers for three seconds whoever said hello and took it back. A relay that forgot at once let anybody fill its
/// memory, without an address of his own.
#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_were_taken_back_count_for_as_long_as_they_are_remembered() {
    const TRIES: usize = 100;
    let place = Place::new();
    let relay = place.relay_with(Limits { handshakes: 1, ..Limits::default() }).await;
    let mut initials = Initials::new(&relay.url());
    let mut begun = 0;
    for _ in 0..TRIES {
        let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if ask(&socket, &relay.url(), &initials.first(Bad::Silent)).await == Said::Other {
            begun += 1;
            socket.send_to(&initials.close(), relay.local_address()).await.unwrap();
        }
    }
    // Four are half of what one handshake at a time may leave behind; a slow machine has forgotten these in the middle.
    assert!((4..=8).contains(&begun), "{begun} of {TRIES}");
    until_nobody_is_asked_for_a_proof(&relay.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_proves_its_address_and_takes_back_a_thousand_handshakes_a_second_keeps_nobody_out() {
    hoard("relay.taken_back", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_hosts_that_take_back_what_they_have_proven_keep_nobody_out_together() {
    hoard("relay.taken_back_by_many", HOSTS).await;
}

async fn hoard(name: &'static str, hosts: u8) {
    let place = Place::new();
    let relay = Running::start(place.folder.path());
    let over = Arc::<AtomicBool>::default();
    let mut newcomers = JoinSet::new();
    for _ in 0..NEWCOMERS {
        newcomers.spawn(visits(relay.url.clone(), Arc::clone(&over)));
    }
    let begun = now();
    let proven = take_back(&relay.url, hosts).await;
    let took = now() - begun;
    over.store(true, Ordering::Release);
    let visits = newcomers.join_all().await.concat();
    // More than a relay remembers.
    assert!(proven > 2_048, "it did not get there: {proven}");
    until_nobody_is_asked_for_a_proof(&relay.url).await;
    let rate = u64::try_from(proven).unwrap() * 1000 / u64::try_from(took.as_millis()).unwrap();
    Figures::of(name)
        .count("hosts", u64::from(hosts))
        .count("handshakes proven and taken back", proven as u64)
        .count("of these a second", rate)
        .count("good newcomers served meanwhile", visits.len() as u64)
        .none("good ones refused")
        .publish();
}

/// Says hello, answers the relay's question for a proof, and takes it all back; how often.
async fn take_back(url: &RelayAddress, hosts: u8) -> usize {
    let sockets: Vec<_> = (1..=hosts).map(socket_of).collect();
    let (mut initials, mut pace) = (Initials::new(url), interval(Duration::from_millis(5)));
    let (mut proven, mut sent, begun) = (0, 0, now());
    while proven < PROVEN && now() - begun < LONGEST {
        pace.tick().await;
        for _ in 0..RATE / 200 {
            let socket = &sockets[sent % sockets.len()];
            proven += prove(socket, url, &initials);
            send(socket, url, &initials.first(Bad::Silent));
            sent += 1;
        }
    }
    proven
}

fn socket_of(host: u8) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::new(127, 0, 18, host), 0))).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// Answers what has come to a port; how many proofs were given and taken back.
fn prove(socket: &UdpSocket, url: &RelayAddress, initials: &Initials) -> usize {
    let (mut datagram, mut proven) = ([0; 2000], 0);
    loop {
        let length = match socket.recv(&mut datagram) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return proven,
            Err(error) => panic!("{error}"),
        };
        if let Said::Retry { id, token } = read(&datagram[..length]) {
            send(socket, url, &initials.proven(&id, &token));
            send(socket, url, &initials.close_proven(&id, &token));
            proven += 1;
        }
    }
}
