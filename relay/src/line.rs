//! A connection together with its windows.
//!
//! Invariant: what the windows say and what QUIC has been told changes under one lock, so that two streams that begin
//! and end at once leave neither of them behind.

use std::sync::{Arc, Mutex, PoisonError};

use quinn::{Connection, VarInt};

use crate::windows::Windows;

/// The one way to a peer.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) connection: Connection,
    windows: Mutex<Windows>,
}

/// Keeps room for what a stream may leave unread.
#[derive(Debug)]
pub(crate) struct Unread(Arc<Line>, u32);

/// Keeps what may be on its way to a peer large.
#[derive(Debug)]
pub(crate) struct Sending(Arc<Line>);

impl Line {
    /// A stranger's.
    pub(crate) fn new(connection: Connection, calls_per_safe: usize) -> Self {
        Self { connection, windows: Mutex::new(Windows::new(calls_per_safe)) }
    }

    /// The peer is a safe from now on.
    pub(crate) fn become_safe(&self) {
        self.change(Windows::handle_login);
    }

    /// Makes room for what a stream may leave unread, if there is any to be had.
    pub(crate) fn leave_unread(self: &Arc<Self>, bytes: u32) -> Option<Unread> {
        self.change(|windows| windows.handle_unread(bytes)).then(|| Unread(Arc::clone(self), bytes))
    }

    /// Makes room for bulk towards the peer.
    pub(crate) fn send_bulk(self: &Arc<Self>) -> Sending {
        self.change(Windows::handle_sending);
        Sending(Arc::clone(self))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Windows) -> T) -> T {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let before = (windows.receive(), windows.send());
        let result = change(&mut windows);
        // Telling QUIC costs a packet.
        if windows.receive() != before.0 {
            self.connection.set_receive_window(VarInt::from(windows.receive()));
        }
        if windows.send() != before.1 {
            self.connection.set_send_window(u64::from(windows.send()));
        }
        result
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.0.change(|windows| windows.handle_read(self.1));
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.change(Windows::handle_sent);
    }
}
