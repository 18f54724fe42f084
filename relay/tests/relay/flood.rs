//! A flood of handshakes that come to nothing, and the few that are meant.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rohrpost_figures::Figures;
use rohrpost_wire::RelayAddress;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::Place;
use crate::initials::{Bad, Initials, Said, read};
use crate::peer::{Peer, inbox_of, key};
use crate::process::{Running, peak_kib};

/// What is promised to be withstood, by the second.
const RATE: usize = 10_000;
/// Two seconds of it, or what a slow machine makes of that in three times as long.
const HANDSHAKES: usize = 20_000;
const LONGEST: Duration = Duration::from_secs(6);
/// Addresses of their own, and ports at each.
const HOSTS: u8 = 32;
const PORTS: usize = 8;
/// Who comes meanwhile and means it.
const NEWCOMERS: usize = 4;
/// Within this whoever means it is served: where a flood fills the relay's socket a packet is lost now and then and sent
/// again after one, two, four seconds, and a machine that has other work to do loses several in a row.
const SERVED: Duration = Duration::from_secs(20);
/// How much a relay may grow: by 2,048 handshakes that it remembers, of 40 KiB, and the 4 MiB of datagrams that it keeps.
const GROWTH_KIB: u64 = 84 * 1024;
/// Handshakes that nobody goes on with are given up after ten seconds, and forgotten after three more.
const OVER: Duration = Duration::from_secs(30);

/// What a flood came to.
#[derive(Debug, Default)]
struct Flood {
    sent: usize,
    retries: usize,
    proven: usize,
    answers: usize,
    took: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_bad_handshakes_a_second_keep_no_good_one_out_and_cost_bounded_memory() {
    let place = Place::new();
    let relay = Running::start(place.folder.path());
    let (client, safe) = (Peer::connect(&relay.url).await, Peer::safe(&relay.url, &key(1)).await);
    let over = Arc::<AtomicBool>::default();
    let mut newcomers = JoinSet::new();
    let before = peak_kib(relay.pid());
    let flooding = tokio::spawn(flood(relay.url.clone(), Arc::clone(&over)));
    for _ in 0..NEWCOMERS {
        newcomers.spawn(visits(relay.url.clone(), Arc::clone(&over)));
    }
    let mut calls = Vec::new();
    while !over.load(Ordering::Acquire) {
        calls.push(call(&client, &safe).await);
    }
    let (flood, mut visits) = (flooding.await.unwrap(), newcomers.join_all().await.concat());
    let grown = peak_kib(relay.pid()) - before;
    // More than there is room for, so that somebody has to give way.
    assert!(flood.retries > 600 && flood.proven > 600, "it did not get there: {flood:?}");
    assert!(grown < GROWTH_KIB, "{grown} KiB");
    until_nobody_is_asked_for_a_proof(&relay.url).await;
    publish(&flood, &mut calls, &mut visits, grown);
}

/// Sends a first packet and waits for the first answer.
pub(crate) async fn ask(socket: &tokio::net::UdpSocket, url: &RelayAddress, initial: &[u8]) -> Said {
    socket.send_to(initial, (Ipv4Addr::LOCALHOST, url.port)).await.unwrap();
    let mut datagram = [0; 2000];
    let length = timeout(SERVED, socket.recv(&mut datagram)).await.unwrap().unwrap();
    read(&datagram[..length])
}

/// Sends bad handshakes of all kinds as fast as is promised to be withstood, then says that it is over.
async fn flood(url: RelayAddress, over: Arc<AtomicBool>) -> Flood {
    let (hosts, mut initials) = (hosts(), Initials::new(&url));
    let (mut flood, begun) = (Flood::default(), now());
    let mut pace = interval(Duration::from_millis(5));
    while flood.sent < HANDSHAKES && now() - begun < LONGEST {
        pace.tick().await;
        for _ in 0..RATE / 200 {
            // Five kinds and 256 ports have no common factor: every port sends every kind.
            let (bad, socket) = (Bad::ALL[flood.sent % Bad::ALL.len()], &hosts[flood.sent % hosts.len()]);
            flood.hear(socket, &initials, bad);
            send(socket, &url, &initials.first(bad));
            flood.sent += 1;
        }
    }
    flood.took = now() - begun;
    over.store(true, Ordering::Release);
    flood
}

/// Ports of hosts that mean no good.
fn hosts() -> Vec<UdpSocket> {
    let place = |host: u8| SocketAddr::from((Ipv4Addr::new(127, 0, 16, host), 0));
    let sockets = (0..PORTS).flat_map(|_| 1..=HOSTS).map(|host| UdpSocket::bind(place(host)).unwrap());
    sockets.inspect(|socket| socket.set_nonblocking(true).unwrap()).collect()
}

pub(crate) fn send(socket: &UdpSocket, url: &RelayAddress, datagram: &[u8]) {
    // A datagram for which the machine has no room at the moment is lost, as on any other network.
    let _lost = socket.send_to(datagram, (Ipv4Addr::LOCALHOST, url.port));
}

impl Flood {
    /// Takes what has come to a port, and proves its address if it is of that kind.
    fn hear(&mut self, socket: &UdpSocket, initials: &Initials, bad: Bad) {
        let mut datagram = [0; 2000];
        loop {
            let (length, relay) = match socket.recv_from(&mut datagram) {
                Ok(heard) => heard,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            };
            match read(&datagram[..length]) {
                Said::Retry { id, token } => {
                    self.retries += 1;
                    if bad == Bad::Proven && socket.send_to(&initials.proven(&id, &token), relay).is_ok() {
                        self.proven += 1;
                    }
                }
                Said::Other => self.answers += 1,
            }
        }
    }
}

/// Newcomers connect one after the other, have a question answered and leave, until it is over; how long each took.
pub(crate) async fn visits(url: RelayAddress, over: Arc<AtomicBool>) -> Vec<Duration> {
    let mut took = Vec::new();
    while !over.load(Ordering::Acquire) {
        let visit = async {
            let peer = Peer::connect(&url).await;
            peer.challenge().await;
            peer.leave().await;
        };
        took.push(timed(visit).await);
    }
    took
}

/// Somebody who was there before calls a safe, which answers; how long it took.
async fn call(client: &Peer, safe: &Peer) -> Duration {
    timed(async {
        let (call, mut incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
        let mut call = call.unwrap();
        call.send.write_all(b"asked").await.unwrap();
        call.send.finish().unwrap();
        assert_eq!(incoming.recv.read_to_end(100).await.unwrap(), b"asked");
        incoming.send.write_all(b"answered").await.unwrap();
        incoming.send.finish().unwrap();
        assert_eq!(call.recv.read_to_end(100).await.unwrap(), b"answered");
    })
    .await
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let begun = now();
    timeout(SERVED, work).await.unwrap();
    now() - begun
}

/// The relay is as it was before: a stranger's handshake begins at once.
pub(crate) async fn until_nobody_is_asked_for_a_proof(url: &RelayAddress) {
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::new(127, 0, 17, 1), 0)).await.unwrap();
    // None of the ids that the flood had.
    let mut initials = Initials::after(url, 1 << 32);
    let asked = async {
        let mut look = interval(Duration::from_millis(100));
        loop {
            look.tick().await;
            if ask(&socket, url, &initials.first(Bad::Protocol)).await == Said::Other {
                return;
            }
        }
    };
    timeout(OVER, asked).await.unwrap();
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
fn publish(flood: &Flood, calls: &mut [Duration], visits: &mut [Duration], grown: u64) {
    calls.sort();
    visits.sort();
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
    let count = |number: usize| number as u64;
    Figures::of("relay.flood")
        .count("bad handshakes", count(flood.sent))
        .measure("of these", (flood.sent as f64 / flood.took.as_secs_f64()).round(), " a second")
        .count("answered by the relay with a retry", count(flood.retries))
        .count("went on with a proof of address", count(flood.proven))
        .count("other answers to them", count(flood.answers))
        .count("good newcomers served meanwhile", count(visits.len()))
        .measure("half of them within", milliseconds(visits[visits.len() / 2]), " ms")
        .measure("slowest", milliseconds(visits[visits.len() - 1]), " ms")
        .none("good ones refused")
        .count("calls answered meanwhile", count(calls.len()))
        .measure("slowest call", milliseconds(calls[calls.len() - 1]), " ms")
        .measure("memory grew by at most", (grown as f64 / 1024.0).round(), " MiB")
        .publish();
}

#[expect(clippy::disallowed_methods, reason = "how fast a flood is and how long others wait is what is measured")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
