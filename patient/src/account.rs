//! What a patient's device keeps of one practice, and of an enrolment that has not been answered.

use std::fmt;

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DEVICE_NAME_CHARS, DeviceId, Reply};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::secret::{Secret, inside_seal};
use rohrpost_e2ee::trust::{Known, TrustedSafe};
use rohrpost_e2ee::{Link, LinkId, RequestId};
use rohrpost_wire::{InboxId, RelayAddress, Timestamp};
use serde::{Deserialize, Serialize};

use crate::names;
use crate::sequence::{Reserved, Sequence, SetBack};

/// An enrolled device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The link it came from, by its public name.
    pub link: LinkId,
    #[serde(with = "inside_seal")]
    device_key: Secret<32>,
    /// The practice's safe.
    pub safe: Safe,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Its sequence numbers.
    pub sequence: Sequence,
    /// When it was last noticed that the safe had been set back, by this computer's clock.
    pub set_back: Option<Timestamp>,
}

/// Where a safe is and what is known of it; never goes back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safe {
    known: Known,
    /// Where it is reached.
    pub relay: RelayAddress,
    /// Its inbox there.
    pub inbox: InboxId,
}

/// Whose device it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The practice, as it calls itself.
    pub practice: String,
    /// The patient, as the practice calls them.
    pub patient: String,
    /// The device, as it called itself.
    pub device_name: String,
}

/// An enrolment that was begun; written down before it is sent, so that a lost answer is asked for again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Of which link. The secret itself is not kept: whoever runs the command again has it.
    pub link: LinkId,
    /// The same for every envelope of one try.
    pub request: RequestId,
    #[serde(with = "inside_seal")]
    device_key: Secret<32>,
    /// The name under which the device asked.
    pub device_name: String,
    /// Numbers for asking whether the enrolment went through.
    pub sequence: Sequence,
    /// The safe, as the link's text at hand and verified records have it: what this try must not go below.
    pub safe: Safe,
    /// What verified records alone said of the safe that was met last, with this link or any other. No other try is held
    /// to more: anybody can write a link, and who has read one can write another text of it.
    verified: Option<Known>,
}

/// Characters kept of a practice's and a patient's name.
const NAME_CHARS: usize = 200;

impl Account {
    /// The account that a pending enrolment becomes.
    pub fn new(pending: &Pending, practice: &str, patient: &str) -> Self {
        let owner = Owner {
            practice: bounded(practice, NAME_CHARS),
            patient: bounded(patient, NAME_CHARS),
            device_name: pending.device_name.clone(),
        };
        let (device_key, safe) = (pending.device_key.clone(), pending.safe.clone());
        Self { link: pending.link, device_key, safe, owner, sequence: pending.sequence, set_back: None }
    }

    /// Takes note of the reply to a request. An alarm is written down with its date, since it is raised only once.
    pub fn handle_reply(&mut self, reserved: Reserved, reply: &Reply, now: Timestamp) -> Result<(), SetBack> {
        let noted = self.sequence.handle_reply(reserved, reply);
        if noted.is_err() {
            self.set_back = Some(now);
        }
        noted
    }

    /// The name under which the safe knows this device.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::of_key(&self.key().public())
    }

    /// The device key.
    pub fn key(&self) -> SigningSecret {
        SigningSecret::from_bytes(self.device_key.expose())
    }
}

impl Safe {
    /// What a link says of its safe.
    pub fn of_link(link: &Link) -> Self {
        Self { known: Known::of_link(link), relay: link.relay.clone(), inbox: link.inbox }
    }

    /// What records must not go below.
    pub fn known(&self) -> Known {
        self.known
    }

    /// The highest epoch met.
    pub fn epoch(&self) -> u32 {
        self.known.epoch
    }

    /// Takes over what was known of the same safe before, where that is more.
    fn inherit(&mut self, before: Known) {
        if before.pin == self.known.pin {
            self.known = more(self.known, before);
        }
    }

    /// Remembers what verified records say. True if that was news.
    pub fn learn(&mut self, safe: &TrustedSafe) -> bool {
        self.known.learn(safe)
    }
}

impl Pending {
    /// Begins an enrolment with a fresh device key.
    pub fn begin(link: LinkId, safe: Safe, device_name: &str, rng: &mut impl CryptoRng) -> Self {
        Self {
            link,
            request: RequestId::generate(rng),
            device_key: Secret::generate(rng),
            device_name: bounded(device_name, DEVICE_NAME_CHARS),
            sequence: Sequence::new(),
            safe,
            verified: None,
        }
    }

    /// Turns to the safe as the text at hand has it, and as verified records had it with this link or `elsewhere`. What
    /// was verified of another safe stays until this one is met: a text that leads nowhere takes nothing away.
    pub fn turn_to(&mut self, safe: Safe, elsewhere: impl IntoIterator<Item = Known>) {
        let of_this = |known: &Known| known.pin == safe.known.pin;
        let verified = self.verified.into_iter().chain(elsewhere).filter(of_this).reduce(more);
        self.safe = safe;
        if let Some(verified) = verified {
            self.verified = Some(verified);
            self.safe.inherit(verified);
        }
    }

    /// Remembers what verified records say. True if that was news.
    pub fn learn(&mut self, safe: &TrustedSafe) -> bool {
        let (before, seen) = ((self.safe.known, self.verified), *safe.known());
        self.safe.learn(safe);
        let earlier = self.verified.filter(|known| known.pin == seen.pin);
        self.verified = Some(earlier.map_or(seen, |known| more(known, seen)));
        (self.safe.known, self.verified) != before
    }

    /// What other links may rely on: nothing that only a link says of its safe.
    pub fn learnt(&self) -> Option<Known> {
        self.verified
    }

    /// Takes another name for the device; a request of another name is another request.
    pub fn rename(&mut self, device_name: &str, rng: &mut impl CryptoRng) {
        let device_name = bounded(device_name, DEVICE_NAME_CHARS);
        if self.device_name != device_name {
            self.device_name = device_name;
            self.renew(rng);
        }
    }

    /// Turns it into another try of the same device: a new request.
    pub fn renew(&mut self, rng: &mut impl CryptoRng) {
        self.request = RequestId::generate(rng);
    }

    /// The device key.
    pub fn key(&self) -> SigningSecret {
        SigningSecret::from_bytes(self.device_key.expose())
    }
}

/// Of two that are known of one safe, what is more of each: neither chain nor records go back.
fn more(one: Known, other: Known) -> Known {
    let chain = if other.chain.length > one.chain.length { other.chain } else { one.chain };
    let age = |known: Known| (known.epoch, known.identity_from);
    let (epoch, identity_from) = age(one).max(age(other));
    Known { pin: one.pin, epoch, chain, identity_from }
}

/// A name that can be shown and kept: harmless and not too long.
fn bounded(name: &str, chars: usize) -> String {
    names::harmless(name).trim().chars().take(chars).collect()
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account")
    }
}

impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Safe(epoch {})", self.known.epoch)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

#[cfg(test)]
pub(crate) mod tests;
