use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, HEXLOWER, HEXUPPER};
use rohrpost_e2ee::object::ObjectKey;

use super::*;

const NAME: &str = "Möllemann-Überschär, Friederike";
const TITLE: &str = "Befund Schilddrüse Sonografie.pdf";
const CONTENT: &str = "Diagnose: Hashimoto-Thyreoiditis, gesichert";
const PASSPHRASE: &str = "Sieben Zwerge am Rhein";
const RECOVERY: [u8; 32] = *b"ein Wiederherstellungsgeheimnis!";

#[test]
fn a_copied_data_folder_shows_no_name_no_title_no_content_and_no_key() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("safe");
    let secrets = fill_a_safe(&path, place.path());
    for copy in ["open", "closed"] {
        for needle in needles(&secrets) {
            assert_eq!(files_showing(&place.path().join(copy), &needle), Vec::<String>::new());
        }
    }
}

#[test]
fn the_search_finds_every_canary_that_is_there() {
    let place = TempDir::new().unwrap();
    let needles = needles(&[NAME.into(), TITLE.into(), CONTENT.into()]);
    for (number, needle) in needles.iter().enumerate() {
        let inside = [vec![b'x'; 5000], needle.clone(), vec![b'x'; 50]].concat();
        std::fs::create_dir_all(place.path().join("content/ab")).unwrap();
        std::fs::write(place.path().join(format!("content/ab/{number}")), inside).unwrap();
        assert!(!files_showing(place.path(), needle).is_empty());
    }
    std::fs::write(place.path().join(TITLE), b"").unwrap();
    assert_eq!(files_showing(place.path(), TITLE.as_bytes()).len(), 2, "file names are searched too");
}

/// Makes a safe, copies it once while it is open and once closed, and hands out all that must not be seen.
fn fill_a_safe(path: &Path, copies: &Path) -> Vec<Vec<u8>> {
    let mut rng = rng(11);
    let made = Folder::create(path).unwrap();
    let recovery = [RecoverySecret::from_bytes(RECOVERY)];
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let key = create_keys(made.folder(), &passphrase, Cost::LOWEST, &recovery, &mut rng).unwrap();
    let database = made.folder().database_path();
    let mut store = SqliteStore::create(&database, &key, super::rng(12)).unwrap();
    let folder = made.finish().unwrap();

    let id = ContentId::generate(&mut rng);
    let content_key = ObjectKey::generate(&mut rng);
    let mut document = ContentWriter::create(&folder, id, &content_key, &mut rng).unwrap();
    for _ in 0..1000 {
        document.write(CONTENT.as_bytes()).unwrap();
    }
    document.finish().unwrap();
    for number in 0..24_u32 {
        put(&mut store, Table::Patients, &number.to_be_bytes(), NAME);
        put(&mut store, Table::Documents, &number.to_be_bytes(), TITLE);
        let mut draft = Draft::new(&store);
        draft.put(Table::Prekeys, &number.to_be_bytes(), Row::new(content_key.expose().to_vec())).unwrap();
        draft.delete(Table::Patients, &(number / 2).to_be_bytes()).unwrap();
        let writes = draft.into_writes();
        store.apply(writes).unwrap();
        store.flush().unwrap();
    }
    // What is applied and not flushed may have spilled into the log.
    put(&mut store, Table::Patients, b"unflushed", NAME);
    copy_folder(path, &copies.join("open"));
    store.flush().unwrap();
    drop(store);
    copy_folder(path, &copies.join("closed"));
    let texts = [NAME, TITLE, CONTENT, PASSPHRASE].map(|text| text.as_bytes().to_vec());
    let keys = [RECOVERY.to_vec(), key.expose().to_vec(), content_key.expose().to_vec()];
    [texts.as_slice(), &keys].concat()
}

/// Each secret in the encodings in which software likes to leave it, and halves of it.
fn needles(secrets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for secret in secrets {
        let (half, rest) = secret.split_at(secret.len() / 2);
        for bytes in [secret.as_slice(), half, rest] {
            all.extend([bytes.to_vec(), HEXLOWER.encode(bytes).into(), HEXUPPER.encode(bytes).into()]);
            all.push(BASE32_NOPAD.encode(bytes).into());
            // Behind text of any length base64 starts at one of three places in a group; the edges are cut off.
            all.extend((0..3).map(|skip| {
                let whole = BASE64_NOPAD.encode(&bytes[skip..]);
                whole.as_bytes()[..whole.len() - 4].to_vec()
            }));
            all.push(bytes.iter().rev().copied().collect());
        }
        if let Ok(text) = std::str::from_utf8(secret) {
            all.extend([text.to_lowercase().into(), text.to_uppercase().into()]);
            all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
            all.push(text.chars().filter_map(|letter| u8::try_from(letter).ok()).collect());
            all.extend(text.split(' ').filter(|word| word.len() > 6).map(|word| word.as_bytes().to_vec()));
        }
    }
    all
}

/// The files under a folder that hold these bytes, in their content or their name.
fn files_showing(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().as_encoded_bytes();
        if name.windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
        if path.is_dir() {
            found.extend(files_showing(&path, needle));
        } else if contains(&std::fs::read(&path).unwrap(), needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = needle.split_first().unwrap();
    haystack.iter().enumerate().filter(|(_, byte)| *byte == first).any(|(at, _)| haystack[at + 1..].starts_with(rest))
}
