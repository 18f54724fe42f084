//! Nothing is sealed twice under the same key and nonce, and nothing in another version or suite than both ends have.
//!
//! A key of HPKE comes from its encapsulation and is used once; an object's comes from its salt. So no two sealed things
//! of a whole run may begin alike.

use std::collections::BTreeSet;

use rohrpost_e2ee::exchange::ENCAPSULATED_BYTES;
use rohrpost_e2ee::object::HEADER_BYTES;
use rohrpost_wire::{SUITE, VERSION};

/// What stands before the encapsulated key of a request: version, suite, kind, prekey id.
const REQUEST_HEADER: usize = 11;
/// And of a reply: version, suite, kind.
const REPLY_HEADER: usize = 3;

/// The beginnings of everything that was sealed.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    seen: BTreeSet<Vec<u8>>,
    /// How many there are.
    pub(super) sealed: u64,
}

impl Freshness {
    /// What is wrong with a request as its author sends it.
    pub(super) fn request(&mut self, envelope: &[u8]) -> Option<&'static str> {
        self.encapsulated(envelope, REQUEST_HEADER)
    }

    /// What is wrong with a reply as its safe sends it.
    pub(super) fn reply(&mut self, envelope: &[u8]) -> Option<&'static str> {
        self.encapsulated(envelope, REPLY_HEADER)
    }

    /// What is wrong with an object as its safe sends it; there may be none.
    pub(super) fn object(&mut self, object: &[u8]) -> Option<&'static str> {
        object.get(..HEADER_BYTES).and_then(|header| self.once(header))
    }

    fn encapsulated(&mut self, envelope: &[u8], header: usize) -> Option<&'static str> {
        let [VERSION, SUITE, ..] = envelope else {
            return Some("sealed in another version or suite than both ends have");
        };
        let Some(encapsulated) = envelope.get(header..header + ENCAPSULATED_BYTES) else {
            return Some("sealed without a key");
        };
        self.once(encapsulated)
    }

    fn once(&mut self, beginning: &[u8]) -> Option<&'static str> {
        self.sealed += 1;
        let short = beginning.get(..32).unwrap_or(beginning);
        (!self.seen.insert(short.to_vec())).then_some("sealed twice to the same effect")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(byte: u8) -> Vec<u8> {
        [vec![VERSION, SUITE, 3], vec![byte; ENCAPSULATED_BYTES]].concat()
    }

    #[test]
    fn a_beginning_that_comes_again_is_found() {
        let mut freshness = Freshness::default();
        assert_eq!(freshness.reply(&envelope(1)), None);
        assert_eq!(freshness.reply(&envelope(2)), None);
        assert!(freshness.reply(&envelope(1)).is_some());
    }

    #[test]
    fn another_version_is_found() {
        let mut other = envelope(1);
        other[0] = VERSION - 1;
        assert!(Freshness::default().reply(&other).is_some());
    }
}
