//! The people, documents and links of the matrix, and how each question is put to the safe.

use rohrpost_e2ee::body::{DocumentId, Operation, Pin, VersionHash};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::TtlClass;
use rohrpost_wire::time::DAY;

use super::policy::{CASES, Case, From, Question, Role, Version};
use crate::rows::{AuditHead, DeviceRow, DocumentRow, GrantRow, PatientId, Rights};
use crate::testing::{Device, Got, Invitation, START, Who, World};

/// Length of every document of a [`World`].
const LENGTH: u64 = 1000;

/// How a request travels when it is not a call.
pub(super) const DEPOSIT: Lane = Lane::Deposit { ttl: TtlClass::Day, reply_mailbox: Some(Fixed([6; 32])) };

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) documents: Vec<(Case, DocumentId)>,
    a: PatientId,
    b: PatientId,
    devices: [Device; 4],
    elsewhere: (World, Device),
    open: Invitation,
    used: Invitation,
    stranger: Device,
}

/// What came of asking; nothing when the envelope did not open.
pub(super) struct Outcome {
    pub(super) got: Option<Got>,
    pub(super) leaves: u64,
    pub(super) rows_changed: bool,
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut world = World::found();
        let (a, b) = (world.patient("Ada Example"), world.patient("Ben Example"));
        let documents: Vec<_> = CASES.into_iter().map(|case| (case, DocumentId(Fixed([0; 16])))).collect();
        let devices = [world.device(a), world.device(a), world.device(b), world.device(a)];
        world.revoke(&devices[3]);
        let (open, used) = (world.invite(a), world.invite(a));
        let key = world.key();
        world.try_pin(&key, &used, &used.pin);
        let mut other = World::seeded(2);
        let patient = other.patient("Cleo Example");
        let abroad = other.device(patient);
        let key = world.key();
        let stranger = Device { id: rohrpost_e2ee::body::DeviceId::of_key(&key.public()), key, sequence: 0 };
        let mut scene = Self { world, documents, a, b, devices, elsewhere: (other, abroad), open, used, stranger };
        for case in CASES {
            let id = scene.make(case);
            scene.documents.iter_mut().find(|(of, _)| *of == case).unwrap().1 = id;
        }
        scene
    }

    /// Makes what has become of a document so.
    fn make(&mut self, case: Case) -> DocumentId {
        let a = self.a;
        match case {
            Case::Shared => self.shared(a, None),
            Case::LastSecond => self.shared(a, Some(START)),
            Case::Expired => {
                let (document, rights, not_after) = (self.document(a), Rights::SHARED, Some(START.minus(1)));
                self.world.save(&GrantRow { subject: a, document, rights, shared: START.minus(DAY), not_after });
                document
            }
            Case::Unshared => self.document(a),
            Case::SharedWithB => self.shared(self.b, None),
            Case::UnsharedOfB => self.document(self.b),
            Case::StrayRight => {
                let document = self.document(self.b);
                self.world.share(a, document, None);
                document
            }
            Case::ListedOnly => {
                let (document, rights) = (self.document(a), Rights::LIST);
                self.world.save(&GrantRow { subject: a, document, rights, shared: START, not_after: None });
                document
            }
            Case::Withdrawn => {
                let document = self.shared(a, None);
                self.world.delete::<GrantRow>(&DocumentRow::key_of(&a, &document));
                document
            }
            Case::Deleted => {
                let document = self.shared(a, None);
                self.world.delete::<DocumentRow>(&DocumentRow::key_of(&a, &document));
                document
            }
            Case::Nonexistent => DocumentId::generate(&mut self.world.rng),
            Case::NextToShared => DocumentId(Fixed(next(self.id(Case::Shared).0.0))),
            Case::LowestId => DocumentId(Fixed([0; 16])),
            Case::HighestId => DocumentId(Fixed([0xff; 16])),
        }
    }

    fn document(&mut self, owner: PatientId) -> DocumentId {
        self.world.document(owner, "finding")
    }

    fn shared(&mut self, owner: PatientId, until: Option<Timestamp>) -> DocumentId {
        let document = self.document(owner);
        self.world.share(owner, document, until);
        document
    }

    pub(super) fn id(&self, case: Case) -> DocumentId {
        self.documents.iter().find(|(of, _)| *of == case).unwrap().1
    }

    /// The version of a document of which there is a row, and of any other what it would be.
    fn version(&self, case: Case) -> VersionHash {
        let id = self.id(case);
        let row: Option<DocumentRow> =
            [self.a, self.b].iter().find_map(|owner| self.world.load(&DocumentRow::key_of(owner, &id)));
        row.map_or_else(|| VersionHash::of_content(&id, LENGTH, &Fixed([4; 32])), |row| row.version())
    }

    fn operation(&self, role: Role, question: Question) -> Operation {
        match question {
            Question::Enrol { right_pin } => {
                let link = if role == Role::LateLinkHolder { &self.used } else { &self.open };
                let pin: Pin = if right_pin { link.pin.clone() } else { link.wrong_pin(0) };
                Operation::Enrol { pin, device_name: "phone".into() }
            }
            Question::Documents { after } => Operation::Documents { after: after.map(|case| self.id(case)) },
            Question::Document { case, from, version } => {
                let offset = match from {
                    From::Start => 0,
                    From::Middle => LENGTH / 2,
                    From::BehindTheEnd => LENGTH + 1,
                    From::FarBehind => u64::MAX,
                };
                let version = match version {
                    Version::Unnamed => None,
                    Version::Own => Some(self.version(case)),
                    Version::OfAnotherDocument if case == Case::Shared => Some(self.version(Case::LastSecond)),
                    Version::OfAnotherDocument => Some(self.version(Case::Shared)),
                    Version::Invented => Some(VersionHash(Fixed([9; 32]))),
                };
                Operation::Document { document: self.id(case), offset, version }
            }
            Question::Status => Operation::Status,
        }
    }

    fn who(&mut self, role: Role) -> Who {
        match role {
            Role::DeviceOfA => self.devices[0].next(),
            Role::SecondDeviceOfA => self.devices[1].next(),
            Role::DeviceOfB => self.devices[2].next(),
            Role::Revoked => self.devices[3].next(),
            Role::UnknownKey => self.stranger.next(),
            Role::Nobody => Who::Nobody,
            Role::LinkHolder => Who::Enrol(self.world.key(), self.open.secret.clone()),
            Role::LateLinkHolder => Who::Enrol(self.world.key(), self.used.secret.clone()),
            Role::DeviceElsewhere | Role::Misdelivered => self.elsewhere.1.next(),
        }
    }

    /// Puts a question in somebody's name; with the operation it became.
    pub(super) fn ask(&mut self, role: Role, question: Question, lane: Lane) -> (Operation, Outcome) {
        let operation = self.operation(role, question);
        let who = self.who(role);
        let seals = if role == Role::Misdelivered { &mut self.elsewhere.0 } else { &mut self.world };
        let draft = seals.draft(operation.clone());
        let sealed = seals.seal_on(lane, &draft, who);
        let (leaves, rows) = (self.leaves(), format!("{:?}", self.world.store));
        let got = self.world.open(&sealed).is_ok().then(|| self.world.deliver(&sealed));
        let rows_changed = rows != format!("{:?}", self.world.store);
        (operation, Outcome { got, leaves: self.leaves() - leaves, rows_changed })
    }

    fn leaves(&self) -> u64 {
        self.world.load::<AuditHead>(AuditHead::KEY).unwrap().next
    }

    /// The revoked device has asked for the first time, as far as the safe's bound on its requests knows.
    pub(super) fn forget_revoked_requests(&mut self) {
        let key = self.devices[3].id.0.0;
        let row: Option<crate::rows::SequenceRow> = self.world.load(&key);
        if let Some(row) = row {
            self.world.save(&crate::rows::SequenceRow { after_revocation: 0, ..row });
        }
    }

    /// How many devices there are.
    pub(super) fn devices(&self) -> usize {
        self.world.all::<DeviceRow>().len()
    }
}

/// The number after this one.
fn next(id: [u8; 16]) -> [u8; 16] {
    u128::from_be_bytes(id).wrapping_add(1).to_be_bytes()
}
