//! A line to the relay that can be cut and heals: datagrams pass, or are gone.
//!
//! Both ends notice of a cut what they would notice of a pulled plug: nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rohrpost_wire::RelayAddress;
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, JoinSet};

/// A line; it is gone with this value.
#[derive(Debug)]
pub struct Line {
    end: RelayAddress,
    cut: Arc<Cut>,
    task: AbortHandle,
}

/// Whether a line is cut, and what that took.
#[derive(Debug, Default)]
struct Cut {
    is_there: AtomicBool,
    lost: AtomicU64,
}

impl Line {
    /// Lays a line to this relay on loopback.
    pub async fn to(relay: &RelayAddress) -> Self {
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, far) = (near.local_addr().unwrap().port(), (Ipv4Addr::LOCALHOST, relay.port).into());
        let cut = Arc::<Cut>::default();
        let task = tokio::spawn(pass(Arc::new(near), far, Arc::clone(&cut))).abort_handle();
        Self { end: RelayAddress { port, ..relay.clone() }, cut, task }
    }

    /// Where the relay is found through it.
    pub fn end(&self) -> &RelayAddress {
        &self.end
    }

    /// From now on nothing passes.
    pub fn cut(&self) {
        self.cut.lost.store(0, Ordering::SeqCst);
        self.cut.is_there.store(true, Ordering::SeqCst);
    }

    /// Datagrams that the last cut has taken.
    pub fn lost(&self) -> u64 {
        self.cut.lost.load(Ordering::SeqCst)
    }

    /// From now on everything passes.
    pub fn heal(&self) {
        self.cut.is_there.store(false, Ordering::SeqCst);
    }
}

impl Cut {
    /// Whether a datagram passes.
    fn lets_pass(&self) -> bool {
        let is_cut = self.is_there.load(Ordering::SeqCst);
        self.lost.fetch_add(u64::from(is_cut), Ordering::SeqCst);
        !is_cut
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Every sender on the near side gets a socket of its own on the far side, by which the relay tells them apart.
async fn pass(near: Arc<UdpSocket>, relay: SocketAddr, cut: Arc<Cut>) {
    let (mut senders, mut backs) = (HashMap::<SocketAddr, Arc<UdpSocket>>::new(), JoinSet::new());
    let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
    loop {
        datagram.clear();
        let Ok((_, sender)) = near.recv_buf_from(&mut datagram).await else { continue };
        if let Entry::Vacant(place) = senders.entry(sender) {
            let Ok(far) = dial(relay).await.map(Arc::new) else { continue };
            backs.spawn(pass_back(Arc::clone(&far), Arc::clone(&near), sender, Arc::clone(&cut)));
            place.insert(far);
        }
        if let Some(far) = senders.get(&sender).filter(|_| cut.lets_pass()) {
            // A datagram that cannot be sent is a datagram that was lost.
            drop(far.send(&datagram).await);
        }
    }
}

async fn dial(relay: SocketAddr) -> io::Result<UdpSocket> {
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    far.connect(relay).await?;
    Ok(far)
}

async fn pass_back(far: Arc<UdpSocket>, near: Arc<UdpSocket>, sender: SocketAddr, cut: Arc<Cut>) {
    let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
    loop {
        datagram.clear();
        // A relay that is down is told as an error of the socket; it may come back.
        let Ok(_) = far.recv_buf(&mut datagram).await else { continue };
        if cut.lets_pass() {
            drop(near.send_to(&datagram, sender).await);
        }
    }
}

/// The longest datagram there is.
const DATAGRAM_BYTES: usize = 65_535;
