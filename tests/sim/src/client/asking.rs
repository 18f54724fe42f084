//! Live requests: sealed, and what their answers mean.

use rohrpost_e2ee::body::{DeviceId, Operation, Payload, Pin, Reply, SafeStatus, Status};
use rohrpost_e2ee::exchange::{Author, Lane, seal_request};
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_patient::account::Account;
use rohrpost_patient::enrol::{Verdict, verdict};
use rohrpost_patient::fetch;
use rohrpost_patient::sequence::Reserved;
use rohrpost_patient::session::{Correction, draft};
use rohrpost_wire::frame::{self, Call};
use rohrpost_wire::{Frame, Timestamp, limits};

use super::{Asked, Client, Errand, Step, Told, Trouble};
use crate::ghost::Deed;
use crate::message::{self, Reader};
use crate::port::FromPeer;
use crate::time::Millis;

impl Client {
    /// The first request of an errand.
    pub(super) fn operation_of(&self, errand: Errand) -> Operation {
        match errand {
            Errand::Enrol { mistyped } => self.enrolling(mistyped),
            Errand::List | Errand::Fetch(_) | Errand::Deposit | Errand::Craft(..) => {
                Operation::Documents { after: None }
            }
            Errand::Status | Errand::Collect => Operation::Status,
            Errand::Steal(document) => Operation::Document { document, offset: 0, version: None },
        }
    }

    fn enrolling(&self, mistyped: bool) -> Operation {
        let pin = self.invitation.as_ref().map(|invitation| invitation.pin.clone());
        let mut digits = pin.map_or([b'0'; 6], |pin| *pin.expose());
        if mistyped && let [first, ..] = &mut digits {
            *first = b'0' + (*first - b'0' + 1) % 10;
        }
        #[expect(clippy::expect_used, reason = "six digits are a PIN")]
        let pin = std::str::from_utf8(&digits).ok().and_then(Pin::parse).expect("six digits");
        Operation::Enrol { pin, device_name: self.name.clone() }
    }

    /// Seals and sends. A sequence number is written down before it is used.
    pub(super) fn request(&mut self, operation: Operation, now: Millis) -> Vec<FromPeer> {
        let Some((envelope, asked)) = self.seal(operation, Lane::Live, now) else {
            return self.fail(Trouble::Seal, now);
        };
        let Some(to) = self.doing().and_then(|doing| doing.safe.as_ref()).map(TrustedSafe::inbox) else {
            return self.fail(Trouble::Seal, now);
        };
        let call = Frame::Call(Call { to, ticket: None });
        self.ask(Step::Asking(Box::new(asked)), message::frame_and_blob(&call, &envelope))
    }

    pub(super) fn seal(&mut self, operation: Operation, lane: Lane, now: Millis) -> Option<(Vec<u8>, Asked)> {
        let time = self.time(now);
        let mut request = self.doing()?.request;
        if let (Operation::Enrol { .. }, Some(pending)) = (&operation, &self.pending) {
            request = pending.request;
        }
        let mut draft = draft(request, time, operation.clone());
        if lane != Lane::Live {
            draft.expires = time.plus(rohrpost_wire::time::DAY);
        }
        let expires = draft.expires;
        let safe = self.doing()?.safe.clone()?;
        let (key, reserved) = self.author(&operation)?;
        let errand = self.doing()?.errand;
        let sequence = reserved.map(|reserved| match errand.crafted() {
            Some((number, _)) => number.instead_of(reserved.number),
            None => reserved.number,
        });
        let author = match (&operation, reserved, self.invitation.as_ref()) {
            (Operation::Enrol { .. }, None, Some(invitation)) => {
                Author::Enrol { key: &key, link: &invitation.link.secret }
            }
            (_, Some(_), _) => Author::Device { key: &key, sequence: sequence.unwrap_or_default() },
            _ => return None,
        };
        let (envelope, expect) = seal_request(&safe, lane, &draft, &author, &mut self.rng).ok()?;
        let device = DeviceId::of_key(&key.public());
        let (deed, live) = (Deed::of(&operation), lane == Lane::Live);
        let right_pin = self.has_right_pin(&operation);
        let sealed = envelope.clone();
        self.told.push(Told::Sealed { device, deed, envelope: sealed, request, sequence, expires, live, right_pin });
        // Of numbers that it made up the product's books know nothing.
        let reserved = reserved.filter(|reserved| sequence == Some(reserved.number));
        Some((envelope, Asked { expect, reserved, operation }))
    }

    fn has_right_pin(&self, operation: &Operation) -> bool {
        let right = self.invitation.as_ref().map(|invitation| invitation.pin.expose());
        matches!(operation, Operation::Enrol { pin, .. } if Some(pin.expose()) == right)
    }

    /// Under which key, and with which sequence number; none for an enrolment.
    fn author(&mut self, operation: &Operation) -> Option<(rohrpost_e2ee::keys::SigningSecret, Option<Reserved>)> {
        if let Operation::Enrol { .. } = operation {
            return Some((self.pending.as_ref()?.key(), None));
        }
        match (&mut self.account, &mut self.pending) {
            (Some(account), _) => Some((account.key(), Some(account.sequence.reserve()))),
            (None, Some(pending)) => Some((pending.key(), Some(pending.sequence.reserve()))),
            (None, None) => None,
        }
    }

    pub(super) fn asked(&mut self, asked: &Asked, mut reader: Reader<'_>, whole: bool, now: Millis) -> Vec<FromPeer> {
        let Some(sealed) = reader.blob(limits::ENVELOPE_BYTES) else {
            return self.fail(Trouble::unreadable(whole), now);
        };
        let Ok(mut reply) = asked.expect.open(sealed) else { return self.fail(Trouble::Open, now) };
        self.note(asked.reserved, &reply, &asked.operation, now);
        if let Some(out) = self.corrected(asked, &reply, now) {
            return out;
        }
        match reply.take_manifest() {
            Some(manifest) if manifest.answers(&asked.operation) => {
                self.receive(manifest, &asked.operation, reader.rest(), whole, now)
            }
            Some(_) => self.fail(Trouble::Open, now),
            None => self.understood(&asked.operation, reply, now),
        }
    }

    /// What the product notes of every authentic reply.
    pub(super) fn note(&mut self, reserved: Option<Reserved>, reply: &Reply, operation: &Operation, now: Millis) {
        let Some(device) = self.device() else { return };
        let time = self.time(now);
        self.told.push(Told::Answered { device, deed: Deed::of(operation), status: reply.status });
        let Some(reserved) = reserved else { return };
        let noted = match (&mut self.account, &mut self.pending) {
            (Some(account), _) => account.handle_reply(reserved, reply, time),
            (None, Some(pending)) => pending.sequence.handle_reply(reserved, reply),
            (None, None) => Ok(()),
        };
        if noted.is_err() {
            self.told.push(Told::SetBack);
        }
    }

    /// Asks again in another envelope, if that can put it right.
    fn corrected(&mut self, asked: &Asked, reply: &Reply, now: Millis) -> Option<Vec<FromPeer>> {
        match self.doing()?.corrections.handle_status(reply.status) {
            Correction::None => None,
            Correction::SetClock => {
                self.set_clock(reply.safe_time, now);
                Some(self.request(asked.operation.clone(), now))
            }
            Correction::Again => Some(self.request(asked.operation.clone(), now)),
        }
    }

    fn set_clock(&mut self, to: Timestamp, now: Millis) {
        let shows = self.clock.read(now);
        let Some(live) = &mut self.live else { return };
        live.corrected = i64::try_from(to.0).unwrap_or(i64::MAX).saturating_sub_unsigned(shows.0);
    }

    fn understood(&mut self, operation: &Operation, reply: Reply, now: Millis) -> Vec<FromPeer> {
        let Some(errand) = self.doing().map(|doing| doing.errand) else { return Vec::new() };
        match (errand, operation) {
            (Errand::Enrol { .. }, Operation::Enrol { .. }) => self.enrolled(reply, now),
            (Errand::Enrol { .. }, _) => self.perhaps_enrolled(reply, now),
            _ => self.served(errand, reply, now),
        }
    }

    fn enrolled(&mut self, reply: Reply, now: Millis) -> Vec<FromPeer> {
        match (verdict(reply.status), reply.payload) {
            (Verdict::Enrolled, Payload::Enrolled(enrolled)) => self.become_enrolled(&enrolled.patient),
            (Verdict::Perhaps(_), _) => {
                self.new_request();
                self.request(Operation::Status, now)
            }
            (Verdict::Enrolled | Verdict::Refused(_), _) => {
                self.renew();
                self.fail(Trouble::Status(reply.status), now)
            }
        }
    }

    /// The link enrols nobody now, perhaps because it enrolled this very device.
    fn perhaps_enrolled(&mut self, reply: Reply, now: Millis) -> Vec<FromPeer> {
        match (reply.status, reply.payload) {
            (Status::Done, Payload::Status(SafeStatus { patient, .. })) => self.become_enrolled(&patient),
            (status, _) => {
                self.renew();
                self.fail(Trouble::Status(status), now)
            }
        }
    }

    fn become_enrolled(&mut self, patient: &str) -> Vec<FromPeer> {
        let Some(pending) = self.pending.take() else { return Vec::new() };
        let account = Account::new(&pending, "a practice", patient);
        self.told.push(Told::Enrolled(account.device_id(), patient.to_owned()));
        self.account = Some(account);
        self.finish()
    }

    fn served(&mut self, errand: Errand, reply: Reply, now: Millis) -> Vec<FromPeer> {
        let Some(device) = self.device() else { return Vec::new() };
        match (reply.status, reply.payload, errand) {
            (Status::Done, Payload::Documents(page), Errand::Fetch(place)) => {
                self.told.push(Told::Listed(device, page.documents.clone()));
                let count = page.documents.len();
                let Some(entry) = page.documents.into_iter().nth(place.checked_rem(count).unwrap_or(0)) else {
                    return self.finish();
                };
                self.new_request();
                match fetch::plan(self.part.as_ref().map(|(kept, _)| kept), &entry) {
                    fetch::Plan::Whole => self.received(entry.id, now),
                    plan @ (fetch::Plan::Fresh { .. } | fetch::Plan::Resume { .. }) => {
                        self.request(plan.operation(&entry), now)
                    }
                }
            }
            (Status::Done, Payload::Documents(page), _) => {
                self.told.push(Told::Listed(device, page.documents));
                self.finish()
            }
            (Status::Done, _, _) | (Status::NotAllowed, _, Errand::Steal(_)) => self.finish(),
            (Status::NotAllowed, _, Errand::Fetch(_)) => {
                // Withdrawn since it was listed, or the device is revoked: the next listing tells.
                self.part = None;
                self.finish()
            }
            (Status::NotAllowed, _, _) => self.removed(),
            (status, _, _) => {
                self.part = None;
                self.fail(Trouble::Status(status), now)
            }
        }
    }

    /// The safe does not know this device any more: it needs another invitation.
    pub(super) fn removed(&mut self) -> Vec<FromPeer> {
        let device = self.device();
        self.removed = self.account.take().map(|account| account.safe).or_else(|| self.removed.take());
        (self.account, self.pending, self.invitation, self.part) = (None, None, None, None);
        if let Some(live) = &mut self.live {
            live.awaiting.clear();
        }
        self.told.extend(device.map(Told::Removed));
        self.finish()
    }

    /// The next envelope is another request of the same errand.
    fn new_request(&mut self) {
        let request = rohrpost_e2ee::RequestId::generate(&mut self.rng);
        if let Some(doing) = self.doing() {
            doing.request = request;
            doing.corrections = rohrpost_patient::session::Corrections::default();
        }
    }

    fn renew(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.renew(&mut self.rng);
        }
    }
}

/// The header of a deposit, for its id.
pub(super) fn deposit_header(
    to: rohrpost_wire::InboxId,
    ttl: frame::TtlClass,
    mailbox: rohrpost_wire::fixed::Fixed<32>,
) -> frame::Deposit {
    frame::Deposit { to: frame::Destination::Inbox(to), ticket: None, ttl, reply_mailbox: Some(mailbox) }
}
