//! Files as a bad disk or a careless hand leaves them: read as they were written, or refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ring::digest;
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_patient::Home;
use rohrpost_patient::partial::Partial;
use rohrpost_patient::place::Place;
use rohrpost_safe_agent::vault::{
    ContentId, ContentReader, ContentWriter, Cost, Folder, Passphrase, RecoverySecret, SqliteStore, VaultKey,
    create_keys, unlock_with_recovery,
};
use rohrpost_wire::{address, fixed::Fixed};
use tempfile::TempDir;

use super::samples::{self, rng};
use crate::dice::Dice;
use crate::edits;
use crate::input::Input;
use crate::scratch;
use crate::target::Verdict;

/// The genuine bytes, changed; and perhaps with a sum that fits the change, since a sum stops nobody who means it.
fn changed(genuine: &[u8], sum: impl Fn(&[u8]) -> Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let mut input = Input::new(bytes);
    let mode = input.choice(4);
    let mut changed = if mode == 3 { input.rest().to_vec() } else { genuine.to_vec() };
    let length = changed.len().saturating_sub(32);
    if mode == 1 {
        changed.truncate(length);
        edits::apply(&mut changed, &[0xff; 64], &mut input, 6);
        let sum = sum(&changed);
        changed.extend(sum);
    } else {
        edits::apply(&mut changed, &[0; 256], &mut input, 6);
    }
    changed
}

/// Changes of every kind, without and with a fitting sum.
fn seeds() -> Vec<Vec<u8>> {
    let edits = [&[0u8][..], &[0, 0, 9, 3], &[3, 0, 40], &[4, 0, 0, 3, 1, 2, 3], &[2, 0, 0, 2]];
    let modes = |mode: u8| edits.map(|edit| [&[mode], edit].concat());
    modes(0).into_iter().chain(modes(1)).chain([vec![0], vec![1], vec![3], [&[3], &[7; 80][..]].concat()]).collect()
}

/// A patient's keys are read as they were written, or the file is called damaged.
pub(super) fn account_file(bytes: &[u8]) -> Verdict {
    thread_local!(static PLACE: (TempDir, Vec<u8>) = {
        let folder = scratch::folder();
        let home = Home::at(folder.path());
        home.lock().unwrap().save_account(&samples::account()).unwrap();
        let genuine = fs::read(home.account_path()).unwrap();
        (folder, genuine)
    });
    PLACE.with(|(folder, genuine)| {
        let home = Home::at(folder.path());
        let label = b"rohrpost/1 patient account";
        let changed = changed(genuine, |said| address::hash(label, &[said]).to_vec(), bytes);
        scratch::write_private(&home.account_path(), &changed);
        let read = home.account();
        assert!(read.is_err() || is_sound(&changed, label), "a damaged file is read");
        Verdict::taken(read.is_ok_and(|account| account.is_some()))
    })
}

fn is_sound(bytes: &[u8], label: &[u8]) -> bool {
    bytes.split_last_chunk::<32>().is_some_and(|(said, sum)| address::hash(label, &[said]) == *sum)
}

pub(super) fn account_file_seeds() -> Vec<Vec<u8>> {
    seeds()
}

/// A kept part is continued from no more bytes than there are and of no other document than was noted.
pub(super) fn part_note(bytes: &[u8]) -> Verdict {
    const PART: usize = 5000;
    thread_local!(static PLACE: (TempDir, Vec<u8>) = {
        let folder = scratch::folder();
        let (document, place) = (DocumentId(Fixed([1; 16])), Place::Folder(folder.path().into()));
        let mut part = Partial::claim(&place, "letter.pdf", document).unwrap();
        part.begin(document, VersionHash(Fixed([2; 32]))).unwrap();
        part.append(&[7; PART]).unwrap();
        part.checkpoint().unwrap();
        let note = fs::read(note_in(folder.path())).unwrap();
        (folder, note)
    });
    PLACE.with(|(folder, genuine)| {
        let label = b"rohrpost/1 partial document";
        let changed = changed(genuine, |said| address::hash(label, &[said]).to_vec(), bytes);
        scratch::write_private(&folder.path().join(".letter.pdf.rohrpost-part"), &[7; PART]);
        scratch::write_private(&note_in(folder.path()), &changed);
        let place = Place::Folder(folder.path().into());
        let part = Partial::claim(&place, "letter.pdf", DocumentId(Fixed([1; 16]))).unwrap();
        let kept = part.kept().copied();
        drop(part);
        for left in scratch::files(folder.path()) {
            fs::remove_file(left).unwrap();
        }
        let Some(kept) = kept else { return Verdict::Refused };
        assert!(is_sound(&changed, label), "a damaged note is believed");
        assert!(kept.verified <= PART as u64, "more is believed to be there than is");
        assert_eq!(kept.document, DocumentId(Fixed([1; 16])), "another document's part is continued");
        Verdict::Taken
    })
}

fn note_in(folder: &Path) -> PathBuf {
    folder.join(".letter.pdf.rohrpost-part.state")
}

pub(super) fn part_note_seeds() -> Vec<Vec<u8>> {
    seeds()
}

fn safe_folder(place: &TempDir) -> Folder {
    Folder::create(&place.path().join("safe")).unwrap().finish().unwrap()
}

fn recovery() -> RecoverySecret {
    RecoverySecret::from_bytes([9; 32])
}

/// The wrapped vault key comes out as it went in, or not at all: another vault's, another cost or sheet does not open.
pub(super) fn vault_keys(bytes: &[u8]) -> Verdict {
    thread_local!(static PLACE: (TempDir, Folder, Vec<u8>, [u8; 32]) = {
        let place = scratch::folder();
        let folder = safe_folder(&place);
        let passphrase = Passphrase::new("an invented passphrase".into());
        let key = create_keys(&folder, &passphrase, Cost::LOWEST, &[recovery()], &mut rng(1)).unwrap();
        let genuine = fs::read(folder.keys_path()).unwrap();
        (place, folder, genuine, *key.derive("fuzz"))
    });
    PLACE.with(|(_, folder, genuine, key)| {
        let changed = changed(genuine, keys_sum, bytes);
        fs::write(folder.keys_path(), &changed).unwrap();
        let Ok(opened) = unlock_with_recovery(folder, &recovery()) else { return Verdict::Refused };
        assert_eq!(*opened.derive("fuzz"), *key, "another key than was wrapped");
        let (said, sum) = changed.split_last_chunk::<32>().unwrap();
        assert_eq!(keys_sum(said), sum, "a damaged file is read");
        Verdict::Taken
    })
}

fn keys_sum(said: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, &[b"rohrpost/1 vault.keys", said].concat()).as_ref().to_vec()
}

pub(super) fn vault_keys_seeds() -> Vec<Vec<u8>> {
    seeds()
}

/// A document at rest is read as it was written, or it is called damaged: no byte of another comes out.
pub(super) fn content_file(bytes: &[u8]) -> Verdict {
    const ID: ContentId = ContentId(Fixed([1; 16]));
    thread_local!(static PLACE: (TempDir, Folder, PathBuf, Vec<u8>) = {
        let place = scratch::folder();
        let folder = safe_folder(&place);
        let mut writer = ContentWriter::create(&folder, ID, &object_key(), &mut rng(1)).unwrap();
        writer.write(document()).unwrap();
        writer.finish().unwrap();
        let path = scratch::files(&folder.content_path()).pop().unwrap();
        let genuine = fs::read(&path).unwrap();
        (place, folder, path, genuine)
    });
    PLACE.with(|(_, folder, path, genuine)| {
        let mut input = Input::new(bytes);
        let mut changed = if input.choice(8) == 7 { input.rest().to_vec() } else { genuine.clone() };
        edits::apply(&mut changed, &genuine[16 * 1024..], &mut input, 6);
        fs::write(path, &changed).unwrap();
        let Ok(mut reader) = ContentReader::open(folder, ID, &object_key()) else { return Verdict::Refused };
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        let whole = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break true,
                Ok(length) => read.extend_from_slice(&buffer[..length]),
                Err(_) => break false,
            }
        };
        assert!(document().starts_with(&read), "something else than the document comes out");
        assert!(!whole || (read == document() && changed == *genuine), "a changed file is called whole");
        Verdict::taken(whole)
    })
}

fn object_key() -> ObjectKey {
    ObjectKey::from_bytes([4; 32])
}

fn document() -> &'static [u8] {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    DOCUMENT.get_or_init(|| Dice::new(1).bytes(40_000))
}

pub(super) fn content_file_seeds() -> Vec<Vec<u8>> {
    vec![
        vec![0],
        vec![0, 0, 0, 9, 3],
        vec![0, 3, 0x40, 0x10],
        vec![0, 5, 0, 56, 63],
        vec![7, 1, 2, 3],
        vec![0, 4, 0, 0, 1, 1],
    ]
}

/// A database of sealed rows, pages and all, that is not what was written: rows as they were, or errors.
pub(super) fn vault_rows(bytes: &[u8]) -> Verdict {
    thread_local!(static PLACE: (TempDir, PathBuf, Vec<u8>) = {
        let place = scratch::folder();
        let path = place.path().join("vault.db");
        drop(super::rows::filled(SqliteStore::create(&path, &vault_key(), rng(2)).unwrap()));
        let genuine = fs::read(&path).unwrap();
        (place, path, genuine)
    });
    PLACE.with(|(place, path, genuine)| {
        let mut input = Input::new(bytes);
        let mut changed = genuine.clone();
        edits::apply(&mut changed, &genuine[4096..], &mut input, 6);
        for file in scratch::files(place.path()) {
            fs::remove_file(file).unwrap();
        }
        fs::write(path, &changed).unwrap();
        let Ok(store) = SqliteStore::open(path, &vault_key(), rng(3)) else { return Verdict::Refused };
        super::rows::check(&store);
        Verdict::Taken
    })
}

fn vault_key() -> VaultKey {
    VaultKey::generate(&mut rng(1))
}

pub(super) fn vault_rows_seeds() -> Vec<Vec<u8>> {
    vec![vec![], vec![0, 0, 100, 3], vec![2, 0x10, 0, 0xff], vec![3, 0x20, 0], vec![5, 0x10, 0, 63, 5, 0x11, 0, 63]]
}
