use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use ring::digest;
use rohrpost_e2ee::object::{CHUNK_BYTES, HEADER_BYTES, ObjectKey, TAG_BYTES, sealed_length};
use tempfile::TempDir;

use super::*;
use crate::vault::tests::{fresh_folder, rng};

const LENGTHS: [usize; 8] =
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5, 5 * CHUNK_BYTES];

fn id(byte: u8) -> ContentId {
    ContentId(Fixed([byte; 16]))
}

fn key(byte: u8) -> ObjectKey {
    ObjectKey::from_bytes([byte; 32])
}

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

fn write(folder: &Folder, id: ContentId, bytes: &[u8]) -> ContentDigest {
    let mut writer = ContentWriter::create(folder, id, &key(1), &mut rng(id.0.0[0].into())).unwrap();
    // In pieces that never fall together with a chunk.
    for piece in bytes.chunks(9_973) {
        writer.write(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn read_all(reader: &mut ContentReader) -> Result<Vec<u8>, ContentError> {
    let mut all = Vec::new();
    let mut buffer = [0; 5000];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

fn open_and_read(folder: &Folder, id: ContentId) -> Result<Vec<u8>, ContentError> {
    read_all(&mut ContentReader::open(folder, id, &key(1))?)
}

#[test]
fn content_of_every_length_comes_back_with_its_digest() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    for (number, length) in (0..).zip(LENGTHS) {
        let bytes = plain(length);
        let written = write(&folder, id(number), &bytes);
        assert_eq!(written.length, length as u64);
        assert_eq!(written.sha256.as_ref(), digest::digest(&digest::SHA256, &bytes).as_ref());
        assert_eq!(open_and_read(&folder, id(number)).unwrap(), bytes);
        let file = fs::metadata(content_path(&folder, id(number))).unwrap();
        assert_eq!(Some(file.len()), sealed_length(length as u64));
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_file_lies_where_the_document_says() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(0xab), b"x");
    let path = folder.path().join("content/ab/abababababababababababababababab");
    assert!(path.is_file());
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_starts_at_any_byte(which in 0..LENGTHS.len(), places in prop::collection::vec((0.0..=1.0, 0..40_000_usize), 1..6)) {
        let place = TempDir::new().unwrap();
        let folder = fresh_folder(&place);
        let bytes = plain(LENGTHS[which]);
        write(&folder, id(1), &bytes);
        let mut reader = ContentReader::open(&folder, id(1), &key(1)).unwrap();
        prop_assert_eq!(reader.length(), bytes.len() as u64);
        for (fraction, count) in places {
            let share: f64 = fraction;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place within a small document")]
            let start = (share * bytes.len() as f64) as usize;
            reader.seek(start as u64).unwrap();
            let mut buffer = vec![0; count];
            let mut read = 0;
            while read < count {
                match reader.read(&mut buffer[read..]).unwrap() {
                    0 => break,
                    more => read += more,
                }
            }
            prop_assert_eq!(&buffer[..read], &bytes[start..(start + count).min(bytes.len())]);
        }
    }
}

#[test]
fn behind_the_end_there_is_nothing() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), &plain(100));
    let mut reader = ContentReader::open(&folder, id(1), &key(1)).unwrap();
    reader.seek(100).unwrap();
    assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    assert!(matches!(reader.seek(101), Err(ContentError::PastEnd)));
}

#[test]
fn every_truncation_is_refused_before_the_first_byte() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), &plain(2 * CHUNK_BYTES + 100));
    let path = content_path(&folder, id(1));
    let whole = fs::read(&path).unwrap();
    let chunk = CHUNK_BYTES + TAG_BYTES;
    let borders = [HEADER_BYTES, HEADER_BYTES + chunk, HEADER_BYTES + 2 * chunk];
    let near = borders.iter().flat_map(|border| border - 17..border + 18);
    for length in (0..60).chain(near).chain(whole.len() - 120..whole.len()) {
        fs::write(&path, &whole[..length]).unwrap();
        let opened = ContentReader::open(&folder, id(1), &key(1));
        assert!(matches!(opened, Err(ContentError::Damaged)), "{length} bytes");
    }
    fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
    assert!(matches!(ContentReader::open(&folder, id(1), &key(1)), Err(ContentError::Damaged)));
}

#[test]
fn every_flipped_byte_is_refused() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), &plain(CHUNK_BYTES + 100));
    let path = content_path(&folder, id(1));
    let whole = fs::read(&path).unwrap();
    let dense = (0..HEADER_BYTES + 40).chain(whole.len() - 160..whole.len());
    for at in dense.chain((0..whole.len()).step_by(211)) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        assert!(matches!(open_and_read(&folder, id(1)), Err(ContentError::Damaged)), "byte {at}");
    }
    fs::write(&path, &whole).unwrap();
    assert!(open_and_read(&folder, id(1)).is_ok());
}

#[test]
fn swapped_files_and_swapped_chunks_are_refused() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), &plain(3 * CHUNK_BYTES));
    write(&folder, id(2), &plain(3 * CHUNK_BYTES));
    let [one, two] = [1, 2].map(|number| fs::read(content_path(&folder, id(number))).unwrap());
    fs::write(content_path(&folder, id(1)), &two).unwrap();
    assert!(matches!(open_and_read(&folder, id(1)), Err(ContentError::Damaged)), "another file under the same key");
    assert!(matches!(ContentReader::open(&folder, id(2), &key(2)), Err(ContentError::Damaged)), "another key");

    let chunk = CHUNK_BYTES + TAG_BYTES;
    let mut swapped = one;
    let (first, rest) = swapped[HEADER_BYTES..].split_at_mut(chunk);
    first.swap_with_slice(&mut rest[..chunk]);
    fs::write(content_path(&folder, id(1)), &swapped).unwrap();
    assert!(matches!(open_and_read(&folder, id(1)), Err(ContentError::Damaged)));
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    let mut writer = ContentWriter::create(&folder, id(1), &key(1), &mut rng(1)).unwrap();
    writer.write(&plain(50_000)).unwrap();
    assert!(part_path(&content_path(&folder, id(1))).exists());
    assert!(!content_path(&folder, id(1)).exists(), "nothing has its name before it is whole");
    drop(writer);
    assert!(!part_path(&content_path(&folder, id(1))).exists());
    assert!(matches!(open_and_read(&folder, id(1)), Err(ContentError::Missing)));
}

#[test]
fn an_id_is_taken_once() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    let first = ContentWriter::create(&folder, id(1), &key(1), &mut rng(1)).unwrap();
    let second = ContentWriter::create(&folder, id(1), &key(1), &mut rng(1));
    assert!(matches!(second, Err(ContentError::Exists)));
    first.finish().unwrap();
    let third = ContentWriter::create(&folder, id(1), &key(1), &mut rng(1));
    assert!(matches!(third, Err(ContentError::Exists)));
}

#[test]
fn removed_content_is_gone_and_removing_twice_is_fine() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), b"x");
    remove_content(&folder, id(1)).unwrap();
    remove_content(&folder, id(1)).unwrap();
    assert!(matches!(open_and_read(&folder, id(1)), Err(ContentError::Missing)));
}

#[test]
fn a_sweep_removes_what_a_crash_left_and_sets_aside_what_nobody_names() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    for number in [1, 2, 3] {
        write(&folder, id(number), b"x");
    }
    fs::write(part_path(&content_path(&folder, id(3))), b"half").unwrap();
    fs::write(folder.content_path().join("01/letter.odt"), b"theirs").unwrap();
    fs::write(folder.content_path().join("01").join("02".repeat(16)), b"on the wrong shelf").unwrap();
    fs::write(folder.content_path().join("readme"), b"theirs").unwrap();

    let swept = sweep_content(&folder, |found| found != id(2)).unwrap();
    assert_eq!(swept, Swept { kept: 2, unfinished: 1, set_aside: 1, foreign: 3, taken_back: 0 });
    assert_eq!(open_and_read(&folder, id(1)).unwrap(), b"x");
    assert!(matches!(open_and_read(&folder, id(2)), Err(ContentError::Missing)));
    let again = sweep_content(&folder, |found| found != id(2)).unwrap();
    assert_eq!(again, Swept { kept: 2, foreign: 3, ..Swept::default() });
}

/// A database of yesterday does not name today's documents; their files were removed, and the database of today found
/// nothing.
#[test]
fn a_file_that_was_set_aside_is_taken_back_once_a_row_names_it_again() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), b"x");
    assert_eq!(sweep_content(&folder, |_| false).unwrap().set_aside, 1);
    fs::remove_dir(content_path(&folder, id(1)).parent().unwrap()).unwrap();
    assert_eq!(sweep_content(&folder, |_| true).unwrap(), Swept { kept: 1, taken_back: 1, ..Swept::default() });
    assert_eq!(open_and_read(&folder, id(1)).unwrap(), b"x");
}

#[test]
fn a_stream_holds_one_chunk_in_memory() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    write(&folder, id(1), &plain(10 * CHUNK_BYTES));
    let mut reader = ContentReader::open(&folder, id(1), &key(1)).unwrap();
    read_all(&mut reader).unwrap();
    assert!(reader.chunk_capacity() <= 64 * 1024);
    let mut writer = ContentWriter::create(&folder, id(2), &key(1), &mut rng(1)).unwrap();
    writer.write(&plain(10 * CHUNK_BYTES)).unwrap();
    assert!(writer.chunk_capacity() <= 64 * 1024);
}
