//! The least client that can speak to a relay, written from the protocol and not from the client library.

use std::net::SocketAddr;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ApplicationClose, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{self, Ack, Call, Delivery, Deposit, Destination, Fetch, TtlClass};
use rohrpost_wire::proof::{self, Challenge, Exporter, MailboxVerb};
use rohrpost_wire::{
    ALPN, EXPORTER_LABEL, EnvelopeId, ErrorCode, Frame, InboxId, MailboxId, RelayAddress, RelayKeyHash,
};
use rustls::DigitallySignedStruct;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};

/// One connection to a relay.
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    key_hash: RelayKeyHash,
    endpoint: Endpoint,
}

/// One stream.
pub(crate) struct Stream {
    pub(crate) send: SendStream,
    pub(crate) recv: RecvStream,
}

/// What was delivered.
pub(crate) type Delivered = (Delivery, Vec<u8>);

impl Peer {
    pub(crate) async fn connect(url: &RelayAddress) -> Self {
        Self::try_connect(url, ALPN).await.unwrap()
    }

    pub(crate) async fn try_connect(url: &RelayAddress, alpn: &[u8]) -> Result<Self, ConnectionError> {
        Self::connect_by(url, alpn, TransportConfig::default()).await
    }

    /// One that lets the relay open no stream.
    pub(crate) async fn deaf(url: &RelayAddress) -> Self {
        let mut transport = TransportConfig::default();
        transport.max_concurrent_bidi_streams(0u8.into());
        Self::connect_by(url, ALPN, transport).await.unwrap()
    }

    /// One of many at this socket.
    #[cfg(target_os = "linux")]
    pub(crate) async fn connect_from(endpoint: &Endpoint, url: &RelayAddress) -> Self {
        Self::connect_at(endpoint.clone(), url, ALPN, TransportConfig::default()).await.unwrap()
    }

    async fn connect_by(url: &RelayAddress, alpn: &[u8], transport: TransportConfig) -> Result<Self, ConnectionError> {
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        Self::connect_at(endpoint, url, alpn, transport).await
    }

    async fn connect_at(
        endpoint: Endpoint,
        url: &RelayAddress,
        alpn: &[u8],
        transport: TransportConfig,
    ) -> Result<Self, ConnectionError> {
        let crypto = client_crypto(url, alpn);
        let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(crypto).unwrap()));
        config.transport_config(Arc::new(transport));
        let address: SocketAddr = format!("{}:{}", url.host, url.port).parse().unwrap();
        let connection = endpoint.connect_with(config, address, "relay.invalid").unwrap().await?;
        Ok(Self { connection, key_hash: url.key_hash, endpoint })
    }

    /// A safe: connected and logged in.
    pub(crate) async fn safe(url: &RelayAddress, route: &SigningKey) -> Self {
        let peer = Self::connect(url).await;
        assert_eq!(peer.login(route).await, Frame::Done);
        peer
    }

    pub(crate) fn exporter(&self) -> Exporter {
        let mut bytes = [0; 32];
        self.connection.export_keying_material(&mut bytes, EXPORTER_LABEL, b"").unwrap();
        Exporter(bytes)
    }

    pub(crate) async fn login(&self, route: &SigningKey) -> Frame {
        self.ask(&Frame::Login(proof::sign_login(route, &self.key_hash, &self.exporter(), 1)), None).await
    }

    /// Opens a stream with a request, and perhaps a blob.
    pub(crate) async fn open(&self, request: &Frame, blob: Option<&[u8]>) -> Stream {
        let (send, recv) = self.connection.open_bi().await.unwrap();
        let mut stream = Stream { send, recv };
        stream.send.write_all(&request.encode()).await.unwrap();
        if let Some(blob) = blob {
            // A relay may refuse before it has read the blob.
            let _refused_early = stream.write_blob(blob).await;
        }
        stream
    }

    /// Asks what is answered by one frame.
    pub(crate) async fn ask(&self, request: &Frame, blob: Option<&[u8]>) -> Frame {
        let mut stream = self.open(request, blob).await;
        let _stopped = stream.send.finish();
        stream.frame().await
    }

    pub(crate) async fn deposit(&self, deposit: &Deposit, envelope: &[u8]) -> Frame {
        self.ask(&Frame::Deposit(deposit.clone()), Some(envelope)).await
    }

    pub(crate) async fn challenge(&self) -> Challenge {
        match self.ask(&Frame::Challenge, None).await {
            Frame::Challenged(challenge) => challenge,
            other => panic!("no challenge: {other:?}"),
        }
    }

    pub(crate) async fn fetch(&self, wait: bool) -> Result<Vec<Delivered>, ErrorCode> {
        self.open(&Frame::Fetch(Fetch::Inbox { wait }), None).await.deliveries().await
    }

    pub(crate) async fn ack(&self, ids: Vec<EnvelopeId>) -> Frame {
        self.ask(&Frame::Ack(Ack { mailbox: None, ids: ids.try_into().unwrap() }), None).await
    }

    pub(crate) async fn fetch_mailbox(&self, key: &SigningKey) -> Result<Vec<Delivered>, ErrorCode> {
        let challenge = self.challenge().await;
        let proof = proof::sign_mailbox(key, &self.key_hash, MailboxVerb::Fetch, &challenge, &[]);
        self.open(&Frame::Fetch(Fetch::Mailbox(proof)), None).await.deliveries().await
    }

    pub(crate) async fn ack_mailbox(&self, key: &SigningKey, ids: Vec<EnvelopeId>) -> Frame {
        let challenge = self.challenge().await;
        let proof = proof::sign_mailbox(key, &self.key_hash, MailboxVerb::Ack, &challenge, &ids);
        self.ask(&Frame::Ack(Ack { mailbox: Some(proof), ids: ids.try_into().unwrap() }), None).await
    }

    pub(crate) async fn call(&self, to: InboxId) -> Result<Stream, ErrorCode> {
        let mut stream = self.open(&Frame::Call(Call { to, ticket: None }), None).await;
        match stream.frame().await {
            Frame::Done => Ok(stream),
            Frame::Refused(code) => Err(code),
            other => panic!("not an answer to a call: {other:?}"),
        }
    }

    /// Takes the next call as a safe.
    pub(crate) async fn accept(&self) -> Stream {
        let (send, recv) = self.connection.accept_bi().await.unwrap();
        let mut stream = Stream { send, recv };
        assert!(matches!(stream.frame().await, Frame::Incoming(_)));
        stream
    }

    /// The code with which the relay closed the connection.
    pub(crate) async fn closed(&self) -> ErrorCode {
        code_of(&self.connection.closed().await)
    }

    pub(crate) async fn leave(self) {
        self.connection.close(0u8.into(), b"");
        self.endpoint.wait_idle().await;
    }
}

impl Stream {
    pub(crate) async fn frame(&mut self) -> Frame {
        let mut field = [0; 4];
        self.recv.read_exact(&mut field).await.unwrap();
        let mut body = vec![0; frame::frame_length(field).unwrap()];
        self.recv.read_exact(&mut body).await.unwrap();
        Frame::decode(&body).unwrap()
    }

    pub(crate) async fn blob(&mut self) -> Vec<u8> {
        let mut field = [0; 4];
        self.recv.read_exact(&mut field).await.unwrap();
        let mut blob = vec![0; u32::from_be_bytes(field) as usize];
        self.recv.read_exact(&mut blob).await.unwrap();
        blob
    }

    pub(crate) async fn write_blob(&mut self, blob: &[u8]) -> Result<(), quinn::WriteError> {
        self.send.write_all(&frame::blob_prefix(blob)).await?;
        self.send.write_all(blob).await
    }

    pub(crate) async fn deliveries(&mut self) -> Result<Vec<Delivered>, ErrorCode> {
        let mut delivered = Vec::new();
        loop {
            match self.frame().await {
                Frame::Delivery(delivery) => delivered.push((delivery, self.blob().await)),
                Frame::Drained => return Ok(delivered),
                Frame::Refused(code) => return Err(code),
                other => panic!("not part of a fetch: {other:?}"),
            }
        }
    }
}

pub(crate) fn code_of(error: &ConnectionError) -> ErrorCode {
    match error {
        ConnectionError::ApplicationClosed(ApplicationClose { error_code, .. }) => {
            ErrorCode::from_number(u16::try_from(error_code.into_inner()).unwrap()).unwrap()
        }
        other => panic!("not closed by the relay: {other}"),
    }
}

pub(crate) fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

pub(crate) fn inbox_of(route: &SigningKey) -> InboxId {
    InboxId::of_route_key(&route.verifying_key().to_bytes())
}

/// A request to a safe.
pub(crate) fn request(route: &SigningKey, reply_mailbox: Option<&SigningKey>) -> Deposit {
    let reply_mailbox = reply_mailbox.map(|key| Fixed(key.verifying_key().to_bytes()));
    Deposit { to: Destination::Inbox(inbox_of(route)), ticket: None, ttl: TtlClass::Day, reply_mailbox }
}

/// A reply into a mailbox.
pub(crate) fn reply(mailbox: &SigningKey) -> Deposit {
    let mailbox = MailboxId::of_key(&mailbox.verifying_key().to_bytes());
    Deposit { to: Destination::Mailbox(mailbox), ticket: None, ttl: TtlClass::Day, reply_mailbox: None }
}

/// TLS that trusts the relay of a URL and asks for one application protocol.
pub(crate) fn client_crypto(url: &RelayAddress, alpn: &[u8]) -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Pin(url.key_hash, provider.signature_verification_algorithms));
    let mut crypto = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    crypto.alpn_protocols = vec![alpn.to_vec()];
    crypto
}

/// Trusts exactly the key of the URL.
#[derive(Debug)]
struct Pin(RelayKeyHash, WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = end_entity.last_chunk::<32>().unwrap();
        if RelayKeyHash::of_key(key) == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another key".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("not TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, dss, &self.1)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
