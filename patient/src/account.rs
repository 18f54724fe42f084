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
pub(crate) mod tests {
    use rohrpost_client::random;
    use rohrpost_e2ee::body::{Payload, Status};
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::records::{PrekeyId, PrekeyRecord, RootChain, SEALING_KEY_BYTES, StatementHash};
    use rohrpost_wire::{RelayKeyHash, SUITE, SafePin, VERSION, codec};

    use super::*;

    pub(crate) fn account() -> Account {
        Account::new(&pending(1), "Praxis Beispiel", "Erika Muster")
    }

    pub(crate) fn pending(link: u8) -> Pending {
        Pending::begin(LinkId(Fixed([link; 16])), safe(), "laptop", &mut random::system())
    }

    fn safe() -> Safe {
        let relay = RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) };
        let chain = RootChain { length: 1, newest: StatementHash(Fixed([3; 32])) };
        let known = Known { pin: SafePin(Fixed([2; 32])), epoch: 3, chain, identity_from: Timestamp(0) };
        Safe { known, relay, inbox: InboxId(Fixed([4; 16])) }
    }

    /// What verified records of this epoch say.
    pub(crate) fn verified(inbox: InboxId, safe_pin: SafePin, epoch: u32) -> TrustedSafe {
        let prekey = PrekeyRecord {
            version: VERSION,
            suite: SUITE,
            safe_pin,
            epoch,
            id: PrekeyId(Fixed([0; 8])),
            key: Fixed([0; SEALING_KEY_BYTES]),
            pipe_key_hash: None,
            not_before: Timestamp(7),
            not_after: Timestamp(8),
        };
        TrustedSafe::unverified_for_tests(inbox, &prekey)
    }

    #[test]
    fn an_account_reads_back_as_it_was_written() {
        let account = account();
        assert_eq!(codec::decode(&codec::encode(&account)), Ok(account));
    }

    #[test]
    fn a_safe_that_was_set_back_is_noticed_once_and_the_day_is_kept() {
        let reply = |highest_sequence| Reply {
            request: RequestId(Fixed([1; 16])),
            status: Status::NotAllowed,
            safe_time: Timestamp(0),
            highest_sequence,
            tickets: vec![],
            payload: Payload::None,
        };
        let mut account = account();
        for (highest, now, noted, kept) in
            [(7, 10, Ok(()), None), (3, 11, Err(SetBack), Some(11)), (3, 12, Ok(()), Some(11))]
        {
            let reserved = account.sequence.reserve();
            assert_eq!(account.handle_reply(reserved, &reply(highest), Timestamp(now)), noted);
            account = codec::decode(&codec::encode(&account)).unwrap();
            assert_eq!(account.set_back, kept.map(Timestamp));
        }
    }

    #[test]
    fn what_is_known_of_a_safe_never_goes_back() {
        let mut safe = safe();
        let verified = |epoch| verified(InboxId(Fixed([4; 16])), SafePin(Fixed([2; 32])), epoch);
        assert!(safe.learn(&verified(5)));
        assert!(!safe.learn(&verified(4)));
        assert_eq!((safe.known().epoch, safe.known().identity_from), (5, Timestamp(7)));
    }

    #[test]
    fn what_was_known_of_a_safe_before_a_new_link_is_not_forgotten() {
        let newer = Known { epoch: 9, identity_from: Timestamp(7), ..safe().known };
        let mut enrolled_again = safe();
        enrolled_again.inherit(newer);
        assert_eq!(enrolled_again.known(), newer);
        enrolled_again.inherit(safe().known);
        assert_eq!(enrolled_again.known(), newer, "never back");
        enrolled_again.inherit(Known { pin: SafePin(Fixed([9; 32])), epoch: 99, ..newer });
        assert_eq!(enrolled_again.known(), newer, "of no other safe");
    }

    #[test]
    fn another_try_keeps_the_device_key_and_changes_the_request() {
        let first = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
        let mut second = first.clone();
        second.renew(&mut random::system());
        assert_ne!(first.request, second.request);
        assert_eq!(first.key().public(), second.key().public());
    }

    #[test]
    fn only_another_name_makes_another_request() {
        let first = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
        let mut second = first.clone();
        second.rename("laptop", &mut random::system());
        assert!(first == second);
        second.rename("desk", &mut random::system());
        assert!(first.request != second.request && second.device_name == "desk");
    }

    #[test]
    fn names_are_bounded_and_harmless() {
        let long = format!("\u{1b}{}", "x".repeat(100));
        let pending = Pending::begin(LinkId(Fixed([1; 16])), safe(), &long, &mut random::system());
        assert_eq!(pending.device_name.chars().count(), DEVICE_NAME_CHARS);
        assert!(!pending.device_name.contains('\u{1b}'));
    }

    #[test]
    fn nothing_of_an_account_can_be_printed() {
        assert_eq!(format!("{:?}", account()), "Account");
        assert_eq!(format!("{:?} {:?}", account().owner, account().safe), "Owner Safe(epoch 3)");
        let pending = Pending::begin(LinkId(Fixed([1; 16])), safe(), "laptop", &mut random::system());
        assert_eq!(format!("{pending:?}"), "Pending");
    }
}
