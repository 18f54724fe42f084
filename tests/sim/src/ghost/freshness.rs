//! Nothing is sealed twice under the same key and nonce, and nothing in another version or suite than both ends have.
//!
//! A key of HPKE comes from its encapsulation and is used once; an object's comes from its salt. So no two sealed things
//! of a whole run may begin alike.

use std::collections::BTreeSet;

use rohrpost_e2ee::exchange::ENCAPSULATED_BYTES;
use rohrpost_e2ee::object::HEADER_BYTES;
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{SUITE, VERSION};

/// What stands before the encapsulated key of a reply: version, suite, kind.
const REPLY_HEADER: usize = 3;
/// And of a request: the same, and the prekey's id.
const REQUEST_HEADER: usize = REPLY_HEADER + size_of::<PrekeyId>();

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
    use rohrpost_e2ee::RequestId;
    use rohrpost_e2ee::body::Operation;
    use rohrpost_e2ee::exchange::{Author, Lane, RequestDraft, decoy_reply, seal_unchecked_for_tests};
    use rohrpost_e2ee::keys::SealingSecret;
    use rohrpost_e2ee::trust::TrustedSafe;
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::records::PrekeyRecord;
    use rohrpost_wire::{InboxId, SafePin};

    use super::*;
    use crate::random::{self, Rng};
    use crate::time::START;

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

    /// A request that is always the same but for what its seal draws.
    fn request(prekey: &PrekeyRecord, rng: &mut Rng) -> Vec<u8> {
        let safe = TrustedSafe::unverified_for_tests(InboxId(Fixed([1; 16])), prekey);
        let id = RequestId(Fixed([2; 16]));
        let draft = RequestDraft { id, created: START, expires: START, operation: Operation::Status };
        seal_unchecked_for_tests(&safe, Lane::Live, &draft, &Author::Nobody, rng).unwrap().0
    }

    fn alike(one: &[u8], other: &[u8]) -> usize {
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    }

    #[test]
    fn what_is_sealed_twice_alike_differs_from_its_key_on() {
        let rng = &mut random::stream(1, 0);
        let key = SealingSecret::generate(rng).public();
        let prekey = PrekeyRecord {
            version: VERSION,
            suite: SUITE,
            safe_pin: SafePin(Fixed([4; 32])),
            epoch: 1,
            id: PrekeyId(Fixed([3; 8])),
            key,
            pipe_key_hash: None,
            not_before: START,
            not_after: START,
        };
        assert_eq!(alike(&request(&prekey, rng), &request(&prekey, rng)), REQUEST_HEADER);
        assert_eq!(alike(&decoy_reply(rng).unwrap(), &decoy_reply(rng).unwrap()), REPLY_HEADER);
    }
}
