//! Sending a reply and the content behind it.
//!
//! A thread reads, opens and seals; a task writes what flow control takes. Between them a few blocks, so that a slow
//! reader costs a bounded amount of memory, and a revocation ends the transfer wherever it is.

use std::time::Duration;

use rohrpost_client::{AskError, IncomingCall};
use rohrpost_e2ee::object::{CHUNK_BYTES, ObjectSealer, TAG_BYTES};
use rohrpost_wire::Timestamp;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::answering::{Answered, Content};
use crate::clock;
use crate::handlers::Transfer;
use crate::vault::{ContentError, ContentReader};

/// Sealed chunks in one block.
const BLOCK_CHUNKS: usize = 8;
/// Blocks between the reading thread and the network: with the one at each end, about 800 KiB a transfer.
const BLOCKS_AHEAD: usize = 4;

/// Sends the whole answer or breaks it off. There is nobody to tell of a failure: the caller sees it itself.
pub(super) async fn send(mut call: IncomingCall, answered: Answered) {
    match (call.reply(&answered.reply).await, answered.content) {
        (Ok(()), Some(content)) => send_content(call, content).await,
        (Ok(()), None) => call.finish(),
        (Err(_), _) => call.abort(),
    }
}

async fn send_content(mut call: IncomingCall, content: Content) {
    let Content { transfer, reader, mut running } = content;
    let until = transfer.until;
    let (blocks, mut ready) = mpsc::channel(BLOCKS_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read_blocks(ObjectSource::new(reader, &transfer), &blocks));
    let written = tokio::select! {
        written = write_blocks(&mut call, &mut ready) => written.is_ok(),
        () = running.cancelled() => false,
        () = over(until) => false,
    };
    if !written {
        // First of all: what is on its way already shall not arrive.
        call.abort();
        return;
    }
    // All that was read is written; whether that was the end only the reader knows.
    if matches!(reading.await, Ok(Ok(()))) { call.finish() } else { call.abort() }
}

/// Resolves when the share has ended, looking at the clock now and then: it may be set while a transfer runs.
async fn over(until: Option<Timestamp>) {
    let Some(until) = until else { return std::future::pending().await };
    let mut look = tokio::time::interval(Duration::from_secs(1));
    while clock::now() <= until {
        look.tick().await;
    }
}

async fn write_blocks(call: &mut IncomingCall, ready: &mut mpsc::Receiver<Vec<u8>>) -> Result<(), AskError> {
    while let Some(block) = ready.recv().await {
        call.write(&block).await?;
    }
    Ok(())
}

fn read_blocks(mut source: ObjectSource, blocks: &mpsc::Sender<Vec<u8>>) -> Result<(), ContentError> {
    let mut block = source.sealer.header().to_vec();
    while !source.sealer.is_finished() {
        block.reserve(BLOCK_CHUNKS * (CHUNK_BYTES + TAG_BYTES));
        for _ in 0..BLOCK_CHUNKS {
            source.next(&mut block)?;
        }
        if blocks.blocking_send(std::mem::take(&mut block)).is_err() {
            return Err(ContentError::Abandoned);
        }
    }
    Ok(())
}

/// A document's bytes from an offset on, padded with zeros and sealed for one transfer.
struct ObjectSource {
    reader: ContentReader,
    sealer: ObjectSealer,
    /// Bytes of content to come.
    content: u64,
    /// Zeros to come behind them.
    padding: u64,
    chunk: Zeroizing<Vec<u8>>,
}

impl ObjectSource {
    fn new(reader: ContentReader, transfer: &Transfer) -> Self {
        Self {
            reader,
            sealer: ObjectSealer::new(&transfer.object_key, transfer.salt, &transfer.context),
            content: transfer.length,
            padding: transfer.padded - transfer.length,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES)),
        }
    }

    /// Appends the next sealed chunk; nothing after the last.
    fn next(&mut self, block: &mut Vec<u8>) -> Result<(), ContentError> {
        if self.sealer.is_finished() {
            return Ok(());
        }
        self.chunk.clear();
        self.fill_content()?;
        self.fill_padding();
        self.sealer.seal(&mut self.chunk).map_err(|_| ContentError::Abandoned)?;
        block.extend_from_slice(&self.chunk);
        Ok(())
    }

    fn fill_content(&mut self) -> Result<(), ContentError> {
        let wanted = CHUNK_BYTES.min(usize::try_from(self.content).unwrap_or(usize::MAX));
        self.chunk.resize(wanted, 0);
        let mut filled = 0;
        while filled < wanted {
            let rest = self.chunk.get_mut(filled..).unwrap_or_default();
            match self.reader.read(rest)? {
                0 => return Err(ContentError::Damaged),
                read => filled += read,
            }
        }
        self.content -= wanted as u64;
        Ok(())
    }

    fn fill_padding(&mut self) {
        let room = CHUNK_BYTES - self.chunk.len();
        let zeros = room.min(usize::try_from(self.padding).unwrap_or(usize::MAX));
        let filled = self.chunk.len() + zeros;
        self.chunk.resize(filled, 0);
        self.padding -= zeros as u64;
    }
}
