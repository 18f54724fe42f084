//! The QUIC endpoint of a relay and every number QUIC is given.
//!
//! Nothing is left to a default that would link two visits (no address-validation tokens, no resumption, spin bit off)
//! or grow without bound (windows, buffers and streams are set here).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{
    Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, ValidationTokenConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;

use crate::quota::Limits;
use crate::server::BindError;
use crate::tls::RelayKey;
use crate::windows::{SMALL_WINDOW, STREAM_WINDOW};

/// A peer that has not been heard of for so long is gone.
const IDLE_MS: u32 = 30_000;
/// Keeps the mappings of home routers open; the shortest seen in practice last 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Handshake datagrams kept for one newcomer, and for all, until it is taken in.
const INCOMING_BYTES: u64 = 16 * 1024;
const INCOMING_BYTES_TOTAL: u64 = 4 * 1024 * 1024;

/// Listens at an address.
pub(crate) fn endpoint(key: &RelayKey, limits: &Limits, listen: SocketAddr) -> Result<Endpoint, BindError> {
    let config = server_config(key, limits)?;
    let socket = std::net::UdpSocket::bind(listen).map_err(address_error)?;
    let mut endpoint = EndpointConfig::new(Arc::new(key.reset_key()));
    // Connection ids that the next run recognises as its own: without that it would not answer them with a reset.
    let ids = key.connection_id_key();
    endpoint.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
    Endpoint::new(endpoint, Some(config), socket, Arc::new(TokioRuntime)).map_err(address_error)
}

fn server_config(key: &RelayKey, limits: &Limits) -> Result<ServerConfig, BindError> {
    let mut config = ServerConfig::with_crypto(Arc::new(key.server_crypto()?));
    let mut tokens = ValidationTokenConfig::default();
    tokens.sent(0);
    config
        .transport_config(Arc::new(transport(limits)))
        .validation_token_config(tokens)
        // A phone that changes from Wi-Fi to mobile keeps its connection; the new path is validated (RFC 9000 §9).
        .migration(true)
        .max_incoming(limits.handshakes.saturating_mul(4))
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(INCOMING_BYTES_TOTAL);
    Ok(config)
}

fn transport(limits: &Limits) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from(limits.streams_per_connection))
        .max_concurrent_uni_streams(VarInt::from(0u8))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from(STREAM_WINDOW))
        .receive_window(VarInt::from(SMALL_WINDOW))
        .send_window(u64::from(SMALL_WINDOW))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from(IDLE_MS))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .allow_spin(false);
    transport
}

fn address_error(error: io::Error) -> BindError {
    if error.kind() == io::ErrorKind::AddrInUse { BindError::AddressInUse } else { BindError::Address(error) }
}
