use proptest::prelude::*;

use super::*;

const CONTEXT: &[u8] = b"a context";

fn key() -> ObjectKey {
    ObjectKey::from_bytes([7; 32])
}

fn seal(content: &[u8], salt: u8) -> Vec<Vec<u8>> {
    let mut sealer = ObjectSealer::new(&key(), [salt; SALT_BYTES], CONTEXT);
    let mut parts = vec![sealer.header().to_vec()];
    let mut chunks: Vec<Vec<u8>> = content.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    if chunks.last().is_none_or(|last| last.len() == CHUNK_BYTES) {
        chunks.push(Vec::new());
    }
    for mut chunk in chunks {
        sealer.seal(&mut chunk).unwrap();
        parts.push(chunk);
    }
    assert!(sealer.is_finished());
    parts
}

fn open(parts: &[Vec<u8>]) -> Result<Vec<u8>, OpenError> {
    let header = parts[0].as_slice().try_into().map_err(|_| OpenError)?;
    let mut opener = ObjectOpener::new(&key(), header, CONTEXT)?;
    let mut content = Vec::new();
    for part in &parts[1..] {
        let mut chunk = part.clone();
        opener.open_in_place(&mut chunk)?;
        content.extend(chunk);
    }
    if opener.is_finished() { Ok(content) } else { Err(OpenError) }
}

#[test]
fn contents_of_every_edge_length_come_back() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5] {
        let content: Vec<u8> = (0..=250).cycle().take(length).collect();
        let parts = seal(&content, 1);
        let total: usize = parts.iter().map(Vec::len).sum();
        assert_eq!(Some(total as u64), sealed_length(length as u64), "length {length}");
        assert_eq!(open(&parts).unwrap(), content);
    }
}

#[test]
fn a_length_beyond_what_an_object_holds_has_no_sealed_length() {
    let most = CHUNKS_MAX * CHUNK_BYTES as u64 - 1;
    assert_eq!(sealed_length(most), Some(HEADER_BYTES as u64 + most + CHUNKS_MAX * TAG_BYTES as u64));
    for length in [most + 1, u64::MAX - 100, u64::MAX] {
        assert_eq!(sealed_length(length), None);
    }
}

#[test]
fn an_object_without_its_last_chunk_is_truncated() {
    let parts = seal(&vec![5; 2 * CHUNK_BYTES], 1);
    assert_eq!(open(&parts[..parts.len() - 1]), Err(OpenError));
}

#[test]
fn nothing_follows_the_last_chunk() {
    let mut parts = seal(b"short", 1);
    parts.push(parts[1].clone());
    assert_eq!(open(&parts), Err(OpenError));
    let mut sealer = ObjectSealer::new(&key(), [1; SALT_BYTES], CONTEXT);
    sealer.seal(&mut b"last".to_vec()).unwrap();
    assert_eq!(sealer.seal(&mut Vec::new()), Err(SealError));
}

#[test]
fn chunks_swapped_or_spliced_from_another_object_are_refused() {
    let parts = seal(&vec![5; 3 * CHUNK_BYTES], 1);
    let mut swapped = parts.clone();
    swapped.swap(1, 2);
    assert_eq!(open(&swapped), Err(OpenError));
    let mut spliced = parts;
    spliced[2] = seal(&vec![5; 3 * CHUNK_BYTES], 2)[2].clone();
    assert_eq!(open(&spliced), Err(OpenError));
}

#[test]
fn another_key_or_context_is_refused_at_the_header() {
    let parts = seal(b"content", 1);
    let header: &[u8; HEADER_BYTES] = parts[0].as_slice().try_into().unwrap();
    assert_eq!(ObjectOpener::new(&key(), header, b"another").unwrap_err(), OpenError);
    assert_eq!(ObjectOpener::new(&ObjectKey::from_bytes([8; 32]), header, CONTEXT).unwrap_err(), OpenError);
}

#[test]
fn any_chunk_opens_by_its_index() {
    let content: Vec<u8> = (0..=250).cycle().take(3 * CHUNK_BYTES + 9).collect();
    let parts = seal(&content, 1);
    let header = parts[0].as_slice().try_into().unwrap();
    let mut opener = ObjectOpener::new(&key(), header, CONTEXT).unwrap();
    for index in [3, 0, 2, 1] {
        opener.seek(index as u64);
        let mut chunk = parts[index + 1].clone();
        opener.open_in_place(&mut chunk).unwrap();
        let start = index * CHUNK_BYTES;
        assert_eq!(chunk, content[start..content.len().min(start + CHUNK_BYTES)]);
    }
}

/// The parts as a reader cuts them from a stream.
fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (header, rest) = bytes.split_at(HEADER_BYTES.min(bytes.len()));
    std::iter::once(header).chain(rest.chunks(CHUNK_BYTES + TAG_BYTES)).map(<[u8]>::to_vec).collect()
}

const SEALED_CHUNK: usize = CHUNK_BYTES + TAG_BYTES;

/// Every 97th byte, and all within 20 bytes of a place where something begins or ends.
fn places(length: usize) -> impl Iterator<Item = usize> {
    let begins = (0..=4).map(|chunk| HEADER_BYTES + chunk * SEALED_CHUNK);
    let edges: Vec<usize> = begins.chain([0, SALT_BYTES, length]).collect();
    let near = move |at: usize| edges.iter().any(|edge| edge.abs_diff(at) <= 20 || edge.abs_diff(at + TAG_BYTES) <= 20);
    (0..length).filter(move |at| at % 97 == 0 || near(*at))
}

#[test]
fn an_object_of_several_chunks_with_a_byte_changed_or_cut_off_is_refused() {
    for length in [3 * CHUNK_BYTES + 5, 3 * CHUNK_BYTES] {
        let content: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut bytes = seal(&content, 1).concat();
        assert_eq!(open(&cut(&bytes)).unwrap(), content);
        for at in places(bytes.len()) {
            bytes[at] ^= 1 << (at % 8);
            assert_eq!(open(&cut(&bytes)), Err(OpenError), "byte {at} of {} changed", bytes.len());
            bytes[at] ^= 1 << (at % 8);
            assert_eq!(open(&cut(&bytes[..at])), Err(OpenError), "cut at {at} of {}", bytes.len());
        }
    }
}

proptest! {
    #[test]
    fn every_flipped_byte_is_refused(length in 0usize..40, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut parts = seal(&vec![3; length], 1);
        let total = parts[0].len() + parts[1].len();
        let at = at.index(total);
        let (part, offset) = if at < HEADER_BYTES { (0, at) } else { (1, at - HEADER_BYTES) };
        parts[part][offset] ^= 1 << bit;
        prop_assert_eq!(open(&parts), Err(OpenError));
    }
}
