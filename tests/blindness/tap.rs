//! Sits between all clients and the relay, with the relay's own key, and keeps everything that is said inside TLS.
//!
//! Both QUIC legs end here. Bytes, ends and aborts are passed on as they come, so the real relay behind sees what it
//! would see alone. One thing has to be made anew: a login is signed for one TLS session and holds in no other, which is
//! why nobody but this test, which takes the safe's route key out of its vault, could sit here.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::{
    Connection, ConnectionError, Endpoint, ReadError, RecvStream, SendStream, TransportConfig, VarInt, WriteError,
};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::frame::{Login, frame_length};
use rohrpost_wire::proof::{self, Exporter};
use rohrpost_wire::{EXPORTER_LABEL, Frame, RelayKeyHash};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::tls::{self, KeyLog};

/// A tap at work; it ends with this value.
#[derive(Debug)]
pub(crate) struct Tap {
    wires: Wires,
    port: u16,
    task: AbortHandle,
}

/// What one side said on one stream.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) connection: usize,
    pub(crate) stream: usize,
    pub(crate) by_relay: bool,
    pub(crate) bytes: Vec<u8>,
    /// When each piece came, since the tap began.
    pub(crate) pieces: Vec<(Duration, usize)>,
}

/// What all connections share.
#[derive(Clone, Debug)]
struct Wires {
    relay: SocketAddr,
    relay_key: RelayKeyHash,
    route: Arc<SigningSecret>,
    log: KeyLog,
    said: Arc<Mutex<Vec<Said>>>,
    began: Instant,
}

impl Tap {
    /// Listens on the socket as the relay whose key this is.
    pub(crate) fn start(
        socket: UdpSocket,
        seed: &[u8; 32],
        relay: SocketAddr,
        relay_key: RelayKeyHash,
        route: SigningSecret,
    ) -> Self {
        let port = socket.local_addr().unwrap().port();
        let log = KeyLog::default();
        let mut config = tls::server(seed, &log);
        config.transport_config(Arc::new(transport()));
        let runtime = Arc::new(quinn::TokioRuntime);
        let endpoint = Endpoint::new(quinn::EndpointConfig::default(), Some(config), socket, runtime).unwrap();
        let said = Arc::default();
        let wires = Wires { relay, relay_key, route: Arc::new(route), log, said, began: now() };
        let task = tokio::spawn(accept(endpoint, wires.clone())).abort_handle();
        Self { wires, port, task }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything that was said so far.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.wires.said.lock().unwrap().clone()
    }

    /// The secrets of both legs of every connection.
    pub(crate) fn tls_secrets(&self) -> String {
        self.wires.log.lines()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(endpoint: Endpoint, wires: Wires) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Some(incoming) = endpoint.accept().await {
        let wires = wires.clone();
        number += 1;
        connections.spawn(async move {
            // A relay that is being restarted is refused to its clients as by itself.
            let Ok(client) = incoming.await else { return };
            match wires.dial().await {
                Ok(relay) => wires.join(client, relay, number).await,
                Err(_) => client.close(VarInt::from_u32(0), b""),
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Wires {
    async fn dial(&self) -> Result<Connection, ConnectionError> {
        let mut config = tls::client(&self.log);
        config.transport_config(Arc::new(transport()));
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        endpoint.connect_with(config, self.relay, "rohrpost.invalid").unwrap().await
    }

    /// Joins the streams of both connections until either ends.
    async fn join(&self, client: Connection, relay: Connection, connection: usize) {
        let mut streams = JoinSet::new();
        let mut stream = 0;
        loop {
            stream += 1;
            let wires = self.clone();
            tokio::select! {
                Ok((send, recv)) = client.accept_bi() => {
                    let relay = relay.clone();
                    streams.spawn(async move {
                        let Ok((there, back)) = relay.open_bi().await else { return };
                        let asking = wires.ask(recv, there, &relay, wires.record(connection, stream, false));
                        tokio::join!(asking, wires.pump(back, send, wires.record(connection, stream, true)));
                    });
                }
                Ok((send, recv)) = relay.accept_bi() => {
                    let client = client.clone();
                    streams.spawn(async move {
                        let Ok((there, back)) = client.open_bi().await else { return };
                        let asking = wires.pump(recv, there, wires.record(connection, stream, true));
                        tokio::join!(asking, wires.pump(back, send, wires.record(connection, stream, false)));
                    });
                }
                reason = client.closed() => return relay.close(code(&reason), b""),
                reason = relay.closed() => return client.close(code(&reason), b""),
            }
        }
    }

    /// A place to write down what one side says on one stream.
    fn record(&self, connection: usize, stream: usize, by_relay: bool) -> usize {
        let mut said = self.said.lock().unwrap();
        said.push(Said { connection, stream, by_relay, bytes: Vec::new(), pieces: Vec::new() });
        said.len() - 1
    }

    fn write_down(&self, record: usize, bytes: &[u8]) {
        let at = now() - self.began;
        let said = &mut self.said.lock().unwrap()[record];
        said.bytes.extend_from_slice(bytes);
        said.pieces.push((at, bytes.len()));
    }

    /// Passes on what a client asks; its login, made for this session, becomes one for the session behind.
    async fn ask(&self, mut from: RecvStream, mut to: SendStream, relay: &Connection, record: usize) {
        let mut first = Vec::new();
        let mut field = [0; 4];
        if from.read_exact(&mut field).await.is_err() {
            return;
        }
        first.extend(field);
        if let Ok(length) = frame_length(field) {
            let mut body = vec![0; length];
            if from.read_exact(&mut body).await.is_ok() {
                first.extend(&body);
                self.write_down(record, &first);
                if let Ok(Frame::Login(login)) = Frame::decode(&body) {
                    first = self.sign_again(&login, relay);
                }
            }
        }
        if to.write_all(&first).await.is_ok() {
            self.pump(from, to, record).await;
        }
    }

    fn sign_again(&self, login: &Login, relay: &Connection) -> Vec<u8> {
        assert_eq!(login.route_key, self.route.public(), "another safe's login");
        let mut exporter = Exporter([0; 32]);
        relay.export_keying_material(&mut exporter.0, EXPORTER_LABEL, b"").unwrap();
        Frame::Login(proof::sign_login(self.route.signer(), &self.relay_key, &exporter, login.counter)).encode()
    }

    async fn pump(&self, mut from: RecvStream, mut to: SendStream, record: usize) {
        let stopped = to.stopped();
        tokio::pin!(stopped);
        loop {
            let read = tokio::select! {
                read = from.read_chunk(64 * 1024, true) => read,
                code = &mut stopped => {
                    let _over = from.stop(code.ok().flatten().unwrap_or_default());
                    return;
                }
            };
            match read {
                Ok(Some(chunk)) => {
                    self.write_down(record, &chunk.bytes);
                    if let Err(WriteError::Stopped(code)) = to.write_chunk(chunk.bytes).await {
                        let _over = from.stop(code);
                        return;
                    }
                }
                Ok(None) => return drop(to.finish()),
                Err(ReadError::Reset(code)) => return drop(to.reset(code)),
                Err(_) => return,
            }
        }
    }
}

fn code(reason: &ConnectionError) -> VarInt {
    if let ConnectionError::ApplicationClosed(close) = reason { close.error_code } else { VarInt::from_u32(0) }
}

/// Room enough that the tap holds nobody up more than the relay does. What it sends goes packet by packet, so that who
/// captures on the loopback, where a batch is seen as one large packet, can open what the tap passes on.
fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(128))
        .stream_receive_window(VarInt::from_u32(256 * 1024))
        .enable_segmentation_offload(false)
        .keep_alive_interval(Some(Duration::from_secs(10)));
    transport
}

#[expect(clippy::disallowed_methods, reason = "what is measured are the gaps that a relay sees")]
fn now() -> Instant {
    Instant::now()
}
