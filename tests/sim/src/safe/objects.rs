//! A document's bytes on their way: padded and sealed for one transfer, as the product's sending thread does.

use rohrpost_e2ee::object::{CHUNK_BYTES, ObjectSealer};
use rohrpost_safe_agent::requests::Transfer;

/// Adds the object that follows a reply.
///
/// # Panics
///
/// If the transfer speaks of bytes that are not there.
#[expect(clippy::expect_used, reason = "the content is what was imported, and chunks are of the length they must be")]
pub(super) fn push(bytes: &mut Vec<u8>, transfer: &Transfer, content: &[u8]) {
    let start = usize::try_from(transfer.offset).expect("small");
    let mut padded = content.get(start..).expect("the offset lies within").to_vec();
    assert_eq!(padded.len() as u64, transfer.length, "the transfer is as long as the content");
    padded.resize(usize::try_from(transfer.padded).expect("small"), 0);
    let mut sealer = ObjectSealer::new(&transfer.object_key, transfer.salt, &transfer.context);
    bytes.extend(sealer.header());
    let mut chunks = padded.chunks(CHUNK_BYTES);
    while !sealer.is_finished() {
        let mut chunk = chunks.next().unwrap_or_default().to_vec();
        sealer.seal(&mut chunk).expect("a chunk may follow");
        bytes.extend(chunk);
    }
}
