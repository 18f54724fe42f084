//! TLS that believes one key: the relay shows a raw Ed25519 public key (RFC 7250) whose hash is pinned.
//!
//! No certificate, no authority, no name is looked at. Nothing that would link two visits is sent or kept: no client
//! certificate, no resumption, no early data, one server name for all relays.

use std::sync::Arc;

use rohrpost_wire::{ALPN, RelayKeyHash};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, PeerMisbehaved, SignatureScheme};

/// The server name every client sends: it says which product this is, and nothing else.
pub const SERVER_NAME: &str = "rohrpost.invalid";

/// What stands before an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The TLS configuration of a client of the relay with this key.
pub(crate) fn client_config(relay: RelayKeyHash) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pinned { relay, provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

#[derive(Debug)]
struct Pinned {
    relay: RelayKeyHash,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = end_entity.strip_prefix(&SPKI_PREFIX).and_then(|key| key.try_into().ok());
        if key.map(RelayKeyHash::of_key) == Some(self.relay) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerMisbehaved::SelectedUnofferedCipherSuite.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn believes(pinned: &Pinned, shown: &[u8]) -> bool {
        let (shown, name) = (CertificateDer::from(shown), ServerName::try_from(SERVER_NAME).unwrap());
        pinned.verify_server_cert(&shown, &[], &name, &[], UnixTime::since_unix_epoch(Duration::ZERO)).is_ok()
    }

    #[test]
    fn the_pinned_key_is_believed_in_its_one_form_and_with_no_bit_changed() {
        let key = [7; 32];
        let shown = [&SPKI_PREFIX[..], &key].concat();
        let pinned = Pinned { relay: RelayKeyHash::of_key(&key), provider: Arc::new(ring::default_provider()) };
        assert!(believes(&pinned, &shown));
        for at in 0..shown.len() {
            for bit in 0..8 {
                let mut changed = shown.clone();
                changed[at] ^= 1 << bit;
                assert!(!believes(&pinned, &changed), "byte {at}, bit {bit}");
            }
            assert!(!believes(&pinned, &shown[..at]), "cut at {at}");
        }
        // A key alone, behind something else, in front of something else, and twice.
        for odd in [&key[..], &[&[0], &shown[..]].concat(), &[&shown[..], &[0]].concat(), &shown.repeat(2), &[]] {
            assert!(!believes(&pinned, odd));
        }
    }

    #[test]
    fn nothing_is_offered_by_which_two_visits_could_be_linked_or_a_weaker_key_taken() {
        let config = client_config(RelayKeyHash::of_key(&[7; 32])).unwrap();
        assert!(!config.enable_early_data && config.alpn_protocols == [ALPN]);
        assert!(!config.client_auth_cert_resolver.has_certs());
        let pinned = Pinned { relay: RelayKeyHash::of_key(&[7; 32]), provider: Arc::new(ring::default_provider()) };
        assert_eq!(pinned.supported_verify_schemes(), [SignatureScheme::ED25519]);
        assert!(pinned.requires_raw_public_keys());
    }
}
