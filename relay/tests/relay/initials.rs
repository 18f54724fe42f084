//! The first packets of handshakes that come to nothing, sealed as QUIC wants them and fresh each time.
//!
//! A first packet is sealed with keys that follow from its connection id alone (RFC 9001 §5.2), so whoever wants to keep a
//! relay busy says hello once and sends it in a thousand packets. Written from the RFC and not from the QUIC library.

use std::sync::Arc;

use rohrpost_wire::{ALPN, RelayAddress};
use rustls::Side;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{ClientConnection, Keys, Suite, Version};

use crate::peer::client_crypto;

/// The least that the first datagram of a handshake may have (RFC 9000 §14.1).
const DATAGRAM: usize = 1200;
/// A first packet whose number has four bytes.
const FIRST_BYTE: u8 = 0xc3;
const NUMBER_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// `initial_source_connection_id` of no bytes (RFC 9000 §18.2), as the packets have it.
const PARAMETERS: [u8; 2] = [0x0f, 0];

/// What is wrong with a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// The seal is none.
    Seal,
    /// There is no TLS under the seal.
    Tls,
    /// Another application protocol is asked for.
    Protocol,
    /// Nothing comes after it.
    Silent,
    /// It is said again with the proof of address that the relay asks for, and nothing comes after that.
    Proven,
}

impl Bad {
    pub(crate) const ALL: [Self; 5] = [Self::Seal, Self::Tls, Self::Protocol, Self::Silent, Self::Proven];
}

/// What a relay said to a first packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// That the address is to be proven: by these bytes, to this connection id.
    Retry { id: Vec<u8>, token: Vec<u8> },
    /// Something that belongs to a handshake.
    Other,
}

/// Makes first packets.
pub(crate) struct Initials {
    suite: Suite,
    hello: Vec<u8>,
    other_protocol: Vec<u8>,
    made: u64,
}

/// `CONNECTION_CLOSE` without an error (RFC 9000 §19.19).
const CLOSE: [u8; 4] = [0x1c, 0, 0, 0];

impl Initials {
    pub(crate) fn new(url: &RelayAddress) -> Self {
        Self::after(url, 0)
    }

    /// The same, when so many connection ids have been used.
    pub(crate) fn after(url: &RelayAddress, made: u64) -> Self {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite().unwrap();
        Self { suite, hello: hello(url, ALPN), other_protocol: hello(url, b"http/1.1"), made }
    }

    /// A first packet under a connection id that was never used.
    pub(crate) fn first(&mut self, bad: Bad) -> Vec<u8> {
        self.made += 1;
        let id = self.made.to_be_bytes();
        let mut packet = match bad {
            Bad::Seal | Bad::Silent | Bad::Proven => self.sealed(&id, &[], 0, &crypto(&self.hello)),
            Bad::Tls => self.sealed(&id, &[], 0, &crypto(&[0xff; 200])),
            Bad::Protocol => self.sealed(&id, &[], 0, &crypto(&self.other_protocol)),
        };
        if bad == Bad::Seal {
            packet[DATAGRAM - 1] ^= 1;
        }
        packet
    }

    /// The same with the proof that was asked for.
    pub(crate) fn proven(&self, id: &[u8], token: &[u8]) -> Vec<u8> {
        self.sealed(id, token, 0, &crypto(&self.hello))
    }

    /// Ends what the latest first packet began.
    pub(crate) fn close(&self) -> Vec<u8> {
        self.close_proven(&self.made.to_be_bytes(), &[])
    }

    /// Ends what was begun with a proof of address.
    pub(crate) fn close_proven(&self, id: &[u8], token: &[u8]) -> Vec<u8> {
        self.sealed(id, token, 1, &CLOSE)
    }

    /// RFC 9000 §17.2.2, RFC 9001 §5.
    fn sealed(&self, id: &[u8], token: &[u8], number: u8, frame: &[u8]) -> Vec<u8> {
        let keys = Keys::initial(Version::V1, self.suite.suite, self.suite.quic, id, Side::Client).local;
        let mut header = vec![FIRST_BYTE, 0, 0, 0, 1, u8::try_from(id.len()).unwrap()];
        header.extend_from_slice(id);
        header.push(0);
        header.extend_from_slice(&varint(token.len()));
        header.extend_from_slice(token);
        let sealed = DATAGRAM - header.len() - 2 - NUMBER_BYTES;
        header.extend_from_slice(&varint(sealed + NUMBER_BYTES));
        header.extend_from_slice(&[0, 0, 0, number]);
        let mut payload = frame.to_vec();
        payload.resize(sealed - TAG_BYTES, 0);
        let tag = keys.packet.encrypt_in_place(u64::from(number), &header, &mut payload).unwrap();
        payload.extend_from_slice(tag.as_ref());
        let (first, rest) = header.split_first_mut().unwrap();
        let before = rest.len() - NUMBER_BYTES;
        keys.header.encrypt_in_place(&payload[..16], first, &mut rest[before..]).unwrap();
        [header, payload].concat()
    }
}

/// A `CRYPTO` frame (RFC 9000 §19.6).
fn crypto(data: &[u8]) -> Vec<u8> {
    [&[6, 0][..], &varint(data.len()), data].concat()
}

/// What TLS says first.
fn hello(url: &RelayAddress, alpn: &[u8]) -> Vec<u8> {
    let name = "relay.invalid".try_into().unwrap();
    let config = Arc::new(client_crypto(url, alpn));
    let mut hello = Vec::new();
    ClientConnection::new(config, Version::V1, name, PARAMETERS.to_vec()).unwrap().write_hs(&mut hello);
    hello
}

/// In two bytes (RFC 9000 §16).
fn varint(number: usize) -> [u8; 2] {
    (u16::try_from(number).unwrap() | 0x4000).to_be_bytes()
}

/// Reads what a relay sent to an address that has no connection id of its own (RFC 9000 §17.2.5).
pub(crate) fn read(datagram: &[u8]) -> Said {
    if datagram[0] & 0xf0 != 0xf0 {
        return Said::Other;
    }
    let (id_bytes, rest) = datagram[6..].split_first().unwrap();
    let (id, rest) = rest.split_at(usize::from(*id_bytes));
    Said::Retry { id: id.to_vec(), token: rest[..rest.len() - TAG_BYTES].to_vec() }
}
