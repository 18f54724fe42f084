//! Enrolment: what is asked for with a link and a PIN, and what the answers make of a device.

use rohrpost_e2ee::body::{Operation, Payload, Pin, Reply, SafeStatus, Status};
use rohrpost_patient::account::Account;
use rohrpost_patient::enrol::{Verdict, verdict};

use super::{Client, Told, Trouble};
use crate::port::FromPeer;
use crate::time::Millis;

impl Client {
    pub(super) fn enrolling(&self, mistyped: bool) -> Operation {
        let pin = self.invitation.as_ref().map(|invitation| invitation.pin.clone());
        let mut digits = pin.map_or([b'0'; 6], |pin| *pin.expose());
        if mistyped && let [first, ..] = &mut digits {
            *first = b'0' + (*first - b'0' + 1) % 10;
        }
        #[expect(clippy::expect_used, reason = "six digits are a PIN")]
        let pin = std::str::from_utf8(&digits).ok().and_then(Pin::parse).expect("six digits");
        Operation::Enrol { pin, device_name: self.name.clone() }
    }

    pub(super) fn has_right_pin(&self, operation: &Operation) -> bool {
        let right = self.invitation.as_ref().map(|invitation| invitation.pin.expose());
        matches!(operation, Operation::Enrol { pin, .. } if Some(pin.expose()) == right)
    }

    pub(super) fn enrolled(&mut self, reply: Reply, now: Millis) -> Vec<FromPeer> {
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
    pub(super) fn perhaps_enrolled(&mut self, reply: Reply, now: Millis) -> Vec<FromPeer> {
        match (reply.status, reply.payload) {
            (Status::Done, Payload::Status(SafeStatus { patient, .. })) => self.become_enrolled(&patient),
            (status, _) => {
                self.renew();
                self.fail(Trouble::Status(status), now)
            }
        }
    }

    fn become_enrolled(&mut self, patient: &str) -> Vec<FromPeer> {
        let Some(pending) = &self.files.pending else { return Vec::new() };
        let account = Account::new(pending, "a practice", patient);
        self.told.push(Told::Enrolled(account.device_id(), patient.to_owned()));
        self.files.account = Some(account);
        self.save();
        self.files.pending = None;
        self.save();
        self.finish()
    }

    fn renew(&mut self) {
        if let Some(pending) = &mut self.files.pending {
            pending.renew(&mut self.rng);
            self.save();
        }
    }
}
