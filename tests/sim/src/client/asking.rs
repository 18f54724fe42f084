//! Live requests: sealed, and what their answers mean.

use rohrpost_e2ee::body::{DeviceId, Operation, Payload, Reply, Status};
use rohrpost_e2ee::exchange::{Author, Lane, seal_request};
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_patient::fetch;
use rohrpost_patient::sequence::Reserved;
use rohrpost_patient::session::{Correction, draft};
use rohrpost_wire::frame::{self, Call};
use rohrpost_wire::{Frame, Timestamp, limits};

use super::{Asked, Client, Errand, Forgery, Step, Told, Trouble};
use crate::ghost::Sealed;
use crate::message::{self, Reader};
use crate::port::FromPeer;
use crate::safe::office::sha256;
use crate::time::Millis;

impl Client {
    /// The first request of an errand.
    pub(super) fn operation_of(&self, errand: Errand) -> Operation {
        match errand {
            Errand::Enrol { mistyped } => self.enrolling(mistyped),
            Errand::List | Errand::Fetch(_) | Errand::Deposit | Errand::Forge(_) | Errand::Craft(..) => {
                Operation::Documents { after: None }
            }
            Errand::Status | Errand::Collect => Operation::Status,
            Errand::Steal(document) => Operation::Document { document, offset: 0, version: None },
        }
    }

    /// Seals and sends. A sequence number is written down before it is used.
    pub(super) fn request(&mut self, operation: Operation, now: Millis) -> Vec<FromPeer> {
        let Some((envelope, asked)) = self.seal(operation, Lane::Live, now) else {
            return self.fail(Trouble::SEAL, now);
        };
        let Some(to) = self.doing().and_then(|doing| doing.safe.as_ref()).map(TrustedSafe::inbox) else {
            return self.fail(Trouble::SEAL, now);
        };
        let call = Frame::Call(Call { to, ticket: None });
        self.ask(Step::Asking(Box::new(asked)), message::frame_and_blob(&call, &envelope))
    }

    pub(super) fn seal(&mut self, operation: Operation, lane: Lane, now: Millis) -> Option<(Vec<u8>, Asked)> {
        let time = self.time(now);
        let mut request = self.doing()?.request;
        if let (Operation::Enrol { .. }, Some(pending)) = (&operation, &self.files.pending) {
            request = pending.request;
        }
        let mut draft = draft(request, time, operation.clone());
        if lane != Lane::Live {
            draft.expires = time.plus(rohrpost_wire::time::DAY);
        }
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
        let sealed = Sealed {
            device: DeviceId::of_key(&key.public()),
            operation: operation.clone(),
            request,
            link: self.invitation.as_ref().map(|invitation| invitation.link.secret.id()).filter(|_| reserved.is_none()),
            sequence,
            created: draft.created,
            expires: draft.expires,
            live: lane == Lane::Live,
            right_pin: self.has_right_pin(&operation),
            void: errand.forged().is_some_and(Forgery::is_void),
        };
        self.told.push(Told::Sealed(Box::new(sealed), envelope.clone()));
        // Of numbers that it made up the product's books know nothing.
        let reserved = reserved.filter(|reserved| sequence == Some(reserved.number));
        let digest = sha256(&envelope);
        Some((envelope, Asked { expect, reserved, operation, digest }))
    }

    /// Under which key, and with which sequence number; none for an enrolment.
    fn author(&mut self, operation: &Operation) -> Option<(rohrpost_e2ee::keys::SigningSecret, Option<Reserved>)> {
        let (account, pending) = (self.files.account.as_mut(), self.files.pending.as_mut());
        if let Operation::Enrol { .. } = operation {
            return Some((pending?.key(), None));
        }
        let (key, reserved) = match (account, pending) {
            (Some(account), _) => (account.key(), account.sequence.reserve()),
            (None, Some(pending)) => (pending.key(), pending.sequence.reserve()),
            (None, None) => return None,
        };
        self.save();
        Some((key, Some(reserved)))
    }

    pub(super) fn asked(&mut self, asked: &Asked, mut reader: Reader<'_>, whole: bool, now: Millis) -> Vec<FromPeer> {
        let sealed = match reader.blob(limits::ENVELOPE_BYTES) {
            Ok(sealed) => sealed,
            Err(error) => return self.fail(error.into(), now),
        };
        let Ok(mut reply) = asked.expect.open(sealed) else { return self.fail(Trouble::OPEN, now) };
        self.note(asked, &reply, now);
        if let Some(out) = self.corrected(asked, &reply, now) {
            return out;
        }
        match reply.take_manifest() {
            Some(manifest) if manifest.answers(&asked.operation) => {
                self.receive(manifest, &asked.operation, reader.rest(), whole, now)
            }
            Some(_) => self.fail(Trouble::OPEN, now),
            None => self.understood(&asked.operation, reply, now),
        }
    }

    /// What the product notes of every authentic reply, and what it comes to believe by it.
    pub(super) fn note(&mut self, asked: &Asked, reply: &Reply, now: Millis) {
        let time = self.time(now);
        self.live.doing.iter_mut().for_each(|doing| doing.was_answered = true);
        self.told.push(Told::Answered(asked.digest, reply.status));
        if let (Status::Done, Payload::Documents(page)) = (reply.status, &reply.payload) {
            self.told.push(Told::Listed(asked.digest, page.documents.clone()));
        }
        let Some(reserved) = asked.reserved else { return };
        let Some(account) = &mut self.files.account else {
            // It is written with the next number.
            let pending = self.files.pending.as_mut();
            let set_back = pending.is_some_and(|pending| pending.sequence.handle_reply(reserved, reply).is_err());
            self.told.extend(set_back.then_some(Told::SetBack));
            return;
        };
        if account.handle_reply(reserved, reply, time).is_err() {
            self.told.push(Told::SetBack);
        }
        self.save();
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
        self.live.corrected = i64::try_from(to.0).unwrap_or(i64::MAX).saturating_sub_unsigned(shows.0);
    }

    fn understood(&mut self, operation: &Operation, reply: Reply, now: Millis) -> Vec<FromPeer> {
        let Some(errand) = self.doing().map(|doing| doing.errand) else { return Vec::new() };
        match (errand, operation) {
            (Errand::Enrol { .. }, Operation::Enrol { .. }) => self.enrolled(reply, now),
            (Errand::Enrol { .. }, _) => self.perhaps_enrolled(reply, now),
            _ => self.served(errand, reply, now),
        }
    }

    fn served(&mut self, errand: Errand, reply: Reply, now: Millis) -> Vec<FromPeer> {
        match (reply.status, reply.payload, errand) {
            (Status::Done, Payload::Documents(page), Errand::Fetch(place)) => {
                let count = page.documents.len();
                let Some(entry) = page.documents.into_iter().nth(place.checked_rem(count).unwrap_or(0)) else {
                    return self.finish();
                };
                self.new_request();
                match fetch::plan(self.files.part.as_ref().map(|(kept, _)| kept), &entry) {
                    fetch::Plan::Whole => self.received(entry.id, now),
                    plan @ (fetch::Plan::Fresh { .. } | fetch::Plan::Resume { .. }) => {
                        self.request(plan.operation(&entry), now)
                    }
                }
            }
            (Status::Done, _, _) | (Status::NotAllowed, _, Errand::Steal(_)) => self.finish(),
            (Status::NotAllowed, _, Errand::Fetch(_)) => {
                // Withdrawn since it was listed, or the device is revoked: the next listing tells.
                self.drop_part();
                self.finish()
            }
            (Status::NotAllowed, _, _) => self.removed(),
            (status, _, _) => {
                self.drop_part();
                self.fail(Trouble::Status(status), now)
            }
        }
    }

    /// The safe does not know this device any more: it needs another invitation.
    pub(super) fn removed(&mut self) -> Vec<FromPeer> {
        let device = self.device();
        let files = std::mem::take(&mut self.files);
        self.files.removed = files.account.map(|account| account.safe).or(files.removed);
        self.files.earlier = files.earlier.into_iter().chain(files.pending).collect();
        self.invitation = None;
        self.live.awaiting.clear();
        self.told.extend(device.map(Told::Removed));
        self.save();
        self.finish()
    }

    /// The next envelope is another request of the same errand.
    pub(super) fn new_request(&mut self) {
        let request = rohrpost_e2ee::RequestId::generate(&mut self.rng);
        if let Some(doing) = self.doing() {
            doing.request = request;
            doing.corrections = rohrpost_patient::session::Corrections::default();
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
