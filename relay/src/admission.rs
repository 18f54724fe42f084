//! The relay's door: which handshakes begin, which are asked for a proof of address first, and which are refused.
//!
//! What gives way to whom is decided in [`Handshakes`], [`Memory`] and [`crate::sources`]; here is what holds their turns.
//! Invariant: whatever becomes of a handshake, what QUIC keeps of it is counted, against whoever began it, until QUIC has
//! forgotten it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, Incoming};
use rohrpost_wire::limits;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::connection::House;
use crate::handshakes::{HandshakeId, Handshakes};
use crate::memory::{Memory, Owner, owner};
use crate::sources::{Kind, Source};
use crate::spool::Clock;
use crate::turns::Turn;

/// QUIC remembers a connection that has failed for three probe timeouts, each a second where no round trip was measured
/// (RFC 9000 §10.2, RFC 9002 §6.2.2).
const REMEMBERED: Duration = Duration::from_secs(3);
/// So many times what may be under way may be remembered: 80 MiB by default, at 40 KiB each. It lets a flood give way to
/// 500 newcomers a second.
const REMEMBERED_PER_HANDSHAKE: usize = 8;

/// The door of one relay.
pub(crate) struct Door {
    house: Arc<House>,
    clock: Clock,
    places: Arc<Mutex<Places>>,
    memory: Arc<Mutex<Memory>>,
}

/// Each handshake listens whether it has to give way.
type Places = Handshakes<oneshot::Sender<()>>;

/// A handshake that may begin.
#[derive(Debug)]
pub(crate) struct Admitted {
    incoming: Incoming,
    place: Place,
    kept: Kept,
}

/// What a handshake holds until QUIC has forgotten it.
#[derive(Debug)]
struct Kept {
    memory: Arc<Mutex<Memory>>,
    owner: Owner,
    _turn: Turn,
}

/// What a handshake holds while it is under way.
#[derive(Debug)]
struct Place {
    places: Arc<Mutex<Places>>,
    id: HandshakeId,
    notice: oneshot::Receiver<()>,
}

impl Door {
    /// Nobody has come yet.
    pub(crate) fn new(house: Arc<House>, clock: Clock) -> Self {
        let handshakes = house.limits.handshakes;
        // As many again may be under way with a proven address.
        let places = Handshakes::new(handshakes.saturating_mul(2));
        let memory = Memory::new(handshakes.saturating_mul(REMEMBERED_PER_HANDSHAKE));
        Self { house, clock, places: Arc::new(Mutex::new(places)), memory: Arc::new(Mutex::new(memory)) }
    }

    /// Lets a handshake begin, asks for a proof of address first, or refuses.
    pub(crate) fn admit(&self, incoming: Incoming) -> Option<Admitted> {
        let (house, source) = (&self.house, Source::of(incoming.remote_address().ip()));
        if house.board.connections() >= house.limits.connections || house.turns.are_used_up(source, Kind::Connection) {
            incoming.refuse();
            return None;
        }
        let kind = if incoming.remote_address_validated() { Kind::Handshake } else { Kind::Unproven };
        let crowded = self.is_crowded() || house.turns.are_used_up(source, kind);
        if crowded && incoming.may_retry() {
            // It fails only for a peer that was asked before, and such a peer is not asked.
            drop(incoming.retry());
            house.metrics.retried.add();
            return None;
        }
        if let Some(kept) = self.keep(source, kind)
            && let Some(place) = self.take_place(kept.owner)
        {
            return Some(Admitted { incoming, place, kept });
        }
        incoming.refuse();
        None
    }

    /// Half of everything is for those who have proven their address.
    fn is_crowded(&self) -> bool {
        let most = self.house.limits.handshakes;
        lock(&self.places).count() >= most || lock(&self.memory).is_half_taken()
    }

    fn keep(&self, source: Source, kind: Kind) -> Option<Kept> {
        let (turn, owner) = (self.house.turns.take(source, kind)?, owner(source, kind));
        let fits = lock(&self.memory).handle_begun(owner);
        fits.then(|| Kept { memory: Arc::clone(&self.memory), owner, _turn: turn })
    }

    fn take_place(&self, owner: Owner) -> Option<Place> {
        let (sender, notice) = oneshot::channel();
        let (id, gives_way) = lock(&self.places).handle_begun(owner, (self.clock)().running, sender)?;
        // Whoever holds the other end of this hears that it is gone.
        drop(gives_way);
        Some(Place { places: Arc::clone(&self.places), id, notice })
    }
}

impl Admitted {
    /// Carries the handshake out, unless it fails, takes too long, or has to give way.
    pub(crate) async fn finish(self) -> Option<Connection> {
        let Self { incoming, mut place, kept } = self;
        // What fails at once is not remembered.
        let connecting = incoming.accept().ok()?;
        let finished = tokio::select! {
            finished = timeout(Duration::from_secs(limits::FRAME_SECONDS), connecting) => finished.ok(),
            _ = &mut place.notice => None,
        };
        drop(place);
        if let Some(Ok(connection)) = finished {
            return Some(connection);
        }
        sleep(REMEMBERED).await;
        drop(kept);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places).handle_ended(self.id);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        lock(&self.memory).handle_forgotten(self.owner);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
