//! Proofs of owning an address: what a safe signs at login and a mailbox owner signs at fetch and ack.
//!
//! Every transcript names the relay's key and something only this connection has (the TLS exporter, or a challenge the
//! relay drew for it), so a proof is worthless on any other connection and at any other relay.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::SUITE;
use crate::address::{EnvelopeId, MailboxId, RelayKeyHash};
use crate::fixed::Fixed;
use crate::frame::{Login, MailboxProof};

/// Random bytes a relay draws for one connection; good for one proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge(pub Fixed<32>);

/// Keying material of the TLS connection (RFC 8446 §7.5), the same at both of its ends and nowhere else.
#[derive(Clone, Copy)]
pub struct Exporter(pub [u8; 32]);

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exporter")
    }
}

/// What a mailbox owner asks for with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MailboxVerb {
    /// Deliver what waits.
    Fetch = 6,
    /// Erase what was named.
    Ack = 7,
}

/// A signature that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("proof does not hold")]
pub struct ProofError;

/// The bytes under a login: label, suite (1), relay key hash (32), TLS exporter (32), route key (32), counter (8, big-endian).
pub fn login_transcript(relay: &RelayKeyHash, exporter: &Exporter, route_key: &[u8; 32], counter: u64) -> Vec<u8> {
    let counter = counter.to_be_bytes();
    let parts: [&[u8]; 6] = [b"rohrpost/1 login\0", &[SUITE], &relay.0.0, &exporter.0, route_key, &counter];
    parts.concat()
}

/// The bytes under a mailbox proof: label, suite (1), relay key hash (32), verb (1), mailbox id (16), challenge (32), labelled
/// hash of the acknowledged ids (32; for a fetch, of none).
pub fn mailbox_transcript(
    relay: &RelayKeyHash,
    verb: MailboxVerb,
    mailbox: &MailboxId,
    challenge: &Challenge,
    ids: &[EnvelopeId],
) -> Vec<u8> {
    let ids: Vec<&[u8]> = ids.iter().map(|id| id.0.as_ref()).collect();
    let hash = crate::address::hash(b"rohrpost/1 acked", &ids);
    let parts: [&[u8]; 7] =
        [b"rohrpost/1 mailbox-proof\0", &[SUITE], &relay.0.0, &[verb as u8], &mailbox.0.0, &challenge.0.0, &hash];
    parts.concat()
}

/// Signs a login for one connection.
pub fn sign_login(route: &SigningKey, relay: &RelayKeyHash, exporter: &Exporter, counter: u64) -> Login {
    let route_key = route.verifying_key().to_bytes();
    let transcript = login_transcript(relay, exporter, &route_key, counter);
    let signature = route.sign(&transcript).to_bytes();
    Login { route_key: Fixed(route_key), counter, signature: Fixed(signature) }
}

/// Checks a login against the connection it arrived on.
pub fn verify_login(login: &Login, relay: &RelayKeyHash, exporter: &Exporter) -> Result<(), ProofError> {
    let transcript = login_transcript(relay, exporter, &login.route_key.0, login.counter);
    verify(&login.route_key, &transcript, &login.signature)
}

/// Signs a fetch or ack of a reply mailbox.
pub fn sign_mailbox(
    key: &SigningKey,
    relay: &RelayKeyHash,
    verb: MailboxVerb,
    challenge: &Challenge,
    ids: &[EnvelopeId],
) -> MailboxProof {
    let mailbox_key = key.verifying_key().to_bytes();
    let transcript = mailbox_transcript(relay, verb, &MailboxId::of_key(&mailbox_key), challenge, ids);
    MailboxProof { mailbox_key: Fixed(mailbox_key), signature: Fixed(key.sign(&transcript).to_bytes()) }
}

/// Checks a fetch or ack against the challenge that was drawn for its connection.
pub fn verify_mailbox(
    proof: &MailboxProof,
    relay: &RelayKeyHash,
    verb: MailboxVerb,
    challenge: &Challenge,
    ids: &[EnvelopeId],
) -> Result<MailboxId, ProofError> {
    let mailbox = MailboxId::of_key(&proof.mailbox_key.0);
    let transcript = mailbox_transcript(relay, verb, &mailbox, challenge, ids);
    verify(&proof.mailbox_key, &transcript, &proof.signature)?;
    Ok(mailbox)
}

/// An Ed25519 key as this protocol takes it: a point of the curve, not of small order, in its one encoding. RFC 8032
/// §5.1.3 refuses other encodings; the library reads them and would let one key go by two names.
pub fn verifying_key(bytes: &Fixed<32>) -> Result<VerifyingKey, ProofError> {
    let key = VerifyingKey::from_bytes(&bytes.0).map_err(|_| ProofError)?;
    let canonical = key.to_edwards().compress().to_bytes() == bytes.0;
    if canonical && !key.is_weak() { Ok(key) } else { Err(ProofError) }
}

/// Strict Ed25519 verification: small-order keys and non-canonical encodings are refused (RFC 8032 §5.1.7 and
/// Chalkias et al., *Taming the many `EdDSAs`*, 2020).
pub fn verify(key: &Fixed<32>, message: &[u8], signature: &Fixed<64>) -> Result<(), ProofError> {
    verifying_key(key)?.verify_strict(message, &Signature::from_bytes(&signature.0)).map_err(|_| ProofError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(byte: u8) -> RelayKeyHash {
        RelayKeyHash(Fixed([byte; 32]))
    }

    #[test]
    fn a_login_holds_only_at_its_relay_and_on_its_connection() {
        let route = SigningKey::from_bytes(&[1; 32]);
        let login = sign_login(&route, &relay(1), &Exporter([2; 32]), 7);
        assert_eq!(verify_login(&login, &relay(1), &Exporter([2; 32])), Ok(()));
        assert_eq!(verify_login(&login, &relay(2), &Exporter([2; 32])), Err(ProofError));
        assert_eq!(verify_login(&login, &relay(1), &Exporter([3; 32])), Err(ProofError));
        let counted = Login { counter: 8, ..login };
        assert_eq!(verify_login(&counted, &relay(1), &Exporter([2; 32])), Err(ProofError));
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes();
        let stolen = Login { route_key: Fixed(other), ..login };
        assert_eq!(verify_login(&stolen, &relay(1), &Exporter([2; 32])), Err(ProofError));
    }

    #[test]
    fn a_mailbox_proof_holds_only_for_its_verb_challenge_and_ids() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let ids = [EnvelopeId(Fixed([5; 32]))];
        let challenge = Challenge(Fixed([3; 32]));
        let proof = sign_mailbox(&key, &relay(1), MailboxVerb::Ack, &challenge, &ids);
        let check = |relay, verb, challenge: &Challenge, ids: &[EnvelopeId]| {
            verify_mailbox(&proof, &relay, verb, challenge, ids)
        };
        let mailbox = MailboxId::of_key(&key.verifying_key().to_bytes());
        assert_eq!(check(relay(1), MailboxVerb::Ack, &challenge, &ids), Ok(mailbox));
        assert_eq!(check(relay(2), MailboxVerb::Ack, &challenge, &ids), Err(ProofError));
        assert_eq!(check(relay(1), MailboxVerb::Fetch, &challenge, &ids), Err(ProofError));
        assert_eq!(check(relay(1), MailboxVerb::Ack, &Challenge(Fixed([4; 32])), &ids), Err(ProofError));
        assert_eq!(check(relay(1), MailboxVerb::Ack, &challenge, &[]), Err(ProofError));
    }

    #[test]
    fn a_key_has_one_encoding() {
        // y and y + p, of which p = 2^255 - 19 leaves 19 below 2^255; only some are on the curve.
        let mut on_the_curve = 0;
        for y in 0..19u8 {
            let (mut low, mut high) = ([0; 32], [0xff; 32]);
            low[0] = y;
            (high[0], high[31]) = (0xed + y, 0x7f);
            assert_eq!(verifying_key(&Fixed(high)).err(), Some(ProofError), "{y}");
            on_the_curve += usize::from(y > 1 && verifying_key(&Fixed(low)).is_ok());
            // The library alone takes what this function refuses.
            assert_eq!(VerifyingKey::from_bytes(&high).is_ok(), VerifyingKey::from_bytes(&low).is_ok());
        }
        assert!(on_the_curve > 3, "{on_the_curve}");
    }

    #[test]
    fn a_small_order_key_proves_nothing() {
        // The identity point: under lax verification a zero signature would hold for every message.
        let mut key = [0; 32];
        key[0] = 1;
        assert_eq!(verify(&Fixed(key), b"anything", &Fixed([0; 64])), Err(ProofError));
    }
}
