//! A founded safe with one invented patient, and requests sealed to it as a real client seals them.
//!
//! Everything random comes from one fixed seed, so that a model is the same in every run. Each request is sealed and
//! opened once, at the beginning: what a search delivers is what came out of the real envelope.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rohrpost_e2ee::body::{DeviceId, Operation, Pin, RequestId};
use rohrpost_e2ee::exchange::{
    Author, Lane, Recipient, RequestDraft, RequestHeader, open_request, seal_unchecked_for_tests,
};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::link::{LINK_SECONDS, LinkSecret, PIN_TRIES};
use rohrpost_e2ee::trust::{self, Known, TrustedSafe};
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::requests::{Asker, Incoming};
use rohrpost_safe_agent::rows::{self, DeviceRow, LinkRow, PatientId, PatientRow, PrekeyRow, SequenceRow, Stored};
use rohrpost_safe_agent::vault::Draft;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RootChain;
use rohrpost_wire::{RelayAddress, RelayKeyHash, Timestamp};

use crate::shelf::Shelf;

/// When every model begins.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// The randomness of a job. A salt is all that is drawn from it, and a salt decides nothing.
pub fn job_rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(2)
}

/// A request as it came out of its envelope.
#[derive(Debug)]
pub struct Letter {
    /// Everything but the means to answer it.
    pub incoming: Incoming,
    /// Who asks.
    pub asker: Asker,
}

/// Somebody who was invited: the link, the PIN, and the key that shall be enrolled.
#[derive(Debug)]
pub struct Invited {
    link: LinkSecret,
    pin: Pin,
    /// The device's key.
    pub key: SigningSecret,
}

impl Invited {
    /// The name of the link.
    pub fn link_id(&self) -> Vec<u8> {
        self.link.id().0.0.to_vec()
    }

    /// To enrol with the PIN that was given.
    pub fn right(&self) -> Operation {
        Operation::Enrol { pin: self.pin.clone(), device_name: "phone".into() }
    }

    /// To enrol with another PIN; another one for every number below 9.
    pub fn wrong(&self, number: u8) -> Operation {
        let mut digits = *self.pin.expose();
        digits[0] = b'0' + (digits[0] - b'0' + 1 + number) % 10;
        let pin = Pin::parse(std::str::from_utf8(&digits).unwrap()).unwrap();
        Operation::Enrol { pin, device_name: "phone".into() }
    }
}

/// A safe in the making.
#[derive(Debug)]
pub struct Practice {
    /// Its rows.
    pub shelf: Shelf,
    rng: ChaCha20Rng,
}

impl Practice {
    /// Founds a safe with prekeys for the next 30 days.
    pub fn found() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let relay = RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) };
        let mut shelf = Shelf::default();
        shelf.transact(|draft| {
            identity::found(draft, "Practice on the Hill", &relay, START, &mut rng)?;
            identity::top_up(draft, START, &mut rng)
        });
        let mut practice = Self { shelf, rng };
        let patient =
            PatientRow { id: patient(), name: "Ada Example".into(), birth_date: None, number: None, added: START };
        practice.save(&patient);
        practice
    }

    /// Writes a row.
    pub fn save(&mut self, row: &impl Stored) {
        self.shelf.transact(|draft| rows::save(draft, row));
    }

    /// Invites the patient's device, with so many of the link's tries left.
    pub fn invite(&mut self, tries_left: u8) -> Invited {
        let (link, pin) = (LinkSecret::generate(&mut self.rng), Pin::generate(&mut self.rng));
        let mut row = LinkRow::new(link.id(), patient(), &link.mac_key(), pin.clone(), START.plus(LINK_SECONDS));
        row.attempts = PIN_TRIES - tries_left;
        self.save(&row);
        Invited { link, pin, key: SigningSecret::generate(&mut self.rng) }
    }

    /// An enrolled device, as an enrolment leaves it.
    pub fn device(&mut self) -> SigningSecret {
        let secret = SigningSecret::generate(&mut self.rng);
        let key = secret.public();
        let (id, name) = (DeviceId::of_key(&key), "phone".to_owned());
        self.save(&DeviceRow { id, key, patient: patient(), name, enrolled: START, revoked: None });
        self.save(&SequenceRow::new(id));
        secret
    }

    /// A new request, made now and good until then.
    pub fn draft(&mut self, operation: Operation, expires: Timestamp) -> RequestDraft {
        RequestDraft { id: RequestId::generate(&mut self.rng), created: START, expires, operation }
    }

    /// The safe as a client knows it from its records, with the prekey of that time.
    pub fn trusted_at(&self, now: Timestamp) -> TrustedSafe {
        let draft = Draft::new(&self.shelf);
        let (_, row) = identity::load(&draft).unwrap();
        let set = identity::record_set(&draft, START).unwrap();
        let chain = RootChain::of(&row.roots).unwrap();
        trust::verify(&set, &Known { pin: row.pin, epoch: 1, chain, identity_from: Timestamp(0) }, now).unwrap()
    }

    /// Keeps the secrets of these prekeys alone, and of no prekey what is published: it is long, and decides nothing.
    pub fn keep_prekeys(&mut self, kept: &[TrustedSafe]) {
        self.shelf.transact(|draft| {
            for mut prekey in identity::prekeys(draft)? {
                if kept.iter().any(|safe| safe.prekey_id() == prekey.id) {
                    prekey.record.bytes.clear();
                    rows::save(draft, &prekey)?;
                } else {
                    draft.delete(PrekeyRow::TABLE, &prekey.key())?;
                }
            }
            Ok(())
        });
    }

    /// One more envelope of a request to enrol.
    pub fn enrol(&mut self, draft: &RequestDraft, invited: &Invited) -> Letter {
        let safe = self.trusted_at(START);
        self.post(&safe, draft, &Author::Enrol { key: &invited.key, link: &invited.link })
    }

    /// One more envelope of a device's request, with a sequence number of its own.
    pub fn ask(&mut self, safe: &TrustedSafe, draft: &RequestDraft, key: &SigningSecret, sequence: u64) -> Letter {
        self.post(safe, draft, &Author::Device { key, sequence })
    }

    /// Seals and opens.
    fn post(&mut self, safe: &TrustedSafe, draft: &RequestDraft, author: &Author<'_>) -> Letter {
        let (envelope, _) = seal_unchecked_for_tests(safe, Lane::Live, draft, author, &mut self.rng).unwrap();
        let header = RequestHeader::parse(&envelope).unwrap();
        let prekey: PrekeyRow = self.shelf.load(&header.prekey.0.0).unwrap();
        let (pin, inbox) = (safe.pin(), safe.inbox());
        let recipient = Recipient { pin: &pin, inbox: &inbox, lane: Lane::Live };
        let opened = open_request(&envelope, &prekey.secret(), recipient).unwrap();
        let (incoming, asker, _) = Incoming::new(opened, header.prekey, prekey.not_after, true);
        Letter { incoming, asker }
    }
}

fn patient() -> PatientId {
    PatientId(Fixed([9; 16]))
}
