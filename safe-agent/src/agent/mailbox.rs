//! Envelopes that waited at the relay: each answered into its reply mailbox, then acknowledged.
//!
//! The order is the promise: an envelope is erased at the relay only after its effect is durable here and its answer
//! durable there. A crash in between brings it again, and the outcome kept here makes that harmless. One that does not
//! open is acknowledged too: it must never stand before the others.

use std::time::Duration;

use rohrpost_client::{AskError, Connection, Delivered};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, ErrorCode, MailboxId};

use super::answering::Answering;
use crate::vault::StoreError;

/// The pause after the relay could not give or take; long enough for whatever is full to be emptied.
const PAUSE: Duration = Duration::from_secs(10);

/// Takes envelopes until the connection ends.
pub(super) async fn empty(answering: &Answering, connection: &Connection) -> Result<(), StoreError> {
    while !connection.is_closed() {
        if !take(answering, connection).await? {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = connection.closed() => {}
            }
        }
    }
    Ok(())
}

/// Takes what waits, in order, up to the first that the relay does not take the answer of. False when nothing could be
/// done.
async fn take(answering: &Answering, connection: &Connection) -> Result<bool, StoreError> {
    let Ok(delivered) = connection.fetch(answering.inbox(), true).await else { return Ok(false) };
    let mut done: Vec<EnvelopeId> = Vec::new();
    for envelope in &delivered {
        match answer(answering, connection, envelope).await? {
            Ok(()) => done.push(envelope.delivery.id),
            Err(_) => break,
        }
    }
    Ok(!done.is_empty() && connection.ack(done).await.is_ok())
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
