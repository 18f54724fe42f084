//! What a relay shows in the TLS handshake: its own long-lived key, as a raw public key (RFC 7250).
//!
//! No certificate and no authority: who has the relay's URL has the hash of the key. TLS 1.3 alone, no session tickets,
//! no resumption, no early data: each would let a relay join two visits of one client.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use quinn::crypto::rustls::QuicServerConfig;
use ring::hmac;
use rohrpost_wire::RelayKeyHash;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

/// The relay's key: Ed25519. Cannot be printed or copied.
pub(crate) struct RelayKey(SigningKey);

/// An Ed25519 private key of 32 bytes follows (RFC 8410 §7, PKCS#8 version 1).
const PKCS8_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

impl RelayKey {
    /// The key with this seed (RFC 8032 §5.1.5).
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What clients pin.
    pub(crate) fn hash(&self) -> RelayKeyHash {
        RelayKeyHash::of_key(&self.0.verifying_key().to_bytes())
    }

    /// The key of stateless resets (RFC 9000 §10.3). Made from the relay's own, so that a relay that was killed and
    /// started again can tell the clients it has forgotten, and they need not wait for their idle timeout.
    pub(crate) fn reset_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.derive(b"rohrpost/1 stateless-reset").as_ref())
    }

    /// The key by which a relay recognises its own connection ids after a restart. No secret: it may be worked out
    /// from the ids, and leads nowhere.
    pub(crate) fn connection_id_key(&self) -> u64 {
        let tag = self.derive(b"rohrpost/1 connection-ids");
        tag.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    fn derive(&self, label: &[u8]) -> hmac::Tag {
        let seed = Zeroizing::new(self.0.to_bytes());
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, seed.as_ref()), label)
    }

    /// The TLS side of the relay's endpoint.
    pub(crate) fn server_crypto(&self) -> Result<QuicServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let seed = Zeroizing::new(self.0.to_bytes());
        let private = Zeroizing::new([&PKCS8_PREFIX[..], seed.as_slice()].concat());
        let key = rustls::crypto::ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private.as_slice()))?;
        let public = key.public_key().ok_or(TlsError::Unsupported)?;
        let raw = CertifiedKey::new(vec![CertificateDer::from(public.to_vec())], key);
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(raw))));
        config.alpn_protocols = vec![rohrpost_wire::ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        QuicServerConfig::try_from(config).map_err(|_| TlsError::Unsupported)
    }
}

impl std::fmt::Debug for RelayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayKey")
    }
}

/// TLS could not be set up: a fault of the build, not of the operator.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The TLS library refused the key or the versions.
    #[error("tls refused its configuration")]
    Refused(#[from] rustls::Error),
    /// The cryptography of this build lacks what QUIC needs.
    #[error("tls lacks a cipher or a signature this protocol needs")]
    Unsupported,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", RelayKey::from_seed(&[7; 32])), "RelayKey");
    }

    #[test]
    fn the_key_in_the_handshake_is_the_one_whose_hash_is_in_the_url() {
        let key = RelayKey::from_seed(&[7; 32]);
        let private = [&PKCS8_PREFIX[..], &[7; 32]].concat();
        let signer = rustls::crypto::ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private)).unwrap();
        let spki = signer.public_key().unwrap();
        assert_eq!(spki[spki.len() - 32..], key.0.verifying_key().to_bytes());
        assert!(key.server_crypto().is_ok());
    }
}
