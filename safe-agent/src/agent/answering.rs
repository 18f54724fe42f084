//! From a sealed envelope to a sealed answer: open, decide in the vault, seal.
//!
//! What does not open, and what cannot be sealed back, is answered with a decoy: to the relay every refusal looks like
//! a reply.

use std::sync::Arc;

use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::body::{Payload, Status};
use rohrpost_e2ee::exchange::{
    Lane, OpenedRequest, Recipient, ReplySealer, RequestHeader, SealError, decoy_reply, open_request,
};
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{InboxId, Timestamp};

use super::keyring::{Keyring, SharedKeyring};
use super::transact;
use crate::clock;
use crate::handlers::enrol::{self, Counted};
use crate::requests::{self, Answer, Asker, Incoming, Transfer};
use crate::transfers::{Running, Subject, Ticket, Transfers};
use crate::vault::{ContentReader, Folder, StoreError, VaultHandle, system_rng};

/// Everything that answering needs. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    vault: VaultHandle,
    folder: Arc<Folder>,
    transfers: Transfers,
    keyring: SharedKeyring,
}

/// A sealed reply and the content that follows it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) reply: Vec<u8>,
    pub(super) content: Option<Content>,
}

/// Content ready to be sent.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) transfer: Transfer,
    pub(super) reader: ContentReader,
    pub(super) running: Running,
}

impl Answering {
    pub(super) fn new(vault: VaultHandle, folder: Arc<Folder>, transfers: Transfers, keyring: Keyring) -> Self {
        Self { vault, folder, transfers, keyring: SharedKeyring::new(keyring) }
    }

    pub(super) fn keyring(&self) -> &SharedKeyring {
        &self.keyring
    }

    /// The safe's own address.
    pub(super) fn inbox(&self) -> InboxId {
        self.keyring.current().inbox
    }

    /// Answers an envelope. Fails only with the store; the effect, if any, is durable when this returns.
    pub(super) async fn answer(&self, envelope: &[u8], lane: Lane) -> Result<Answered, StoreError> {
        let ticket = self.transfers.ticket();
        let Ok((opened, prekey, until)) = self.open(envelope, lane) else { return decoy() };
        let (incoming, asker, sealer) = Incoming::new(opened, prekey, until, lane == Lane::Live);
        let mut answer = self.decide(incoming, asker).await?;
        let content = answer.transfer.take().map(|transfer| self.prepare(transfer, ticket)).transpose();
        let content = content.unwrap_or_else(|status| {
            answer.reply.status = status;
            answer.reply.payload = Payload::None;
            None
        });
        seal(sealer, &answer, content)
    }

    fn open(&self, envelope: &[u8], lane: Lane) -> Result<(OpenedRequest, PrekeyId, Timestamp), OpenError> {
        let keyring = self.keyring.current();
        let header = RequestHeader::parse(envelope)?;
        let (secret, until) = keyring.prekey(header.prekey).ok_or(OpenError)?;
        let recipient = Recipient { pin: &keyring.pin, inbox: &keyring.inbox, lane };
        Ok((open_request(envelope, secret, recipient)?, header.prekey, until))
    }

    async fn decide(&self, incoming: Incoming, asker: Asker) -> Result<Answer, StoreError> {
        let now = clock::now();
        match asker {
            Asker::Nobody => transact(&self.vault, move |draft| requests::answer_nobody(draft, &incoming, now)).await,
            Asker::Device { id, sequence } => {
                transact(&self.vault, move |draft| {
                    requests::answer(draft, &incoming, id, sequence, now, &mut system_rng())
                })
                .await
            }
            Asker::Enrol(enrolment) => self.enrol(incoming, enrolment, now).await,
        }
    }

    /// The attempt is durable before the PIN is looked at: two transactions, each answered only after its flush.
    async fn enrol(
        &self,
        incoming: Incoming,
        enrolment: requests::Enrolment,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (incoming, enrolment) = (Arc::new(incoming), Arc::new(enrolment));
        let counted = {
            let (incoming, enrolment) = (Arc::clone(&incoming), Arc::clone(&enrolment));
            transact(&self.vault, move |draft| enrol::count(draft, &incoming, &enrolment, now, &mut system_rng()))
                .await?
        };
        match counted {
            Counted::Answer(answer) => Ok(answer),
            Counted::Compare => {
                transact(&self.vault, move |draft| enrol::compare(draft, &incoming, &enrolment, now, &mut system_rng()))
                    .await
            }
        }
    }

    /// Opens the content before the reply is sealed, so that damage is told and not shown as a broken transfer.
    fn prepare(&self, transfer: Transfer, ticket: Ticket) -> Result<Content, Status> {
        let opened = ContentReader::open(&self.folder, transfer.content, &transfer.content_key)
            .and_then(|mut reader| reader.seek(transfer.offset).map(|()| reader));
        let reader = match opened {
            Ok(reader) if reader.length() == transfer.offset + transfer.length => reader,
            Ok(_) | Err(_) => {
                tracing::error!(content = %transfer.content.0.to_hex(), "a document's file is damaged; restore it from a backup");
                return Err(Status::Damaged);
            }
        };
        let subject = Subject { device: transfer.device, patient: transfer.patient, document: transfer.document };
        let running = self.transfers.begin(subject, ticket).ok_or(Status::NotAllowed)?;
        Ok(Content { transfer, reader, running })
    }
}

fn seal(sealer: ReplySealer, answer: &Answer, content: Option<Content>) -> Result<Answered, StoreError> {
    match sealer.seal(&answer.reply, &mut system_rng()) {
        Ok(reply) => Ok(Answered { reply, content }),
        // The reply key of the request was none.
        Err(SealError::BadKey | SealError::TooLong | SealError::PrekeyOver | SealError::BadTime) => decoy(),
    }
}

fn decoy() -> Result<Answered, StoreError> {
    // A fresh key and a fixed body always seal; if ever not, an aborted stream is all that remains.
    let reply = decoy_reply(&mut system_rng()).map_err(|_| StoreError::JobPanicked)?;
    Ok(Answered { reply, content: None })
}
