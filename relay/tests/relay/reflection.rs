//! A relay is no weapon: who has not shown that an address is his own gets little sent there, and nothing is done for
//! what may have been said before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint};
use rohrpost_figures::Figures;
use rohrpost_relay::Limits;
use rohrpost_wire::ALPN;
use rustls::client::Resumption;
use tokio::net::UdpSocket;

use crate::Place;
use crate::peer::{Peer, client_crypto};

/// The largest before a path is known (RFC 9000 §14.1).
const DATAGRAM: usize = 1200;

fn endpoint() -> Endpoint {
    Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap()
}

/// RFC 9000 §8.1: three times as much and no more, however often it would be sent again. QUIC's library counts before it
/// begins a datagram and not after, so the rest of one may go beyond.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_not_answered_is_sent_three_times_what_came_from_it_and_less_than_a_datagram_more() {
    let place = Place::new();
    let relay = place.relay_with(Limits { handshakes: 1, ..Limits::default() }).await;
    let crypto = QuicClientConfig::try_from(client_crypto(&relay.url(), ALPN)).unwrap();
    let swallow = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (client, to) = (endpoint(), swallow.local_addr().unwrap());
    let hanging = client.connect_with(ClientConfig::new(Arc::new(crypto)), to, "relay.invalid").unwrap();
    let mut datagram = [0; 2000];
    let sent = swallow.recv(&mut datagram).await.unwrap();
    // What came from here may have been written by anybody; nobody answers.
    let victim = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    victim.send_to(&datagram[..sent], relay.local_address()).await.unwrap();

    let mut received = victim.recv(&mut datagram).await.unwrap();
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            more = victim.recv(&mut datagram) => received += more.unwrap(),
            _ = look.tick() => {
                // A newcomer is asked for a proof of address for as long as that handshake is under way.
                let before = relay.metrics().retried.read();
                Peer::connect(&relay.url()).await.leave().await;
                if relay.metrics().retried.read() == before {
                    break;
                }
            }
        }
    }
    assert!(received > sent && received < 3 * sent + DATAGRAM, "{received} bytes for {sent}");
    Figures::of("fuzz.reflection")
        .count("bytes sent", sent as u64)
        .count("bytes sent back to an address unproven", received as u64)
        .publish();
    drop(hanging);
}

/// A request that is repeated on the way would be carried out twice: nothing is taken before the handshake is over.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_before_a_handshake_is_over() {
    let place = Place::new();
    let relay = place.relay().await;
    let mut crypto = client_crypto(&relay.url(), ALPN);
    crypto.enable_early_data = true;
    crypto.resumption = Resumption::in_memory_sessions(8);
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(crypto).unwrap()));
    let client = endpoint();
    let to: SocketAddr = relay.local_address();
    for visit in 0..3 {
        let connecting = client.connect_with(config.clone(), to, "relay.invalid").unwrap();
        let connecting = connecting.into_0rtt().err().unwrap_or_else(|| panic!("early data on visit {visit}"));
        let connection = connecting.await.unwrap();
        // A ticket would come now, if there were one.
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        send.write_all(&rohrpost_wire::Frame::Challenge.encode()).await.unwrap();
        send.finish().unwrap();
        assert!(!recv.read_to_end(100).await.unwrap().is_empty());
        connection.close(0u8.into(), b"");
    }
}
