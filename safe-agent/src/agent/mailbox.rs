//! Envelopes that waited at the relay: each answered into its reply mailbox, then acknowledged.
//!
//! The order is the promise: an envelope is erased at the relay only after its effect is durable here and its answer
//! durable there. A crash in between brings it again, and the outcome kept here makes that harmless. One that does not
//! open is acknowledged too: it must never stand before the others.

use std::sync::Arc;
use std::time::Duration;

use rohrpost_client::{AskError, Connection, Delivered};
use rohrpost_e2ee::exchange::Lane;
use rohrpost_wire::frame::{Deposit, Destination};
use rohrpost_wire::{EnvelopeId, ErrorCode, MailboxId, limits};
use tokio::task::{JoinError, JoinSet};

use super::answering::Answering;
use crate::vault::StoreError;

/// The pause after the relay could not give or take; long enough for whatever is full to be emptied.
const PAUSE: Duration = Duration::from_secs(10);

/// Envelopes answered at once, so that they share the vault's flushes: all of one fetch. An enrolment keeps its place for
/// half a second, and those of strangers must not stand before everybody else's requests.
const AT_ONCE: usize = limits::FETCH_ENVELOPES;

/// Takes envelopes until the connection ends.
pub(super) async fn empty(answering: Answering, connection: Arc<Connection>) -> Result<(), StoreError> {
    while !connection.is_closed() {
        if !take(&answering, &connection).await? {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = connection.closed() => {}
            }
        }
    }
    Ok(())
}

/// Answers what waits and acknowledges what was answered. False when nothing was done.
async fn take(answering: &Answering, connection: &Arc<Connection>) -> Result<bool, StoreError> {
    let delivered = match connection.fetch(answering.inbox(), true).await {
        Ok(delivered) => delivered,
        Err(error) => {
            tracing::debug!(reason = %error, "the relay gives no envelopes now");
            return Ok(false);
        }
    };
    let mut tasks = JoinSet::new();
    let mut done: Vec<EnvelopeId> = Vec::new();
    for envelope in delivered {
        if tasks.len() >= AT_ONCE {
            done.extend(tasks.join_next().await.map_or(Ok(None), joined)?);
        }
        let (answering, connection) = (answering.clone(), Arc::clone(connection));
        tasks.spawn(async move { handle(&answering, &connection, &envelope).await });
    }
    while let Some(ended) = tasks.join_next().await {
        done.extend(joined(ended)?);
    }
    Ok(!done.is_empty() && connection.ack(done).await.is_ok())
}

type Ended = Result<Result<Option<EnvelopeId>, StoreError>, JoinError>;

/// An answer that broke off by a fault of our own is not acknowledged, so its envelope comes again.
fn joined(ended: Ended) -> Result<Option<EnvelopeId>, StoreError> {
    ended.unwrap_or(Ok(None))
}

/// The envelope's id when it is done with.
async fn handle(
    answering: &Answering,
    connection: &Connection,
    delivered: &Delivered,
) -> Result<Option<EnvelopeId>, StoreError> {
    let id = delivered.delivery.id;
    match answer(answering, connection, delivered).await {
        Ok(Ok(())) => Ok(Some(id)),
        Ok(Err(_)) | Err(StoreError::DiskFull) => Ok(None),
        // It would break off every time and stand before all others for ever.
        Err(StoreError::JobPanicked) => {
            tracing::error!("a deposited request made its handler fail and was set aside; please report this");
            Ok(Some(id))
        }
        Err(error) => Err(error),
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
