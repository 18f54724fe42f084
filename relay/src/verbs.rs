//! What a peer can ask on a stream, and who answers it.

use rohrpost_wire::{ErrorCode, Frame, InboxId, frame, limits, proof};

use crate::connection::{Session, reserve};
use crate::splice::End;
use crate::stream::{self, StreamEnd};

mod call;
mod deposit;
mod fetch;

/// Reads the request on a fresh stream and answers it.
pub(crate) async fn answer(session: &Session, end: &mut End) -> Result<(), StreamEnd> {
    match stream::read_frame(&mut end.recv).await? {
        Frame::Login(login) => self::login(session, end, &login).await,
        Frame::Publish => publish(session, end).await,
        Frame::Records(inbox) => records(session, end, inbox).await,
        Frame::Call(call) => call::answer(session, end, call).await,
        Frame::Deposit(deposit) => deposit::answer(session, end, deposit).await,
        Frame::Fetch(fetch) => fetch::answer(session, end, &fetch).await,
        Frame::Ack(ack) => fetch::answer_ack(session, end, ack).await,
        Frame::Challenge => challenge(session, end).await,
        Frame::Refused(_)
        | Frame::Done
        | Frame::Queued(_)
        | Frame::Delivery(_)
        | Frame::Drained
        | Frame::Challenged(_)
        | Frame::Incoming(_) => Err(StreamEnd::Misbehaved(ErrorCode::UnexpectedFrame)),
    }
}

async fn login(session: &Session, end: &mut End, login: &frame::Login) -> Result<(), StreamEnd> {
    let held = proof::verify_login(login, &session.house.key_hash, &session.exporter()?);
    held.map_err(|_| StreamEnd::Refused(ErrorCode::BadProof))?;
    let inbox = InboxId::of_route_key(&login.route_key.0);
    session.house.board.login(session.id, inbox).map_err(StreamEnd::Refused)?;
    session.house.metrics.logins.add();
    session.line.become_safe();
    stream::write_frame(&mut end.send, &Frame::Done).await
}

async fn publish(session: &Session, end: &mut End) -> Result<(), StreamEnd> {
    let inbox = session.own_inbox()?;
    let length = stream::read_blob_length(&mut end.recv, limits::RECORDS_BYTES).await?;
    let (_turn, memory) = session.blob_room(length).await?;
    let records = stream::read_blob(&mut end.recv, length).await?;
    session.house.spool.publish(inbox, records, memory).await.map_err(StreamEnd::Refused)?;
    stream::write_frame(&mut end.send, &Frame::Done).await
}

async fn records(session: &Session, end: &mut End, inbox: InboxId) -> Result<(), StreamEnd> {
    let _turn = session.blob_turn().await?;
    let _memory = reserve(&session.house.leaving, limits::RECORDS_BYTES).await?;
    let records = session.house.spool.records(inbox).await.map_err(StreamEnd::Refused)?;
    stream::write_frame(&mut end.send, &Frame::Done).await?;
    stream::write_blob(&mut end.send, &records).await
}

async fn challenge(session: &Session, end: &mut End) -> Result<(), StreamEnd> {
    let challenge = session.draw_challenge()?;
    stream::write_frame(&mut end.send, &Frame::Challenged(challenge)).await
}
