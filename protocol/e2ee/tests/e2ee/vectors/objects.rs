//! Objects: header, chunks, their end, and the manifests that stand for them.

use ring::digest;
use rohrpost_e2ee::OpenError;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, ObjectOpener, ObjectSealer, TAG_BYTES};
use rohrpost_wire::fixed::Fixed;

use super::bodies::manifest;
use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};
use super::reference::bytes;

pub(super) const VECTORS: Vectors = Vectors { name: "objects.json", write, check };
pub(super) const MANIFESTS: Vectors = Vectors { name: "manifests.json", write: write_manifests, check: check_manifest };

const SALT: [u8; 24] = [0x61; 24];
const CONTEXT: &[u8] = b"a context";

/// The content of every object here: byte i is i mod 251.
fn content(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn seal(key: [u8; 32], content: &[u8]) -> Vec<u8> {
    let mut sealer = ObjectSealer::new(&ObjectKey::from_bytes(key), SALT, CONTEXT);
    let mut object = sealer.header().to_vec();
    let mut rest = content;
    while !sealer.is_finished() {
        let (chunk, behind) = rest.split_at(rest.len().min(CHUNK_BYTES));
        let mut chunk = chunk.to_vec();
        sealer.seal(&mut chunk).unwrap();
        object.extend(chunk);
        rest = behind;
    }
    object
}

fn write() -> File {
    let sealed = |length| seal(bytes(60), &content(length));
    let yes = |name: &str, length| Case::accept(name, "").with("object", hex(&sealed(length)));
    let twenty = sealed(20 * 1024);
    let swapped = {
        let (first, last) = twenty[HEADER_BYTES..].split_at(CHUNK_BYTES + TAG_BYTES);
        [&twenty[..HEADER_BYTES], last, first].concat()
    };
    let second = [&twenty[..HEADER_BYTES], &twenty[HEADER_BYTES + CHUNK_BYTES + TAG_BYTES..]].concat();
    let of = |name: &str, comment: &str, base: &str| Case::reject(name, comment).of(base);
    File::new(
        "objects: C2SP chunked encryption with AES-256-GCM; byte i of every content is i mod 251",
        "section 12",
        "accept: length and SHA-256 of the content; sealing it under the same key, salt and context gives the same \
         object. With `from` the first chunk given is not number 0. reject: nothing of the failing chunk or behind it \
         is used, and the content is not complete",
    )
    .common("key", hex(&bytes(60)))
    .common("context", hex(CONTEXT))
    .case(yes("empty", 0))
    .case(yes("one byte", 1))
    .case(yes("a hundred bytes", 100))
    .case(yes("exactly one chunk", CHUNK_BYTES))
    .case(yes("20 KiB", 20 * 1024))
    .case(Case::accept("20 KiB from its second chunk", "").with("object", hex(&second)).with("from", digits(1)))
    .case(of("another key", "refused at the header", "a hundred bytes").with("key", hex(&bytes(61))))
    .case(of("another context", "refused at the header", "a hundred bytes").flip("context", 0))
    .case(of("another salt", "refused at the header", "a hundred bytes").flip("object", 0))
    .case(of("another commitment", "refused at the header", "a hundred bytes").flip("object", 24))
    .case(of("another last byte of the commitment", "", "a hundred bytes").flip("object", 55))
    .case(of("a chunk changed", "", "a hundred bytes").flip("object", 56))
    .case(of("a tag changed", "", "a hundred bytes").flip("object", 171))
    .case(of("a header cut", "", "a hundred bytes").cut("object", 55))
    .case(of("a header alone", "truncated", "a hundred bytes").cut("object", 56))
    .case(of("less than a tag", "", "a hundred bytes").cut("object", 71))
    .case(of("a chunk cut", "", "a hundred bytes").cut("object", 171))
    .case(
        of("an end that never came", "all content opens, and still it is truncated", "exactly one chunk")
            .cut("object", 16_456),
    )
    .case(of("a last chunk that never came", "truncated", "20 KiB").cut("object", 16_456))
    .case(of("a byte behind the end", "", "a hundred bytes").append("object", &[0]))
    .case(of("a second end", "", "exactly one chunk").append("object", &second[HEADER_BYTES..]))
    .case(Case::reject("chunks swapped", "").with("object", hex(&swapped)))
    .case(of("the wrong position", "", "20 KiB from its second chunk").with("from", digits(2)))
}

fn check(input: &Fields) -> Outcome {
    let content = open(input).map_err(|OpenError| "")?;
    let digest = digest::digest(&digest::SHA256, &content);
    if !input.contains_key("from") {
        assert_eq!(seal(input.array("key"), &content), input.bytes("object"));
    }
    Ok(fields([("length", digits(content.len() as u64)), ("sha256", hex(digest.as_ref()))]))
}

fn open(input: &Fields) -> Result<Vec<u8>, OpenError> {
    let object = input.bytes("object");
    let (header, mut rest) = object.split_first_chunk::<HEADER_BYTES>().ok_or(OpenError)?;
    let key = ObjectKey::from_bytes(input.array("key"));
    let mut opener = ObjectOpener::new(&key, header, &input.bytes("context"))?;
    if input.contains_key("from") {
        opener.seek(input.number("from"));
    }
    let mut content = Vec::new();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rest.len().min(CHUNK_BYTES + TAG_BYTES));
        let mut chunk = chunk.to_vec();
        opener.open_in_place(&mut chunk)?;
        content.extend(chunk);
        rest = behind;
    }
    if opener.is_finished() { Ok(content) } else { Err(OpenError) }
}

fn write_manifests() -> File {
    let case = |case: Case, total: u64, offset: u64, length: u64, padded: u64| {
        case.with("total", digits(total))
            .with("offset", digits(offset))
            .with("length", digits(length))
            .with("padded", digits(padded))
    };
    let yes = |name: &str, total, offset, length, padded| case(Case::accept(name, ""), total, offset, length, padded);
    let no = |name: &str, total, offset, length, padded| case(Case::reject(name, ""), total, offset, length, padded);
    File::new(
        "manifests: whether their lengths belong together, and the context of the object's encryption",
        "section 12",
        "accept: the context. reject: the lengths contradict each other",
    )
    .common("object", hex(&[0x62; 16]))
    .common("version", hex(&[0x63; 32]))
    .case(yes("the whole", 1000, 0, 1000, 1024))
    .case(yes("a rest", 1000, 900, 100, 104))
    .case(yes("an empty rest", 1000, 1000, 0, 0))
    .case(no("a padding too short", 1000, 0, 1000, 1000))
    .case(no("a padding too long", 1000, 0, 1000, 1088))
    .case(no("a rest too short", 1000, 900, 99, 100))
    .case(no("an offset beyond the end", 1000, 1001, 0, 0))
    .case(no("lengths that overflow", 0, u64::MAX, 1, 1))
}

fn check_manifest(input: &Fields) -> Outcome {
    let mut described = manifest(0, 0);
    described.object = Fixed(input.array("object"));
    described.version.0 = Fixed(input.array("version"));
    described.total = input.number("total");
    described.offset = input.number("offset");
    described.length = input.number("length");
    described.padded = input.number("padded");
    if described.is_consistent() { Ok(fields([("context", hex(&described.context()))])) } else { Err("") }
}
