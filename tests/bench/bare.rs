//! What the relay is measured against: the least that has to be done with quinn for the same bytes.
//!
//! Same TLS, same transport parameters and same first frames as the real relay, so that both ends are the very same
//! code; behind the frames, `tokio::io::copy` both ways and nothing else: no limits, no login, no counting.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, IdleTimeout, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use rohrpost_wire::frame::{Incoming, frame_length};
use rohrpost_wire::{ALPN, Frame, RelayAddress, RelayKeyHash};
use rustls::crypto::ring as provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use tokio::task::JoinSet;

/// As `relay/src/transport.rs`, and as `relay/src/windows.rs` gives a connection that carries bulk.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
const IDLE_MS: u32 = 30_000;
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// As many streams as the rows ask of the real relay.
const STREAMS: u32 = 128;

/// Forwards between the first who connects, who answers, and everybody else, who asks. Runs until it is ended.
pub(crate) async fn splice() -> Result<()> {
    let endpoint = listen()?;
    let answerer = endpoint.accept().await.context("nobody came")?.await?;
    let mut callers = JoinSet::new();
    while let Some(incoming) = endpoint.accept().await {
        let answerer = answerer.clone();
        callers.spawn(async move {
            let Ok(caller) = incoming.await else { return };
            let mut calls = JoinSet::new();
            while let Ok((send, recv)) = caller.accept_bi().await {
                let answerer = answerer.clone();
                calls.spawn(async move { forward(&answerer, send, recv).await });
                while calls.try_join_next().is_some() {}
            }
        });
    }
    Ok(())
}

/// Listens on a free port of this machine and says where.
pub(crate) fn listen() -> Result<Endpoint> {
    let (config, key_hash) = server_config()?;
    let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into())?;
    let port = endpoint.local_addr()?.port();
    println!("{}", RelayAddress { host: Ipv4Addr::LOCALHOST.to_string(), port, key_hash });
    Ok(endpoint)
}

/// Reads past the frame that says where a call goes.
pub(crate) async fn skip_frame(recv: &mut RecvStream) -> Result<()> {
    let mut field = [0; 4];
    recv.read_exact(&mut field).await?;
    let mut frame = vec![0; frame_length(field)?];
    Ok(recv.read_exact(&mut frame).await?)
}

async fn forward(answerer: &Connection, mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    skip_frame(&mut recv).await?;
    let (mut there, mut back) = answerer.open_bi().await?;
    there.write_all(&Frame::Incoming(Incoming { ticket: None }).encode()).await?;
    send.write_all(&Frame::Done.encode()).await?;
    let asking = async {
        tokio::io::copy(&mut recv, &mut there).await?;
        there.finish().context("the answering end has stopped")
    };
    let answering = async {
        tokio::io::copy(&mut back, &mut send).await?;
        send.finish().context("the asking end has stopped")
    };
    tokio::try_join!(asking, answering)?;
    Ok(())
}

fn server_config() -> Result<(ServerConfig, RelayKeyHash)> {
    let fresh = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok().context("no randomness")?;
    let key = provider::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(fresh.as_ref()))?;
    let public = key.public_key().context("the key has no public half")?;
    // The key itself is the last 32 bytes (RFC 8410 §4).
    let bare = public.last_chunk::<32>().context("not an Ed25519 key")?;
    let key_hash = RelayKeyHash::of_key(bare);
    let raw = CertifiedKey::new(vec![CertificateDer::from(public.to_vec())], key);
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(raw))));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    Ok((config, key_hash))
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(u64::from(CONNECTION_WINDOW))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .allow_spin(false);
    transport
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A base with other windows would be compared with nothing.
    #[test]
    fn the_windows_are_those_of_the_relay() {
        let windows = include_str!("../../relay/src/windows.rs");
        let value = |name: &str| {
            let line = windows.lines().find(|line| line.contains(&format!("const {name}: u32 ="))).unwrap();
            let factors = line.split_once('=').unwrap().1.trim_matches([' ', ';']).split(" * ");
            factors.map(|factor| factor.parse::<u32>().unwrap()).product::<u32>()
        };
        assert_eq!((value("STREAM_WINDOW"), value("LARGE_WINDOW")), (STREAM_WINDOW, CONNECTION_WINDOW));
    }
}
