//! Documents in chunks: whatever a relay does to the stream, what comes out is the document from its start, and it is
//! called complete only when it is.

use std::sync::OnceLock;

use rohrpost_client::Assembly;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectSealer, TAG_BYTES};

use super::samples;
use crate::dice::Dice;
use crate::input::Input;
use crate::target::Verdict;

const LENGTHS: [usize; 6] = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 7000];

struct Object {
    content: Vec<u8>,
    key: ObjectKey,
    number: u8,
    /// The header, then each sealed chunk.
    parts: Vec<Vec<u8>>,
}

/// Two objects of each length, under keys of their own.
fn objects() -> &'static [Object] {
    static OBJECTS: OnceLock<Vec<Object>> = OnceLock::new();
    OBJECTS.get_or_init(|| (0..2 * LENGTHS.len()).map(seal).collect())
}

fn seal(index: usize) -> Object {
    let number = u8::try_from(index).unwrap();
    let content = Dice::new(index as u64).bytes(LENGTHS[index % LENGTHS.len()]);
    let key = ObjectKey::from_bytes([number; 32]);
    let manifest = samples::manifest(&key, number, content.len() as u64);
    let mut sealer = ObjectSealer::new(&key, [number; 24], &manifest.context());
    let mut parts = vec![sealer.header().to_vec()];
    let mut padded = content.clone();
    padded.resize(usize::try_from(manifest.padded).unwrap(), 0);
    let mut rest = &padded[..];
    while !sealer.is_finished() {
        let (piece, left) = rest.split_at(rest.len().min(CHUNK_BYTES));
        let mut chunk = piece.to_vec();
        sealer.seal(&mut chunk).unwrap();
        parts.push(chunk);
        rest = left;
    }
    Object { content, key, number, parts }
}

/// Chunks swapped, repeated, left out, taken from elsewhere, flipped; the stream cut or made longer.
pub(super) fn object(bytes: &[u8]) -> Verdict {
    let objects = objects();
    let mut input = Input::new(bytes);
    let which = input.choice(objects.len());
    let (object, other) = (&objects[which], &objects[(which + LENGTHS.len()) % objects.len()]);
    let stream = disturbed(object, other, &mut input);
    let (received, complete) = receive(object, &stream);
    assert!(object.content.starts_with(&received), "what came out is not the document");
    if complete {
        assert_eq!(received, object.content, "part of a document is called the whole");
        assert_eq!(stream, object.parts.concat(), "a disturbed stream is called complete");
    }
    Verdict::taken(complete)
}

fn disturbed(object: &Object, other: &Object, input: &mut Input<'_>) -> Vec<u8> {
    let mut parts = object.parts.clone();
    let steps = input.choice(6);
    for _ in 0..steps {
        let (at, to) = (input.choice(parts.len()), input.choice(parts.len()));
        match input.choice(6) {
            0 => parts.swap(at, to),
            1 => parts.insert(to, parts[at].clone()),
            2 if parts.len() > 1 => drop(parts.remove(at)),
            3 => parts[at].clone_from(&other.parts[to % other.parts.len()]),
            4 => {
                let (place, bit) = (input.place(parts[at].len()), input.choice(8));
                parts[at].iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            _ => parts[at].truncate(usize::from(input.short())),
        }
    }
    let mut stream = parts.concat();
    match input.choice(4) {
        1 => stream.truncate(stream.len().saturating_sub(usize::from(input.short()))),
        2 => stream.extend_from_slice(input.rest()),
        _ => {}
    }
    stream
}

/// As a download does: exactly what is wanted, and after the last chunk the stream must end.
fn receive(object: &Object, stream: &[u8]) -> (Vec<u8>, bool) {
    let manifest = samples::manifest(&object.key, object.number, object.content.len() as u64);
    let mut assembly = Assembly::new(Box::new(manifest)).unwrap();
    let (mut rest, mut received) = (stream, Vec::new());
    while let Some(wanted) = assembly.wanted() {
        assert!(wanted <= (CHUNK_BYTES + TAG_BYTES).max(HEADER_BYTES), "room is made for {wanted} bytes");
        let Some((piece, left)) = rest.split_at_checked(wanted) else { return (received, false) };
        let Ok(content) = assembly.handle(piece.to_vec()) else { return (received, false) };
        received.extend(content);
        rest = left;
    }
    (received, rest.is_empty())
}

pub(super) fn object_seeds() -> Vec<Vec<u8>> {
    let whole = (0..6).map(|which| vec![which, 0, 0]);
    let kinds = (0..6).map(|kind| vec![5, 1, 1, 2, kind, 0, 9, 3, 0]);
    let ends = [vec![5, 0, 1, 0, 16], vec![5, 0, 2, 1, 2, 3], vec![3, 1, 2, 0, 2, 0]];
    whole.chain(kinds).chain(ends).collect()
}
