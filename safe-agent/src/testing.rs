//! A founded safe with invented people in it, and clients that seal to it as real ones do.
//!
//! Everything goes the whole way: records are verified, requests sealed, opened, decided in one transaction each, and
//! the reply opened by whoever asked. Only sockets, clock and disk are missing.

pub(crate) mod page;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::body::{DeviceId, DocumentId, Operation, Payload, Pin, Reply, RequestId, Status, TransferKey};
use rohrpost_e2ee::exchange::{
    Author, ExpectReply, Lane, Recipient, ReplySealer, RequestDraft, RequestHeader, open_request,
    seal_unchecked_for_tests,
};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::link::{LINK_SECONDS, LinkSecret};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_e2ee::trust::{self, Known, TrustedSafe};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RootChain;
use rohrpost_wire::{RelayAddress, RelayKeyHash, Timestamp};

use crate::audit::{self, Event};
use crate::handlers::enrol::{self, Counted};
use crate::identity;
use crate::requests::{self, Answer, Asker, Enrolment, Incoming, Transfer};
use crate::rows::{
    self, DeviceRow, DocumentRow, GrantRow, LinkRow, PatientId, PatientRow, PrekeyRow, Rights, SequenceRow, Stored,
};
use crate::vault::{Draft, MemoryStore, Store, StoreError};

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp(1_800_000_000);

/// A safe over a store, its clock in the test's hand.
pub(crate) struct World<S = MemoryStore> {
    pub(crate) store: S,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now: Timestamp,
}

pub(crate) fn relay() -> RelayAddress {
    RelayAddress { host: "relay.example".into(), port: 4433, key_hash: RelayKeyHash::of_key(&[7; 32]) }
}

impl World {
    pub(crate) fn found() -> Self {
        Self::over(MemoryStore::new())
    }

    /// Another safe for another seed: with other keys, at another address.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::drawn_from(MemoryStore::new(), ChaCha20Rng::seed_from_u64(seed))
    }
}

impl<S: Store> World<S> {
    /// Founds a safe in an empty store.
    pub(crate) fn over(store: S) -> Self {
        Self::drawn_from(store, ChaCha20Rng::seed_from_u64(1))
    }

    fn drawn_from(store: S, rng: ChaCha20Rng) -> Self {
        let mut world = Self { store, rng, now: START };
        world.transact(|draft, now, rng| {
            identity::found(draft, "Practice on the Hill", &relay(), now, rng)?;
            identity::top_up(draft, now, rng)
        });
        world
    }

    /// One transaction, made durable.
    pub(crate) fn transact<T>(
        &mut self,
        job: impl FnOnce(&mut Draft<'_>, Timestamp, &mut ChaCha20Rng) -> Result<T, StoreError>,
    ) -> T {
        let mut draft = Draft::new(&self.store);
        let done = job(&mut draft, self.now, &mut self.rng).unwrap();
        let writes = draft.into_writes();
        self.store.apply(writes).unwrap();
        self.store.flush().unwrap();
        done
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Draft<'_>) -> Result<T, StoreError>) -> T {
        look(&Draft::new(&self.store)).unwrap()
    }

    pub(crate) fn save(&mut self, row: &impl Stored) {
        self.transact(|draft, _, _| rows::save(draft, row));
    }

    pub(crate) fn load<T: Stored>(&self, key: &[u8]) -> Option<T> {
        self.read(|draft| rows::load(draft, key))
    }

    pub(crate) fn all<T: Stored>(&self) -> Vec<T> {
        self.read(|draft| rows::list(draft, &[], None, usize::MAX))
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.read(|draft| audit::read(draft, 0, usize::MAX)).into_iter().map(|(_, event)| event).collect()
    }

    pub(crate) fn patient(&mut self, name: &str) -> PatientId {
        let id = PatientId::generate(&mut self.rng);
        self.save(&PatientRow { id, name: name.into(), birth_date: None, number: None, added: START });
        id
    }

    /// A document's row; its bytes are nobody's concern here.
    pub(crate) fn document(&mut self, patient: PatientId, title: &str) -> DocumentId {
        let row = DocumentRow {
            id: DocumentId::generate(&mut self.rng),
            patient,
            content: Fixed([3; 16]),
            content_key: TransferKey::from(&ObjectKey::generate(&mut self.rng)),
            title: title.into(),
            file_name: format!("{title}.pdf"),
            media_type: "application/pdf".into(),
            length: 1000,
            sha256: Fixed([4; 32]),
            added: START,
        };
        self.save(&row);
        row.id
    }

    pub(crate) fn share(&mut self, subject: PatientId, document: DocumentId, not_after: Option<Timestamp>) {
        self.save(&GrantRow { subject, document, rights: Rights::SHARED, shared: START, not_after });
    }

    pub(crate) fn delete<T: Stored>(&mut self, key: &[u8]) {
        self.transact(|draft, _, _| draft.delete(T::TABLE, key));
    }

    /// An enrolled device, as an enrolment leaves it.
    pub(crate) fn device(&mut self, patient: PatientId) -> Device {
        let key = SigningSecret::generate(&mut self.rng);
        let id = DeviceId::of_key(&key.public());
        let (key_bytes, name) = (key.public(), "phone".to_owned());
        self.save(&DeviceRow { id, key: key_bytes, patient, name, enrolled: START, revoked: None });
        self.save(&SequenceRow::new(id));
        Device { id, key, sequence: 0 }
    }

    pub(crate) fn revoke(&mut self, device: &Device) {
        let row: DeviceRow = self.load(&device.id.0.0).unwrap();
        self.save(&DeviceRow { revoked: Some(self.now), ..row });
    }

    pub(crate) fn invite(&mut self, patient: PatientId) -> Invitation {
        let invitation = Invitation { secret: LinkSecret::generate(&mut self.rng), pin: Pin::generate(&mut self.rng) };
        let (id, mac_key) = (invitation.secret.id(), invitation.secret.mac_key());
        self.save(&LinkRow::new(id, patient, &mac_key, invitation.pin.clone(), self.now.plus(LINK_SECONDS)));
        invitation
    }

    pub(crate) fn link(&self, invitation: &Invitation) -> LinkRow {
        self.load(&invitation.secret.id().0.0).unwrap()
    }

    /// What a client learns from the published records now.
    pub(crate) fn trusted(&self) -> TrustedSafe {
        let (set, row) = self.read(|draft| Ok((identity::record_set(draft, self.now)?, identity::load(draft)?.1)));
        let chain = RootChain::of(&row.roots).unwrap();
        trust::verify(&set, &Known { pin: row.pin, epoch: 1, chain, identity_from: Timestamp(0) }, self.now).unwrap()
    }

    /// A new request, good for ten minutes.
    pub(crate) fn draft(&mut self, operation: Operation) -> RequestDraft {
        let id = RequestId::generate(&mut self.rng);
        RequestDraft { id, created: self.now, expires: self.now.plus(600), operation }
    }

    /// One more envelope of a request, for a live call.
    pub(crate) fn seal(&mut self, draft: &RequestDraft, who: Who) -> Sealed {
        self.seal_on(Lane::Live, draft, who)
    }

    pub(crate) fn seal_on(&mut self, lane: Lane, draft: &RequestDraft, who: Who) -> Sealed {
        let mut rng = ChaCha20Rng::from_rng(&mut self.rng);
        let (safe, draft, kept) = (self.trusted(), draft.clone(), rng.clone());
        let (envelope, _) = seal_unchecked_for_tests(&safe, lane, &draft, &who.author(), &mut rng).unwrap();
        Sealed { envelope, lane, safe, draft, who, rng: kept }
    }

    /// As the safe's agent does with what it receives.
    pub(crate) fn open(&self, sealed: &Sealed) -> Result<(Incoming, Asker, ReplySealer), OpenError> {
        let header = RequestHeader::parse(&sealed.envelope)?;
        let prekey: PrekeyRow = self.load(&header.prekey.0.0).ok_or(OpenError)?;
        let identity = self.read(|draft| Ok(identity::load(draft)?.1));
        let recipient = Recipient { pin: &identity.pin, inbox: &identity.inbox, lane: sealed.lane };
        let opened = open_request(&sealed.envelope, &prekey.secret(), recipient)?;
        Ok(Incoming::new(opened, header.prekey, prekey.not_after, sealed.lane == Lane::Live))
    }

    /// Delivers an envelope and opens the reply as its sender.
    pub(crate) fn deliver(&mut self, sealed: &Sealed) -> Got {
        let (incoming, asker, reply) = self.open(sealed).unwrap();
        let answer = match asker {
            Asker::Nobody => self.transact(|draft, now, _| requests::answer_nobody(draft, &incoming, now)),
            Asker::Device { id, sequence } => {
                self.transact(|draft, now, rng| requests::answer(draft, &incoming, id, sequence, now, rng))
            }
            Asker::Enrol(enrolment) => match self.count(&incoming, &enrolment) {
                Counted::Answer { answer, recorded } => {
                    if recorded {
                        self.transact(|draft, _, _| enrol::settle(draft, &enrolment));
                    }
                    answer
                }
                Counted::Compare => self.compare(&incoming, &enrolment),
            },
        };
        self.receive(sealed, reply, answer)
    }

    pub(crate) fn count(&mut self, incoming: &Incoming, enrolment: &Enrolment) -> Counted {
        self.transact(|draft, now, rng| enrol::count(draft, incoming, enrolment, now, rng))
    }

    pub(crate) fn compare(&mut self, incoming: &Incoming, enrolment: &Enrolment) -> Answer {
        self.transact(|draft, now, rng| enrol::compare(draft, incoming, enrolment, now, rng))
    }

    /// Seals an answer and opens it at the other end.
    pub(crate) fn receive(&mut self, sealed: &Sealed, reply: ReplySealer, answer: Answer) -> Got {
        let bytes = reply.seal(&answer.reply, &mut self.rng).unwrap();
        let reply = sealed.expect().open(&bytes).unwrap();
        Got { reply, sealed_bytes: bytes.len(), transfer: answer.transfer }
    }

    /// A fresh request of a device, asked and answered.
    pub(crate) fn ask(&mut self, device: &mut Device, operation: Operation) -> Got {
        let draft = self.draft(operation);
        let sealed = self.seal(&draft, device.next());
        self.deliver(&sealed)
    }

    /// A fresh enrolment, tried and answered.
    pub(crate) fn try_pin(&mut self, key: &SigningSecret, invitation: &Invitation, pin: &Pin) -> Got {
        let draft = self.draft(enrolling(pin));
        let sealed = self.seal(&draft, Who::Enrol(key.clone(), invitation.secret.clone()));
        self.deliver(&sealed)
    }

    pub(crate) fn key(&mut self) -> SigningSecret {
        SigningSecret::generate(&mut self.rng)
    }
}

/// A device as its owner has it.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) key: SigningSecret,
    pub(crate) sequence: u64,
}

impl Device {
    /// Itself, with a fresh sequence number.
    pub(crate) fn next(&mut self) -> Who {
        self.sequence += 1;
        self.at(self.sequence)
    }

    pub(crate) fn at(&self, sequence: u64) -> Who {
        Who::Device(self.key.clone(), sequence)
    }
}

/// A link and its PIN, as a patient gets them.
pub(crate) struct Invitation {
    pub(crate) secret: LinkSecret,
    pub(crate) pin: Pin,
}

impl Invitation {
    /// A PIN that is not the right one; another for each number below 9.
    pub(crate) fn wrong_pin(&self, number: u8) -> Pin {
        let mut digits = *self.pin.expose();
        digits[0] = b'0' + (digits[0] - b'0' + 1 + number) % 10;
        Pin::parse(std::str::from_utf8(&digits).unwrap()).unwrap()
    }
}

/// Who seals a request.
#[derive(Clone)]
pub(crate) enum Who {
    Nobody,
    Device(SigningSecret, u64),
    Enrol(SigningSecret, LinkSecret),
}

impl Who {
    fn author(&self) -> Author<'_> {
        match self {
            Self::Nobody => Author::Nobody,
            Self::Device(key, sequence) => Author::Device { key, sequence: *sequence },
            Self::Enrol(key, link) => Author::Enrol { key, link },
        }
    }
}

/// An envelope that can be delivered, and its replies opened, as often as a relay likes.
pub(crate) struct Sealed {
    pub(crate) envelope: Vec<u8>,
    lane: Lane,
    safe: TrustedSafe,
    draft: RequestDraft,
    who: Who,
    rng: ChaCha20Rng,
}

impl Sealed {
    /// The same envelope, to be spoiled.
    pub(crate) fn again(&self) -> Self {
        let (envelope, safe, draft) = (self.envelope.clone(), self.safe.clone(), self.draft.clone());
        Self { envelope, lane: self.lane, safe, draft, who: self.who.clone(), rng: self.rng.clone() }
    }

    /// Seals again with the same randomness: the envelope is the same, and so is what opens its reply.
    pub(crate) fn expect(&self) -> ExpectReply {
        let mut rng = self.rng.clone();
        let (envelope, expect) =
            seal_unchecked_for_tests(&self.safe, self.lane, &self.draft, &self.who.author(), &mut rng).unwrap();
        assert_eq!(envelope, self.envelope);
        expect
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) reply: Reply,
    pub(crate) sealed_bytes: usize,
    pub(crate) transfer: Option<Transfer>,
}

impl Got {
    pub(crate) fn status(&self) -> Status {
        self.reply.status
    }

    /// Nothing but a status.
    pub(crate) fn is_bare(&self) -> bool {
        self.reply.payload == Payload::None && self.transfer.is_none()
    }

    /// The ids in a page of documents.
    pub(crate) fn listed(&self) -> Vec<DocumentId> {
        let Payload::Documents(page) = &self.reply.payload else { panic!("no page: {:?}", self.status()) };
        page.documents.iter().map(|entry| entry.id).collect()
    }
}

pub(crate) fn enrolling(pin: &Pin) -> Operation {
    Operation::Enrol { pin: pin.clone(), device_name: "phone".into() }
}

pub(crate) fn reading(document: DocumentId) -> Operation {
    Operation::Document { document, offset: 0, version: None }
}

pub(crate) const LISTING: Operation = Operation::Documents { after: None };
