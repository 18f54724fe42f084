//! The enrolment link: an invitation that enrols one device, once, and never decrypts anything.
//!
//! `https://APP/#…` with everything in the fragment, which browsers send to nobody. Whoever steals the link still
//! needs the PIN, which went another way, and has five tries for ever.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::{hkdf, hmac};
use rohrpost_wire::address::hash;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RootChain;
use rohrpost_wire::{InboxId, RelayAddress, SafePin, TicketId, Timestamp, VERSION, codec, limits};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::body::LinkId;
use crate::secret::{Secret, inside_seal};

/// How long a link lives, in seconds: 14 days.
pub const LINK_SECONDS: u64 = 14 * rohrpost_wire::time::DAY;

/// Wrong PINs in a link's life, after which it is dead.
pub const PIN_TRIES: u8 = 5;

const CHECK_BYTES: usize = 4;
const LONGEST: usize = 2048;

/// The secret half of a link; its public name and its proof key are derived from it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret(Secret<32>);

impl LinkSecret {
    /// Draws a fresh one.
    pub fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
        Self(Secret::generate(rng))
    }

    /// Takes one that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The name under which the safe finds the link; tells nothing of the secret.
    pub fn id(&self) -> LinkId {
        let mut id = [0; 16];
        self.derive(b"rohrpost/1 link-id", &mut id);
        LinkId(Fixed(id))
    }

    /// The key of the proof that its holder has the link.
    pub fn mac_key(&self) -> LinkMacKey {
        let mut key = Zeroizing::new([0; 32]);
        self.derive(b"rohrpost/1 link-mac", key.as_mut());
        LinkMacKey(Secret::from_bytes(*key))
    }

    fn derive(&self, label: &[u8], out: &mut [u8]) {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(self.0.expose());
        #[expect(clippy::expect_used, reason = "at most 32 bytes are within HKDF's limit")]
        prk.expand(&[label], Length(out.len())).and_then(|okm| okm.fill(out)).expect("the length is fixed");
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret")
    }
}

/// The key that the safe keeps of a link, instead of its secret: enough to check a proof.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkMacKey(Secret<32>);

impl LinkMacKey {
    /// Takes a key that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The key, to be kept in a sealed row.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// HMAC-SHA256 (RFC 2104) over an enrolment's transcript.
    pub fn prove(&self, transcript: &[u8]) -> Fixed<32> {
        let tag = hmac::sign(&self.to_hmac(), transcript);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        Fixed(bytes)
    }

    /// Checks a proof in constant time.
    pub fn verify(&self, transcript: &[u8], proof: &Fixed<32>) -> bool {
        hmac::verify(&self.to_hmac(), transcript, &proof.0).is_ok()
    }

    fn to_hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.expose())
    }
}

impl fmt::Debug for LinkMacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkMacKey")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Everything a new device needs to find a safe, know it and prove that it was invited.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Until when it can be used.
    pub expires: Timestamp,
    /// The safe.
    pub pin: SafePin,
    /// The safe's epoch when the link was made; older records are refused.
    pub epoch: u32,
    /// The safe's inbox.
    pub inbox: InboxId,
    /// The invitation.
    pub secret: LinkSecret,
    /// Reserved: the permit for the first call.
    pub ticket: Option<TicketId>,
    /// Where to reach the safe.
    pub relay: RelayAddress,
    /// The safe's root statements when the link was made; another chain is refused from the first visit on.
    pub chain: RootChain,
}

#[derive(Serialize, Deserialize)]
struct Body {
    version: u8,
    expires: Timestamp,
    pin: SafePin,
    epoch: u32,
    inbox: InboxId,
    #[serde(with = "inside_seal")]
    secret: Secret<32>,
    ticket: Option<TicketId>,
    relay: RelayAddress,
    chain: RootChain,
}

/// Why a text is not a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Cut off, mistyped or something else altogether.
    #[error("not a complete link")]
    Damaged,
    /// A link of a version this client does not know.
    #[error("a link of an unknown version")]
    Unsupported,
}

impl Link {
    /// The link as a URL under `app`, where the app for browsers lives.
    pub fn to_url(&self, app: &str) -> Zeroizing<String> {
        let body = codec::encode_secret(&Body {
            version: VERSION,
            expires: self.expires,
            pin: self.pin,
            epoch: self.epoch,
            inbox: self.inbox,
            secret: self.secret.0.clone(),
            ticket: self.ticket,
            relay: self.relay.clone(),
            chain: self.chain,
        });
        // Every buffer has its final length from the start: one that grows leaves its first bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(CHECK_BYTES + body.len()));
        bytes.extend(check(&body));
        bytes.extend_from_slice(&body);
        let app = app.trim_end_matches('#');
        let length = app.len() + 1 + BASE64URL_NOPAD.encode_len(bytes.len());
        let mut url = Zeroizing::new(String::with_capacity(length));
        url.push_str(app);
        url.push('#');
        BASE64URL_NOPAD.encode_append(&bytes, &mut url);
        url
    }

    /// Reads a link from a URL, or from its fragment alone.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let fragment = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
        if fragment.len() > LONGEST {
            return Err(LinkError::Damaged);
        }
        let length = BASE64URL_NOPAD.decode_len(fragment.len()).map_err(|_| LinkError::Damaged)?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        BASE64URL_NOPAD.decode_mut(fragment.as_bytes(), &mut bytes).map_err(|_| LinkError::Damaged)?;
        let (sum, body) = bytes.split_first_chunk::<CHECK_BYTES>().ok_or(LinkError::Damaged)?;
        if check(body) != *sum {
            return Err(LinkError::Damaged);
        }
        match body.first() {
            Some(&VERSION) => Self::decode(body),
            _ => Err(LinkError::Unsupported),
        }
    }

    fn decode(body: &[u8]) -> Result<Self, LinkError> {
        let body: Body = codec::decode(body).map_err(|_| LinkError::Damaged)?;
        let chain = 1..=limits::ROOT_STATEMENTS;
        if !body.relay.is_well_formed() || !chain.contains(&usize::from(body.chain.length)) {
            return Err(LinkError::Damaged);
        }
        Ok(Self {
            expires: body.expires,
            pin: body.pin,
            epoch: body.epoch,
            inbox: body.inbox,
            secret: LinkSecret(body.secret),
            ticket: body.ticket,
            relay: body.relay,
            chain: body.chain,
        })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// Four bytes against typing and copying errors; no protection against anyone.
fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let full = hash(b"rohrpost/1 link-check", &[body]);
    let mut sum = [0; CHECK_BYTES];
    sum.copy_from_slice(full.split_at(CHECK_BYTES).0);
    sum
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::RelayKeyHash;
    use rohrpost_wire::records::StatementHash;

    use super::*;

    fn link() -> Link {
        Link {
            expires: Timestamp(1_800_000_000),
            pin: SafePin(Fixed([1; 32])),
            epoch: 3,
            inbox: InboxId(Fixed([2; 16])),
            secret: LinkSecret::from_bytes([3; 32]),
            ticket: None,
            relay: RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[4; 32]) },
            chain: RootChain { length: 2, newest: StatementHash(Fixed([5; 32])) },
        }
    }

    #[test]
    fn a_link_reads_back_from_its_url_and_from_its_fragment() {
        let url = link().to_url("https://app.example/");
        assert!(url.starts_with("https://app.example/#"));
        assert_eq!(url.capacity(), url.len(), "a text that grew left the secret somewhere");
        assert_eq!(Link::parse(&url), Ok(link()));
        assert_eq!(Link::parse(&format!(" {}\n", url.split('#').nth(1).unwrap())), Ok(link()));
    }

    #[test]
    fn a_link_with_any_character_changed_or_cut_is_refused() {
        let url = link().to_url("https://app.example/");
        let start = url.find('#').unwrap() + 1;
        for at in start..url.len() {
            let mut bytes = url.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Link::parse(std::str::from_utf8(&bytes).unwrap()), Err(LinkError::Damaged), "at {at}");
            assert_eq!(Link::parse(&url[..at]), Err(LinkError::Damaged), "cut at {at}");
        }
    }

    #[test]
    fn a_link_of_another_version_says_so() {
        let mut body = codec::encode(&(9u8, 7u8));
        let mut bytes = check(&body).to_vec();
        bytes.append(&mut body);
        assert_eq!(Link::parse(&BASE64URL_NOPAD.encode(&bytes)), Err(LinkError::Unsupported));
    }

    #[test]
    fn the_name_and_the_proof_key_are_apart() {
        let secret = LinkSecret::from_bytes([3; 32]);
        assert_ne!(secret.id().0.0[..], secret.mac_key().expose()[..16]);
        assert_ne!(secret.id(), LinkSecret::from_bytes([4; 32]).id());
        let proof = secret.mac_key().prove(b"transcript");
        assert!(secret.mac_key().verify(b"transcript", &proof));
        assert!(!secret.mac_key().verify(b"transcripT", &proof));
    }
}
