//! `deposit`: an envelope to keep, answered when it is durable.

use rohrpost_wire::{Frame, frame, limits};

use crate::connection::Session;
use crate::splice::End;
use crate::stream::{self, StreamEnd};

pub(super) async fn answer(session: &Session, end: &mut End, deposit: frame::Deposit) -> Result<(), StreamEnd> {
    let house = &session.house;
    let length = stream::read_blob_length(&mut end.recv, limits::ENVELOPE_BYTES).await?;
    let (_turn, memory) = session.blob_room(length).await?;
    let envelope = stream::read_blob(&mut end.recv, length).await?;
    let queued = house.spool.deposit(deposit, envelope, session.inbox(), memory).await;
    let id = queued.map_err(StreamEnd::Refused)?;
    house.metrics.queued.add();
    stream::write_frame(&mut end.send, &Frame::Queued(id)).await
}
