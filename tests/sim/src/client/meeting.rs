//! The beginning of every visit: a new connection, and the safe's records, verified before anything is sealed.

use rohrpost_client::AskError;
use rohrpost_e2ee::trust::{self, TrustedSafe};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{Frame, limits};

use super::depositing::Proving;
use super::{Client, Errand, Step, Told, Trouble};
use crate::message::{self, Reader};
use crate::port::{Conn, FromPeer, Peer};
use crate::time::Millis;

impl Client {
    /// Dials anew and asks for the records; a mailbox is asked for on a connection of its own, without them.
    pub(super) fn meet(&mut self) -> Vec<FromPeer> {
        self.dialled += 1;
        let conn = Conn { peer: Peer::Client(self.index), number: self.dialled };
        let inbox = self.safe().map(|safe| safe.inbox);
        let Some(doing) = self.doing() else { return Vec::new() };
        doing.conn = conn;
        doing.next_stream = 0;
        doing.safe = None;
        let mut out = vec![FromPeer::Dial(conn)];
        if doing.errand == Errand::Collect {
            out.extend(self.challenge(Proving::Fetch));
        } else if let Some(inbox) = inbox {
            out.extend(self.ask(Step::Meeting, message::frame(&Frame::Records(inbox))));
        }
        out
    }

    /// Nothing is sealed before the records have been verified against what is known.
    pub(super) fn met(&mut self, reader: Reader<'_>, now: Millis) -> Vec<FromPeer> {
        let safe = match self.verified(reader, now) {
            Ok(safe) => safe,
            Err(trouble) => return self.fail(trouble, now),
        };
        self.learn(&safe, now);
        let Some(doing) = self.doing() else { return Vec::new() };
        doing.safe = Some(safe);
        let errand = doing.errand;
        match errand {
            Errand::Deposit => self.deposit(now),
            Errand::Forge(how) => self.forge(how, now),
            // It begins with the listing again, whatever it had come to: another question has another name.
            Errand::Fetch(_) => {
                self.new_request();
                self.request(self.operation_of(errand), now)
            }
            Errand::Enrol { .. }
            | Errand::List
            | Errand::Status
            | Errand::Collect
            | Errand::Steal(_)
            | Errand::Craft(..) => self.request(self.operation_of(errand), now),
        }
    }

    fn verified(&self, mut reader: Reader<'_>, now: Millis) -> Result<TrustedSafe, Trouble> {
        let blob = reader.blob(limits::RECORDS_BYTES)?;
        let set = RecordSet::decode(blob).map_err(|_| AskError::Misbehaved)?;
        let known = self.known().ok_or(Trouble::SEAL)?;
        Ok(trust::verify(&set, &known, self.time(now))?)
    }

    /// Written down before a PIN or anything else goes out to it, if it is news.
    fn learn(&mut self, safe: &TrustedSafe, now: Millis) {
        let (pin, prekey, key) = (safe.pin(), safe.prekey_id(), Box::new(*safe.prekey()));
        let time = self.knows_the_time().then(|| self.time(now));
        self.told.push(Told::Met { pin, prekey, key, time, known: *safe.known() });
        let (account, pending) = (self.files.account.as_mut(), self.files.pending.as_mut());
        let is_news = match (account, pending) {
            (Some(account), _) => account.safe.learn(safe),
            (None, Some(pending)) => pending.learn(safe),
            (None, None) => false,
        };
        if is_news {
            self.save();
        }
    }
}
