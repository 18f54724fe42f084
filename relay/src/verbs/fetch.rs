//! `fetch` and `ack`: what waits is delivered until its owner says that it is safely taken over.

use rohrpost_wire::frame::{Ack, Delivery, Destination, Fetch};
use rohrpost_wire::proof::MailboxVerb;
use rohrpost_wire::{ErrorCode, Frame, limits};

use crate::connection::{Session, reserve};
use crate::mailbox::Slot;
use crate::splice::End;
use crate::stream::{self, StreamEnd};

pub(super) async fn answer(session: &Session, end: &mut End, fetch: &Fetch) -> Result<(), StreamEnd> {
    let delivered = match fetch {
        Fetch::Mailbox(proof) => {
            let mailbox = session.prove_mailbox(proof, MailboxVerb::Fetch, &[])?;
            deliver(session, end, mailbox).await?.delivered
        }
        Fetch::Inbox { wait } => {
            let inbox = Destination::Inbox(session.own_inbox()?);
            let delivered = deliver(session, end, inbox).await?.delivered;
            if *wait && delivered == 0 { deliver_first(session, end).await? } else { delivered }
        }
    };
    session.house.metrics.delivered.add_many(delivered);
    stream::write_frame(&mut end.send, &Frame::Drained).await
}

pub(super) async fn answer_ack(session: &Session, end: &mut End, ack: Ack) -> Result<(), StreamEnd> {
    let owner = match &ack.mailbox {
        Some(proof) => session.prove_mailbox(proof, MailboxVerb::Ack, &ack.ids)?,
        None => Destination::Inbox(session.own_inbox()?),
    };
    session.house.spool.ack(owner, ack.ids.into()).await.map_err(StreamEnd::Refused)?;
    stream::write_frame(&mut end.send, &Frame::Done).await
}

/// Waits until something can be delivered from the connection's own inbox.
async fn deliver_first(session: &Session, end: &mut End) -> Result<u64, StreamEnd> {
    let _wait = session.waits.try_acquire().map_err(|_| StreamEnd::Refused(ErrorCode::Busy))?;
    let listener = session.house.arrivals.listen(session.own_inbox()?);
    let stopped = end.send.stopped();
    tokio::pin!(stopped);
    loop {
        // Asked for before looking, so that an envelope that comes in between is not missed.
        let rung = listener.bell().notified();
        let round = deliver(session, end, Destination::Inbox(session.own_inbox()?)).await?;
        if round.delivered > 0 {
            return Ok(round.delivered);
        }
        // All that was found has been set aside as damaged: there may be more behind it.
        if round.found {
            continue;
        }
        tokio::select! {
            () = rung => {}
            _ = &mut stopped => return Err(StreamEnd::Gone),
        }
    }
}

/// One look at what waits.
struct Round {
    found: bool,
    delivered: u64,
}

async fn deliver(session: &Session, end: &mut End, from: Destination) -> Result<Round, StreamEnd> {
    let waiting = session.house.spool.list(from).await.map_err(StreamEnd::Refused)?;
    let mut round = Round { found: !waiting.is_empty(), delivered: 0 };
    for (slot, bytes) in waiting {
        if deliver_one(session, end, from, slot, bytes).await? {
            round.delivered += 1;
        }
    }
    Ok(round)
}

async fn deliver_one(
    session: &Session,
    end: &mut End,
    from: Destination,
    slot: Slot,
    bytes: u64,
) -> Result<bool, StreamEnd> {
    let house = &session.house;
    let _turn = session.blob_turn().await?;
    let _memory = reserve(&house.leaving, usize::try_from(bytes).unwrap_or(limits::ENVELOPE_BYTES)).await?;
    // It may have been acked on another stream, have expired, or turn out to be damaged.
    let Some(stored) = house.spool.read(from, slot).await.map_err(StreamEnd::Refused)? else { return Ok(false) };
    let delivery = Delivery { id: stored.id, ttl: stored.ttl, reply_mailbox: stored.reply_mailbox };
    stream::write_frame(&mut end.send, &Frame::Delivery(delivery)).await?;
    stream::write_blob(&mut end.send, &stored.bytes).await?;
    Ok(true)
}
