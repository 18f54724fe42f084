//! From a sealed envelope to a sealed answer: open, decide in the vault, seal.
//!
//! What does not open, and what cannot be sealed back, is answered with a decoy: to the relay every refusal looks like
//! a reply.

use std::sync::Arc;

use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::body::{DeviceId, Payload, Status};
use rohrpost_e2ee::exchange::{
    Lane, OpenedRequest, Recipient, ReplySealer, RequestHeader, SealError, decoy_reply, open_request,
};
use rohrpost_wire::records::PrekeyId;
use rohrpost_wire::{InboxId, Timestamp};

use super::enrolling;
use super::keyring::{Keyring, SharedKeyring};
use crate::clock;
use crate::requests::{self, Answer, Asker, Incoming, Transfer};
use crate::transfers::{NotBegun, Running, Subject, Ticket, Transfers};
use crate::vault::{ContentError, ContentReader, Draft, Folder, StoreError, VaultHandle, system_rng};

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

    /// Answers an envelope. Fails only with the store as a whole; the effect, if any, is durable when this returns.
    pub(super) async fn answer(&self, envelope: &[u8], lane: Lane) -> Result<Answered, StoreError> {
        let ticket = self.transfers.ticket();
        let Ok((opened, prekey, until)) = self.open(envelope, lane) else { return decoy() };
        let (incoming, asker, sealer) = Incoming::new(opened, prekey, until, lane == Lane::Live);
        let (request, device) = (incoming.id, asker.device());
        let mut answer = match self.decide(incoming, asker).await? {
            Ok(answer) => answer,
            // One damaged row is one request's misfortune: everybody else's go on.
            Err(error) => {
                tracing::error!(reason = %error, "a stored row cannot be read; see docs/operations.md");
                Answer::damaged(request, self.highest_sequence(device).await?, clock::now())
            }
        };
        let content = match answer.transfer.take() {
            Some(transfer) => self.prepare(transfer, ticket).await.map(Some),
            None => Ok(None),
        };
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

    async fn decide(&self, incoming: Incoming, asker: Asker) -> Result<Result<Answer, StoreError>, StoreError> {
        let now = clock::now();
        match asker {
            Asker::Nobody => self.vault.transact(move |draft| requests::answer_nobody(draft, &incoming, now)).await,
            Asker::Device { id, sequence } => {
                let answer = move |draft: &mut Draft<'_>| {
                    requests::answer(draft, &incoming, id, sequence, now, &mut system_rng())
                };
                self.vault.transact(answer).await
            }
            Asker::Enrol(enrolment) => {
                let enrolled = enrolling::enrol(&self.vault, incoming, enrolment, now);
                enrolling::on_the_grid(enrolling::GRID, enrolled).await
            }
        }
    }

    async fn highest_sequence(&self, device: Option<DeviceId>) -> Result<u64, StoreError> {
        let Some(device) = device else { return Ok(0) };
        let highest = self.vault.transact(move |draft| requests::highest_sequence(draft, device)).await?;
        Ok(highest.unwrap_or(0))
    }

    /// Opens the content before the reply is sealed, so that damage is told and not shown as a broken transfer.
    async fn prepare(&self, transfer: Transfer, ticket: Ticket) -> Result<Content, Status> {
        let subject = Subject { device: transfer.device, patient: transfer.patient, document: transfer.document };
        let running = self.transfers.begin(subject, ticket).map_err(|refused| match refused {
            NotBegun::Revoked => Status::NotAllowed,
            NotBegun::Busy => Status::Busy,
        })?;
        let (content, folder) = (transfer.content, Arc::clone(&self.folder));
        let opening = tokio::task::spawn_blocking(move || {
            let mut reader = ContentReader::open(&folder, transfer.content, &transfer.content_key)?;
            reader.seek(transfer.offset)?;
            let whole = reader.length() == transfer.offset + transfer.length;
            if whole { Ok((transfer, reader)) } else { Err(ContentError::Damaged) }
        });
        if let Ok(Ok((transfer, reader))) = opening.await {
            return Ok(Content { transfer, reader, running });
        }
        tracing::error!(content = %content.0.to_hex(), "a document's file is damaged; restore it from a backup");
        Err(Status::Damaged)
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

#[cfg(test)]
mod tests;
