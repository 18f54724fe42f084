//! The two ends of the rows that carry opaque bytes: one asks, one answers, whatever lies between them.
//!
//! The asking end is the client library's own `call`. The answering end is its own incoming call, or, where there is
//! nothing in between, a bare stream that says the same frames.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use quinn::{RecvStream, SendStream};
use rohrpost_client::{Connection, IncomingCall, Role};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::frame::blob_prefix;
use rohrpost_wire::{Frame, InboxId, RelayAddress};
use tokio::task::JoinSet;

use crate::bare;

/// What a request asks of the answering end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Bytes of the reply.
    pub(crate) reply: u32,
    /// Bytes that follow it.
    pub(crate) bulk: u64,
}

/// The length of every request.
pub(crate) const REQUEST_BYTES: usize = 256;
/// As the safe sends: eight sealed chunks at a time.
const BLOCK_BYTES: usize = 8 * (16 * 1024 + 16);
/// As the client reads: a sealed chunk at a time.
const CHUNK_BYTES: usize = 16 * 1024 + 16;

impl Wanted {
    fn encode(self) -> Vec<u8> {
        let mut request = [&self.reply.to_be_bytes()[..], &self.bulk.to_be_bytes()].concat();
        request.resize(REQUEST_BYTES, 0);
        request
    }

    fn decode(request: &[u8]) -> Result<Self> {
        let (reply, rest) = request.split_first_chunk().context("short request")?;
        let (bulk, _) = rest.split_first_chunk().context("short request")?;
        Ok(Self { reply: u32::from_be_bytes(*reply), bulk: u64::from_be_bytes(*bulk) })
    }
}

/// The asking end.
#[derive(Debug)]
pub(crate) struct Caller {
    connection: Connection,
    inbox: InboxId,
}

impl Caller {
    /// Connects to whatever answers or forwards there.
    pub(crate) async fn dial(place: &RelayAddress) -> Result<Arc<Self>> {
        let connection = Connection::dial(place, Role::Visitor).await?;
        Ok(Arc::new(Self { connection, inbox: InboxId::of_route_key(&route_key().public().0) }))
    }

    /// Asks once and reads everything to its end.
    pub(crate) async fn call(&self, wanted: Wanted) -> Result<()> {
        let mut answer = self.connection.call(self.inbox, None, &wanted.encode()).await?;
        ensure!(answer.reply.len() == usize::try_from(wanted.reply)?, "the reply has another length");
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut bulk = 0;
        while let Some(read) = answer.rest.read(&mut chunk).await? {
            bulk += read as u64;
        }
        ensure!(bulk == wanted.bulk, "the bulk has another length");
        Ok(())
    }
}

/// Answers what a relay brings, as the safe whose inbox [`Caller`] calls. Runs until it is ended.
pub(crate) async fn answer_at(place: &RelayAddress, login: bool) -> Result<()> {
    let connection = Connection::dial(place, Role::Safe).await?;
    if login {
        connection.login(&route_key(), 1).await?;
    }
    println!("ready");
    let mut calls = JoinSet::new();
    while let Some(call) = connection.accept().await {
        calls.spawn(answer_call(call));
        while calls.try_join_next().is_some() {}
    }
    Ok(())
}

/// Answers whoever connects. Runs until it is ended.
pub(crate) async fn answer_directly() -> Result<()> {
    let endpoint = bare::listen()?;
    let mut callers = JoinSet::new();
    while let Some(incoming) = endpoint.accept().await {
        callers.spawn(async move {
            let Ok(caller) = incoming.await else { return };
            let mut calls = JoinSet::new();
            while let Ok((send, recv)) = caller.accept_bi().await {
                calls.spawn(answer_stream(send, recv));
                while calls.try_join_next().is_some() {}
            }
        });
    }
    Ok(())
}

async fn answer_call(mut call: IncomingCall) -> Result<()> {
    let (_ticket, request) = call.request().await?;
    let wanted = Wanted::decode(&request)?;
    call.reply(&vec![0; usize::try_from(wanted.reply)?]).await?;
    for length in blocks(wanted.bulk) {
        call.write(&vec![0; length]).await?;
    }
    call.finish();
    Ok(())
}

async fn answer_stream(mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    bare::skip_frame(&mut recv).await?;
    send.write_all(&Frame::Done.encode()).await?;
    let mut request = [0; 4 + REQUEST_BYTES];
    recv.read_exact(&mut request).await?;
    let (_length, request) = request.split_at(4);
    let wanted = Wanted::decode(request)?;
    let reply = vec![0; usize::try_from(wanted.reply)?];
    send.write_all(&blob_prefix(&reply)).await?;
    send.write_all(&reply).await?;
    for length in blocks(wanted.bulk) {
        send.write_all(&vec![0; length]).await?;
    }
    Ok(send.finish()?)
}

/// The lengths of the blocks in which so many bytes are sent.
fn blocks(bytes: u64) -> impl Iterator<Item = usize> {
    let block = BLOCK_BYTES as u64;
    (0..bytes.div_ceil(block))
        .map(move |number| usize::try_from(bytes - number * block).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES)))
}

/// The route key of the answering end: nothing is guarded by it.
fn route_key() -> SigningSecret {
    SigningSecret::from_bytes(&[7; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_it_wants() {
        let wanted = Wanted { reply: 4096, bulk: 200_000_000 };
        assert_eq!(wanted.encode().len(), REQUEST_BYTES);
        assert_eq!(Wanted::decode(&wanted.encode()).unwrap(), wanted);
        assert!(Wanted::decode(&[0; 11]).is_err());
    }

    #[test]
    fn blocks_are_full_but_for_the_last() {
        assert_eq!(blocks(0).count(), 0);
        assert_eq!(blocks(1).collect::<Vec<_>>(), [1]);
        let lengths: Vec<_> = blocks(2 * BLOCK_BYTES as u64 + 5).collect();
        assert_eq!(lengths, [BLOCK_BYTES, BLOCK_BYTES, 5]);
    }
}
