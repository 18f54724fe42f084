//! Envelopes that waited at the relay: each answered into its reply mailbox, then acknowledged.
//!
//! The order is the promise: an envelope is erased at the relay only after its effect is durable here and its answer
//! durable there. A crash in between brings it again, and the outcome kept here makes that harmless. One that does not
//! open is acknowledged too: it must never stand before the others.

use rohrpost_client::{AskError, Connection, Delivered};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, ErrorCode, MailboxId};

use super::answering::Answering;
use crate::vault::StoreError;

/// Takes envelopes until the connection ends.
pub(super) async fn empty(answering: &Answering, connection: &Connection) -> Result<(), StoreError> {
    loop {
        let Ok(delivered) = connection.fetch(true).await else { return Ok(()) };
        let mut done: Vec<EnvelopeId> = Vec::new();
        for envelope in delivered {
            match answer(answering, connection, &envelope).await? {
                Ok(()) => done.push(envelope.delivery.id),
                Err(_) => break,
            }
        }
        // Nothing done means that the relay does not take answers now: it will close, or has.
        if done.is_empty() || connection.ack(done).await.is_err() {
            connection.closed().await;
            return Ok(());
        }
    }
}

async fn answer(
    answering: &Answering,
    connection: &Connection,
    delivered: &Delivered,
) -> Result<Result<(), AskError>, StoreError> {
    let delivery = &delivered.delivery;
    let lane = Lane::Deposit { ttl: delivery.ttl, reply_mailbox: delivery.reply_mailbox };
    let answered = answering.answer(&delivered.envelope, lane).await?;
    let Some(mailbox) = delivery.reply_mailbox else { return Ok(Ok(())) };
    let to = Destination::Mailbox(MailboxId::of_key(&mailbox.0));
    let deposit = Deposit { to, ticket: None, ttl: delivery.ttl, reply_mailbox: None };
    Ok(match connection.deposit(&deposit, &answered.reply).await {
        // The mailbox is gone or has all it may have: nobody waits for this answer any more.
        Err(AskError::Refused(ErrorCode::Unknown | ErrorCode::Full)) => Ok(()),
        deposited => deposited.map(|_| ()),
    })
}
