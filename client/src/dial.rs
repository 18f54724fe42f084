//! One QUIC connection to one relay, from a socket of its own, so that two visits share no port.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, ConnectionError, Endpoint, NoneTokenStore, TransportConfig, VarInt};
use rohrpost_wire::RelayAddress;

use crate::connection::Role;
use crate::error::ConnectError;
use crate::pinned::{self, SERVER_NAME};

/// How long the name service may take.
const LOOKUP_TIME: Duration = Duration::from_secs(5);
/// How long one address may take to answer.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How many addresses of a name are tried: two kinds, and one spare of each.
const ADDRESSES: usize = 4;
/// Silence after which a connection is dead. Keep-alives come at a third of it.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Unread bytes per stream: covers 100 Mbit/s at 80 ms, and bounds memory.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// Unread and unacknowledged bytes per connection.
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// Calls a safe works on at once; the relay answers `busy` beyond.
const INCOMING_CALLS: u32 = 64;

pub(crate) async fn dial(relay: &RelayAddress, role: Role) -> Result<(Endpoint, quinn::Connection), ConnectError> {
    let config = client_config(relay, role)?;
    let lookup = tokio::net::lookup_host((relay.host.as_str(), relay.port));
    let found = tokio::time::timeout(LOOKUP_TIME, lookup).await;
    let addresses = found.ok().and_then(Result::ok).ok_or(ConnectError::Unresolved)?;
    let mut telling = ConnectError::Unresolved;
    for address in addresses.take(ADDRESSES) {
        match connect(&config, address).await {
            Ok(connected) => return Ok(connected),
            Err(error) => telling = more_telling(telling, error),
        }
    }
    Err(telling)
}

/// Of two failures the one that says more: a wrong key is worse news than silence, silence more than no socket.
fn more_telling(first: ConnectError, second: ConnectError) -> ConnectError {
    let weight = |error| match error {
        ConnectError::WrongKey => 4,
        ConnectError::Unsupported => 3,
        ConnectError::Unreachable => 2,
        ConnectError::NoSocket => 1,
        ConnectError::Unresolved => 0,
    };
    if weight(second) > weight(first) { second } else { first }
}

async fn connect(config: &ClientConfig, address: SocketAddr) -> Result<(Endpoint, quinn::Connection), ConnectError> {
    let local: SocketAddr =
        if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let endpoint = Endpoint::client(local).map_err(|_| ConnectError::NoSocket)?;
    let connecting =
        endpoint.connect_with(config.clone(), address, SERVER_NAME).map_err(|_| ConnectError::Unreachable)?;
    match tokio::time::timeout(CONNECT_TIME, connecting).await {
        Ok(Ok(connection)) => Ok((endpoint, connection)),
        Ok(Err(error)) => Err(connect_error(&error)),
        Err(_) => Err(ConnectError::Unreachable),
    }
}

/// TLS alerts (RFC 8446 §6) are QUIC crypto errors 0x100 + alert (RFC 9001 §4.8). Our own means that the key is not the
/// pinned one; the relay's, that it wants something else.
fn connect_error(error: &ConnectionError) -> ConnectError {
    const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
    match error {
        ConnectionError::TransportError(error) if (0x100..0x200).contains(&u64::from(error.code)) => {
            ConnectError::WrongKey
        }
        ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == NO_APPLICATION_PROTOCOL => {
            ConnectError::Unsupported
        }
        ConnectionError::VersionMismatch => ConnectError::Unsupported,
        ConnectionError::TransportError(_)
        | ConnectionError::ConnectionClosed(_)
        | ConnectionError::ApplicationClosed(_)
        | ConnectionError::Reset
        | ConnectionError::TimedOut
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => ConnectError::Unreachable,
    }
}

fn client_config(relay: &RelayAddress, role: Role) -> Result<ClientConfig, ConnectError> {
    let tls = pinned::client_config(relay.key_hash).map_err(|_| ConnectError::Unsupported)?;
    let crypto = QuicClientConfig::try_from(tls).map_err(|_| ConnectError::Unsupported)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport(role)));
    config.token_store(Arc::new(NoneTokenStore));
    Ok(config)
}

fn transport(role: Role) -> TransportConfig {
    let incoming = match role {
        Role::Visitor => 0,
        Role::Safe => INCOMING_CALLS,
    };
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(incoming))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .allow_spin(false)
        .keep_alive_interval(Some(IDLE_TIME / 3))
        .max_idle_timeout(IDLE_TIME.try_into().ok())
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(CONNECTION_WINDOW.into());
    transport
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_is_told_whatever_the_other_addresses_did() {
        let errors = [ConnectError::Unreachable, ConnectError::WrongKey, ConnectError::NoSocket];
        assert_eq!(errors.into_iter().fold(ConnectError::Unresolved, more_telling), ConnectError::WrongKey);
        let errors = [ConnectError::Unreachable, ConnectError::NoSocket];
        assert_eq!(errors.into_iter().fold(ConnectError::Unresolved, more_telling), ConnectError::Unreachable);
    }
}
