//! The running relay: bind, accept, shut down. The only place that spawns tasks.
//!
//! Invariant: every task dies with the [`Relay`]; every connection is a task, every stream a task of its connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quinn::Endpoint;
use rohrpost_wire::{ErrorCode, RelayAddress, Timestamp};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::admission::{Admitted, Door};
use crate::arrivals::Arrivals;
use crate::connection::{House, Session};
use crate::folder::{Folder, FolderError};
use crate::metrics::Metrics;
use crate::pace::Reading;
use crate::quota::Limits;
use crate::spool::{Clock, Failure, OpenError, Spool, SpoolThread};
use crate::stream::number;
use crate::tls::TlsError;
use crate::transport;

/// What a relay needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder; made if there is none.
    pub data: PathBuf,
    /// The UDP address to listen at.
    pub listen: SocketAddr,
    /// Host and port under which clients reach the relay, where that is not the address it listens at.
    pub public: Option<(String, u16)>,
    /// How much it takes on.
    pub limits: Limits,
}

impl Config {
    /// What can be found wrong without touching anything.
    pub fn check(&self) -> Result<(), BindError> {
        if let Some(name) = self.limits.unusable() {
            return Err(BindError::Limit(name));
        }
        let key_hash = rohrpost_wire::RelayKeyHash(rohrpost_wire::fixed::Fixed([0; 32]));
        // The port is chosen by the operating system where it is 0.
        let address = SocketAddr::new(self.listen.ip(), self.listen.port().max(1));
        public_url(self.public.clone(), address, key_hash).map(|_| ())
    }
}

/// A running relay. Dropping it aborts everything at once; [`Relay::shutdown`] tells the peers first.
#[derive(Debug)]
pub struct Relay {
    endpoint: Endpoint,
    tasks: JoinSet<()>,
    house: Arc<House>,
    address: SocketAddr,
    url: RelayAddress,
    // Dropped in this order: the thread's last transaction ends before the folder is given up.
    _spool: SpoolThread,
    _folder: Folder,
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something else listens at the address.
    #[error("address in use")]
    AddressInUse,
    /// The address cannot be listened at.
    #[error("address not usable")]
    Address(#[source] io::Error),
    /// A limit by which nothing would work.
    #[error("unusable limit {0}")]
    Limit(&'static str),
    /// The public host is not one that can stand in a URL.
    #[error("unusable public host")]
    PublicHost,
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The spool in it.
    #[error(transparent)]
    Spool(#[from] OpenError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How often, and how far apart, a folder or port that is in use is tried again: a relay that has just been stopped
/// needs a moment to let go of both.
const TRIES: u32 = 30;
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// How often the totals are told: enough to see a day's shape, too seldom to join two visits.
const TOTALS: Duration = Duration::from_hours(1);

/// How long a shutdown waits for peers to hear of it.
const FAREWELL: Duration = Duration::from_secs(3);

impl Relay {
    /// Starts a relay by the clocks of this machine.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        Self::bind_with_clock(config, Arc::new(system_clocks())).await
    }

    /// Starts a relay by other clocks.
    pub async fn bind_with_clock(config: Config, clock: Clock) -> Result<Self, BindError> {
        config.check()?;
        let Config { data, listen, public, limits } = config;
        let folder = retry(|| Folder::open(&data), |error| matches!(error, FolderError::InUse)).await?;
        let key = folder.key()?;
        let endpoint = retry(|| transport::endpoint(&key, &limits, listen), is_in_use).await?;
        let address = endpoint.local_addr().map_err(BindError::Address)?;
        let url = public_url(public, address, key.hash())?;
        if folder.keep_url(&url.to_string()).is_err() {
            // It is for `status` alone, and a full disk must not keep a relay from emptying its spool.
            tracing::warn!(folder = %data.display(), "url not written: status does not show it");
        }
        let (metrics, arrivals) = (Arc::new(Metrics::default()), Arc::new(Arrivals::default()));
        let (m, a) = (Arc::clone(&metrics), Arc::clone(&arrivals));
        let (spool, thread) = Spool::start(&folder.spool()?, &limits, Arc::clone(&clock), m, a)?;
        let house = Arc::new(House::new(spool, arrivals, metrics, limits, key.hash()));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(endpoint.clone(), Door::new(Arc::clone(&house), clock), Arc::clone(&house)));
        Ok(Self { endpoint, tasks, house, address, url, _spool: thread, _folder: folder })
    }

    /// The address it listens at.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// What clients are given.
    pub fn url(&self) -> RelayAddress {
        self.url.clone()
    }

    /// What it has counted so far.
    pub fn metrics(&self) -> &Metrics {
        &self.house.metrics
    }

    /// Comes back when the spool has failed: the relay answers nothing durable any more and should be ended.
    pub async fn failed(&self) -> Failure {
        self.house.spool.failed().await
    }

    /// Tells every peer, waits a moment for them to hear it, and stops.
    pub async fn shutdown(mut self) {
        self.dismiss();
        self.tasks.shutdown().await;
        // A peer that does not answer learns it by its own timeout.
        drop(timeout(FAREWELL, self.endpoint.wait_idle()).await);
        self.house.metrics.log();
    }

    /// Each connection is closed by itself first: closing the endpoint only sends word to its connections, and one whose
    /// last handle goes before the word arrives would end as if it had finished.
    fn dismiss(&self) {
        self.house.board.dismiss(ErrorCode::ShuttingDown);
        self.endpoint.close(number(ErrorCode::ShuttingDown), b"");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.dismiss();
        self.tasks.abort_all();
    }
}

async fn accept(endpoint: Endpoint, door: Door, house: Arc<House>) {
    let mut connections = JoinSet::new();
    let mut totals = interval(TOTALS);
    // The first tick comes at once.
    totals.tick().await;
    loop {
        tokio::select! {
            _ = totals.tick() => house.metrics.log(),
            incoming = endpoint.accept() => match incoming {
                None => return,
                Some(incoming) => {
                    if let Some(admitted) = door.admit(incoming) {
                        connections.spawn(serve(admitted, Arc::clone(&house)));
                    }
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(admitted: Admitted, house: Arc<House>) {
    let Some(connection) = admitted.finish().await else { return };
    match Session::open(&house, connection.clone()) {
        Some(session) => serve_streams(Arc::new(session)).await,
        None => connection.close(number(ErrorCode::Busy), b""),
    }
}

async fn serve_streams(session: Arc<Session>) {
    let idle = Duration::from_secs(session.house.limits.visit_idle_seconds);
    let mut streams = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = timeout(idle, session.line.connection.accept_bi()) => accepted,
            Some(_) = streams.join_next() => continue,
        };
        match accepted {
            Ok(Ok((send, recv))) => {
                let session = Arc::clone(&session);
                streams.spawn(async move { session.serve(send, recv).await });
            }
            Ok(Err(_)) => return,
            Err(_) if streams.is_empty() && session.inbox().is_none() => {
                session.line.connection.close(number(ErrorCode::TimedOut), b"");
                return;
            }
            Err(_) => {}
        }
    }
}

fn public_url(
    public: Option<(String, u16)>,
    address: SocketAddr,
    key_hash: rohrpost_wire::RelayKeyHash,
) -> Result<RelayAddress, BindError> {
    let (host, port) = public.unwrap_or_else(|| (reachable(address.ip()).to_string(), address.port()));
    // Port 0 stands for the one the operating system chose.
    let port = if port == 0 { address.port() } else { port };
    let url = RelayAddress { host, port, key_hash };
    if url.is_well_formed() { Ok(url) } else { Err(BindError::PublicHost) }
}

/// An address that stands for all of this machine's reaches it from this machine alone.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) | IpAddr::V6(_) => ip,
    }
}

fn is_in_use(error: &BindError) -> bool {
    matches!(error, BindError::AddressInUse)
}

async fn retry<T, E>(mut attempt: impl FnMut() -> Result<T, E>, again: impl Fn(&E) -> bool) -> Result<T, E> {
    for _ in 1..TRIES {
        match attempt() {
            Err(error) if again(&error) => sleep(TRY_AGAIN).await,
            done => return done,
        }
    }
    attempt()
}

#[expect(clippy::disallowed_methods, reason = "the driver's clock on the wall; everything inside is handed the time")]
pub(crate) fn system_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_secs()))
}

#[expect(clippy::disallowed_methods, reason = "the driver's other clock, that of what only counts")]
fn system_clocks() -> impl Fn() -> Reading {
    let start = std::time::Instant::now();
    move || Reading { wall: system_time(), running: start.elapsed() }
}
