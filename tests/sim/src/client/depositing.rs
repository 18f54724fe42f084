//! Requests left at the relay, and their answers collected from mailboxes made for them.

use rohrpost_e2ee::body::Operation;
use rohrpost_e2ee::exchange::Lane;
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::trust::TrustedSafe;
use rohrpost_wire::frame::{Ack, AckIds, Destination, Fetch, TtlClass};
use rohrpost_wire::proof::{self, Challenge, MailboxVerb};
use rohrpost_wire::{EnvelopeId, Frame, MailboxId, RelayKeyHash};

use super::asking::deposit_header;
use super::{Asked, Client, Errand, Forgery, Step, Told, Trouble, tags};
use crate::message::{self, Reader};
use crate::port::{Conn, FromPeer, Timer};
use crate::time::Millis;

/// How long an answer is waited for before the patient is told that there is none.
const PATIENCE: Millis = Millis::hours(26);

/// The pause between two looks.
pub(super) const LOOK_AGAIN: Millis = Millis::minutes(10);

/// A request that lies at the relay.
#[derive(Debug)]
pub struct Awaiting {
    mailbox: SigningSecret,
    asked: Asked,
    until: Millis,
    /// On which connection it was left.
    left: Conn,
}

/// For what a challenge is wanted.
#[derive(Clone, Debug)]
pub(super) enum Proving {
    /// To look into the mailbox of the oldest request.
    Fetch,
    /// To erase these in the mailbox with this key.
    Ack(Box<SigningSecret>, Vec<EnvelopeId>),
}

impl Awaiting {
    pub(super) fn left(&self) -> Conn {
        self.left
    }
}

impl Client {
    pub(super) fn deposit(&mut self, now: Millis) -> Vec<FromPeer> {
        self.leave(None, now)
    }

    /// Of an insider.
    pub(super) fn forge(&mut self, how: Forgery, now: Millis) -> Vec<FromPeer> {
        self.leave(Some(how), now)
    }

    /// Seals a request and leaves it, or what an insider makes of it.
    fn leave(&mut self, how: Option<Forgery>, now: Millis) -> Vec<FromPeer> {
        let mailbox = SigningSecret::generate(&mut self.rng);
        let (ttl, key) = (TtlClass::Day, mailbox.public());
        let honest = Lane::Deposit { ttl, reply_mailbox: Some(key) };
        let lane = how.map_or(honest, |how| how.lane(honest));
        let sealed = self.seal(Operation::Documents { after: None }, lane, now);
        let to = self.doing().and_then(|doing| doing.safe.as_ref()).map(TrustedSafe::inbox);
        let (Some((mut envelope, asked)), Some(to)) = (sealed, to) else { return self.fail(Trouble::SEAL, now) };
        let mut header = deposit_header(to, ttl, key);
        if let Some(how) = how {
            how.spoil(&mut header, &mut envelope);
        }
        let id = header.envelope_id(&envelope);
        let Some(left) = self.conn() else { return Vec::new() };
        let awaiting = Box::new(Awaiting { mailbox, asked, until: now.plus(PATIENCE), left });
        self.ask(Step::Depositing(awaiting, Box::new(id)), message::frame_and_blob(&Frame::Deposit(header), &envelope))
    }

    pub(super) fn queued(&mut self, awaiting: Awaiting) -> Vec<FromPeer> {
        // Who left a forgery waits for nothing.
        if self.doing().is_some_and(|doing| doing.errand == Errand::Deposit) {
            self.told.push(Told::Queued(awaiting.left, awaiting.asked.digest));
            self.live.awaiting.push_back(awaiting);
        }
        self.finish()
    }

    pub(super) fn challenge(&mut self, proving: Proving) -> Vec<FromPeer> {
        self.ask(Step::Challenging(proving), message::frame(&Frame::Challenge))
    }

    pub(super) fn prove(&mut self, proving: Proving, challenge: &Challenge) -> Vec<FromPeer> {
        let Some(relay) = self.relay_key() else { return Vec::new() };
        match proving {
            Proving::Fetch => {
                let oldest = self.live.awaiting.front();
                let Some(key) = oldest.map(|awaiting| awaiting.mailbox.signer()) else { return self.finish() };
                let proof = proof::sign_mailbox(key, &relay, MailboxVerb::Fetch, challenge, &[]);
                self.ask(Step::Fetching, message::frame(&Frame::Fetch(Fetch::Mailbox(proof))))
            }
            Proving::Ack(key, mut ids) => {
                let proof = proof::sign_mailbox(key.signer(), &relay, MailboxVerb::Ack, challenge, &ids);
                let ack = Ack { mailbox: Some(proof), ids: AckIds::take(&mut ids) };
                self.ask(Step::Acking, message::frame(&Frame::Ack(ack)))
            }
        }
    }

    pub(super) fn collected(
        &mut self,
        first: Frame,
        mut reader: Reader<'_>,
        whole: bool,
        now: Millis,
    ) -> Vec<FromPeer> {
        let Some(awaiting) = self.live.awaiting.front() else { return Vec::new() };
        let place = Destination::Mailbox(MailboxId::of_key(&awaiting.mailbox.public().0));
        let (expect, until, digest) = (&awaiting.asked.expect, awaiting.until, awaiting.asked.digest);
        let delivered = match reader.deliveries(first, place) {
            Ok(delivered) if whole => delivered,
            Ok(_) => return self.fail(Trouble::LOST, now),
            Err(error) => return self.fail(error.into(), now),
        };
        let reply = delivered.iter().find_map(|(_, envelope)| expect.open(envelope).ok());
        let ids: Vec<EnvelopeId> = delivered.iter().map(|(delivery, _)| delivery.id).collect();
        match reply {
            // Whether or not it can be erased at the relay, the answer is here.
            Some(reply) => {
                let Some(answered) = self.live.awaiting.pop_front() else { return Vec::new() };
                // Perhaps the next is answered too.
                self.live.plan.extend((self.awaiting() > 0).then_some(Errand::Collect));
                self.note(&answered.asked, &reply, now);
                self.challenge(Proving::Ack(Box::new(answered.mailbox), ids))
            }
            None if now > until => {
                self.told.push(Told::Missed(digest));
                self.live.awaiting.pop_front();
                self.fail(Trouble::LOST, now)
            }
            None => {
                self.told.push(Told::Missed(digest));
                self.look_again(now)
            }
        }
    }

    /// Nothing there yet: again in a while, and no longer than it is worth waiting for.
    fn look_again(&mut self, now: Millis) -> Vec<FromPeer> {
        self.wait_no_longer(now);
        self.finish()
    }

    pub(super) fn wait_no_longer(&mut self, now: Millis) {
        self.live.awaiting.pop_front_if(|awaiting| now > awaiting.until);
    }

    /// Plans the next look for what is awaited; one look at a time.
    pub(super) fn look_later(&mut self, after: Millis) -> Option<FromPeer> {
        let under_way = self.live.doing.as_ref().map(|doing| doing.errand);
        if self.live.awaiting.is_empty() || self.live.plan.iter().chain(&under_way).any(|it| *it == Errand::Collect) {
            return None;
        }
        self.live.plan.push_back(Errand::Collect);
        Some(FromPeer::Timer(after, Timer { life: self.life, tag: tags::NEXT }))
    }

    fn relay_key(&self) -> Option<RelayKeyHash> {
        Some(self.files.account.as_ref()?.safe.relay.key_hash)
    }
}
