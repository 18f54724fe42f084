//! How much a connection may have in flight, each way.
//!
//! A plain value. Invariant: what streams that stall may leave unread is always granted on top of a share for all the
//! others, so that no stream can hold up another: [`STREAM_WINDOW`] times the streams that may stall, and the share, fit
//! into what the peer may send. Room to receive is never taken back: a window that shrinks takes nothing from the peer
//! (RFC 9000 §4.1), so one that shrank and grew with every call would in the end let in any amount.

/// What one stream may have in flight: 70 Mbit/s over 30 ms, and few enough bytes to be held for every call.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;
/// The share of all streams together on a connection that has shown nothing yet: thousands of strangers must not be able
/// to fill the memory.
pub(crate) const SMALL_WINDOW: u32 = 128 * 1024;
/// What a safe's connection, or one that is sent bulk, may have in flight: the bandwidth-delay product of 100 Mbit/s at
/// 160 ms. It is also the most a stranger's ever grows to, so that one holds up at worst its own streams.
pub(crate) const LARGE_WINDOW: u32 = 2 * 1024 * 1024;

/// The windows of one connection.
#[derive(Debug)]
pub(crate) struct Windows {
    calls_per_safe: u32,
    safe: bool,
    sending: usize,
    unread: u32,
    receive: u32,
}

impl Windows {
    /// Those of a stranger.
    pub(crate) fn new(calls_per_safe: usize) -> Self {
        let calls_per_safe = u32::try_from(calls_per_safe).unwrap_or(u32::MAX);
        Self { calls_per_safe, safe: false, sending: 0, unread: 0, receive: SMALL_WINDOW }
    }

    /// What the peer may have on its way to us.
    pub(crate) fn receive(&self) -> u32 {
        self.receive
    }

    /// What we may have on its way to the peer.
    pub(crate) fn send(&self) -> u32 {
        if self.safe || self.sending > 0 { LARGE_WINDOW } else { SMALL_WINDOW }
    }

    /// The connection has become a safe's, and stays one.
    pub(crate) fn handle_login(&mut self) {
        self.safe = true;
        self.grant();
    }

    /// The peer is sent bulk on one more stream.
    pub(crate) fn handle_sending(&mut self) {
        self.sending = self.sending.saturating_add(1);
    }

    /// One stream with bulk for the peer has ended.
    pub(crate) fn handle_sent(&mut self) {
        self.sending = self.sending.saturating_sub(1);
    }

    /// A stream may leave so many bytes unread from now on; false, and nothing granted, if the connection has all the
    /// room it may have.
    pub(crate) fn handle_unread(&mut self, bytes: u32) -> bool {
        let unread = self.unread.saturating_add(bytes);
        let fits = self.share().saturating_add(unread) <= self.most();
        if fits {
            self.unread = unread;
            self.grant();
        }
        fits
    }

    /// A stream that might have left so many bytes unread has been read.
    pub(crate) fn handle_read(&mut self, bytes: u32) {
        self.unread = self.unread.saturating_sub(bytes);
    }

    fn grant(&mut self) {
        self.receive = self.receive.max(self.share().saturating_add(self.unread));
    }

    fn share(&self) -> u32 {
        if self.safe { LARGE_WINDOW } else { SMALL_WINDOW }
    }

    fn most(&self) -> u32 {
        let calls = if self.safe { self.calls_per_safe.saturating_mul(STREAM_WINDOW) } else { 0 };
        // For a safe: all its calls, and beside them as many blobs that wait for their turn as a stranger may have.
        self.share().saturating_add(calls).saturating_add(LARGE_WINDOW - SMALL_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_calls_of_a_safe_may_stall_and_leave_its_share_to_the_others() {
        let mut windows = Windows::new(64);
        windows.handle_login();
        for stalled in 1..=64 {
            assert!(windows.handle_unread(STREAM_WINDOW));
            assert!(windows.receive() >= stalled * STREAM_WINDOW + LARGE_WINDOW);
        }
        // As many blobs as a stranger may let wait.
        assert!((0..7).all(|_| windows.handle_unread(STREAM_WINDOW)));
        assert!(!windows.handle_unread(STREAM_WINDOW));
    }

    #[test]
    fn a_stranger_never_gets_more_than_the_large_window() {
        let mut windows = Windows::new(64);
        assert_eq!((windows.receive(), windows.send()), (SMALL_WINDOW, SMALL_WINDOW));
        while windows.handle_unread(STREAM_WINDOW) {}
        assert!(windows.receive() <= LARGE_WINDOW && windows.receive() > LARGE_WINDOW - STREAM_WINDOW);
    }

    #[test]
    fn room_that_is_granted_is_used_again_instead_of_granted_again() {
        let mut windows = Windows::new(64);
        assert!(windows.handle_unread(STREAM_WINDOW));
        let once = windows.receive();
        for _ in 0..1000 {
            windows.handle_read(STREAM_WINDOW);
            assert_eq!(windows.receive(), once);
            assert!(windows.handle_unread(STREAM_WINDOW));
        }
        assert_eq!(windows.receive(), once);
    }

    #[test]
    fn bulk_that_ends_does_not_narrow_the_connection_of_a_safe() {
        let mut windows = Windows::new(64);
        windows.handle_sending();
        windows.handle_login();
        windows.handle_sent();
        assert_eq!(windows.send(), LARGE_WINDOW);
        let mut stranger = Windows::new(64);
        stranger.handle_sending();
        assert_eq!(stranger.send(), LARGE_WINDOW);
        stranger.handle_sent();
        assert_eq!(stranger.send(), SMALL_WINDOW);
    }
}
