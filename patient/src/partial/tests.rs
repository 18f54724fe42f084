use super::*;

const PIECE: usize = 300 * 1024;

fn document(byte: u8) -> DocumentId {
    DocumentId(Fixed([byte; 16]))
}

fn version(byte: u8) -> VersionHash {
    VersionHash(Fixed([byte; 32]))
}

/// Content that differs at every place, in pieces.
fn content(pieces: usize) -> Vec<u8> {
    (0..pieces * PIECE).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

fn sha256(bytes: &[u8]) -> Fixed<32> {
    Fixed::from_slice(digest::digest(&digest::SHA256, bytes).as_ref()).unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn place(&self) -> Place {
        Place::Folder(self.0.path().to_owned())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn claim(&self, of: u8) -> Partial {
        let mut partial = Partial::claim(&self.place(), "letter.pdf", document(of)).unwrap();
        while partial.rehash_some().unwrap() {}
        partial
    }
}

#[test]
fn a_run_killed_after_any_piece_is_taken_up_by_the_next_and_gives_the_whole() {
    let content = content(8);
    for killed_after in 0..=8 {
        let folder = Folder::new();
        let mut partial = folder.claim(1);
        partial.begin(document(1), version(1)).unwrap();
        for piece in content.chunks(PIECE).take(killed_after) {
            partial.append(piece).unwrap();
        }
        drop(partial);
        assert!(!folder.names().contains(&"letter.pdf".to_owned()));

        let mut partial = folder.claim(1);
        let offset = partial.kept().map_or(0, |kept| kept.verified);
        let arrived = (killed_after * PIECE) as u64;
        assert!(offset <= arrived && arrived - offset < CHECKPOINT_BYTES, "{offset} of {arrived}");
        if offset == 0 {
            partial.begin(document(1), version(1)).unwrap();
        }
        for piece in content[usize::try_from(offset).unwrap()..].chunks(PIECE) {
            partial.append(piece).unwrap();
        }
        assert_eq!(partial.sha256(), sha256(&content));
        let path = partial.commit(&folder.place(), "letter.pdf").unwrap();
        assert_eq!(fs::read(path).unwrap(), content);
        assert_eq!(folder.names(), ["letter.pdf"]);
    }
}

#[test]
fn a_checkpoint_keeps_every_byte() {
    let folder = Folder::new();
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    partial.append(b"seven b").unwrap();
    partial.checkpoint().unwrap();
    partial.append(b"lost").unwrap();
    drop(partial);
    let partial = folder.claim(1);
    assert_eq!(partial.kept(), Some(&Kept { document: document(1), version: version(1), verified: 7 }));
    assert_eq!((partial.length(), partial.sha256()), (7, sha256(b"seven b")));
}

#[test]
fn a_damaged_or_missing_note_and_a_part_shorter_than_noted_begin_again() {
    let damage: [fn(&Path); 3] = [
        |part| fs::write(note_of(part), b"damaged").unwrap(),
        |part| fs::remove_file(note_of(part)).unwrap(),
        |part| fs::write(part, b"short").unwrap(),
    ];
    for harm in damage {
        let folder = Folder::new();
        let mut partial = folder.claim(1);
        partial.begin(document(1), version(1)).unwrap();
        partial.append(b"content").unwrap();
        partial.checkpoint().unwrap();
        let part = partial.path.clone();
        drop(partial);
        harm(&part);
        let partial = folder.claim(1);
        assert_eq!((partial.kept(), partial.length()), (None, 0));
    }
}

#[test]
fn documents_of_one_name_keep_their_parts_apart() {
    let folder = Folder::new();
    for (of, bytes) in [(1, b"first"), (2, b"other")] {
        let mut partial = folder.claim(of);
        partial.begin(document(of), version(of)).unwrap();
        partial.append(bytes).unwrap();
        partial.checkpoint().unwrap();
    }
    assert_eq!(folder.claim(1).sha256(), sha256(b"first"));
    assert_eq!(folder.claim(2).sha256(), sha256(b"other"));
    let second = folder.claim(2).commit(&folder.place(), "letter.pdf").unwrap();
    let first = folder.claim(1).commit(&folder.place(), "letter.pdf").unwrap();
    assert_eq!(fs::read(second).unwrap(), b"other");
    assert_eq!(fs::read(first).unwrap(), b"first");
    assert_eq!(folder.names(), ["letter (2).pdf", "letter.pdf"]);
}

#[test]
fn a_part_that_another_run_is_filling_is_left_alone() {
    let folder = Folder::new();
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    partial.append(b"content").unwrap();
    partial.checkpoint().unwrap();
    let second = Partial::claim(&folder.place(), "letter.pdf", document(1));
    assert!(matches!(second, Err(PartialError::InUse(_))));
}

#[test]
fn an_existing_file_is_never_replaced_unless_told() {
    let folder = Folder::new();
    let path = folder.0.path().join("mine.pdf");
    fs::write(&path, "mine").unwrap();
    let place = |replace| Place::File { path: path.clone(), replace };
    let fetched = |place: &Place| {
        let mut partial = Partial::claim(place, "letter.pdf", document(1)).unwrap();
        partial.begin(document(1), version(1)).unwrap();
        partial.append(b"fetched").unwrap();
        partial
    };
    let refused = fetched(&place(false)).commit(&place(false), "letter.pdf");
    assert!(matches!(refused, Err(PartialError::Exists(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fetched(&place(true)).commit(&place(true), "letter.pdf").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "fetched");
    assert_eq!(folder.names(), ["mine.pdf"]);
}

#[test]
fn an_empty_document_becomes_an_empty_file_and_an_untouched_part_leaves_nothing() {
    let folder = Folder::new();
    folder.claim(1).tidy();
    assert!(folder.names().is_empty());
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    assert_eq!(partial.sha256(), sha256(b""));
    partial.commit(&folder.place(), "letter.pdf").unwrap();
    assert_eq!(folder.names(), ["letter.pdf"]);
}

#[cfg(unix)]
#[test]
fn a_part_is_its_owners_alone_and_no_symbolic_link_is_followed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    let path = partial.commit(&folder.place(), "letter.pdf").unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);

    let victim = folder.0.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    std::os::unix::fs::symlink(&victim, folder.0.path().join(part_name("letter.pdf"))).unwrap();
    assert!(matches!(Partial::claim(&folder.place(), "letter.pdf", document(1)), Err(PartialError::Foreign(_))));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}

#[test]
fn a_folder_that_cannot_be_written_leaves_no_trace() {
    let folder = Folder::new();
    let place = Place::Folder(folder.0.path().join("missing"));
    assert!(matches!(Partial::claim(&place, "letter.pdf", document(1)), Err(PartialError::Disk(..))));
    assert!(folder.names().is_empty());
}

#[cfg(unix)]
#[test]
fn what_somebody_else_laid_at_a_parts_place_is_not_written_into() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let (victim, part) = (folder.0.path().join("victim"), folder.0.path().join(part_name("letter.pdf")));
    let refused =
        || matches!(Partial::claim(&folder.place(), "letter.pdf", document(1)), Err(PartialError::Foreign(_)));
    fs::write(&victim, "untouched").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(&victim, &part).unwrap();
    assert!(refused(), "a second name of another file");
    fs::remove_file(&part).unwrap();
    fs::rename(&victim, &part).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(refused(), "a file that everybody may write");
    assert_eq!(fs::read_to_string(&part).unwrap(), "untouched");
}

#[cfg(unix)]
#[test]
fn a_part_that_was_exchanged_gets_no_final_name() {
    let folder = Folder::new();
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    partial.append(b"genuine").unwrap();
    let part = partial.path.clone();
    fs::rename(&part, folder.0.path().join("aside")).unwrap();
    fs::write(&part, "exchanged").unwrap();
    assert!(matches!(partial.commit(&folder.place(), "letter.pdf"), Err(PartialError::Foreign(path)) if path == part));
    assert!(!folder.names().contains(&"letter.pdf".to_owned()));
}

#[test]
fn a_note_that_cannot_be_removed_does_not_fail_a_document_that_is_there() {
    let folder = Folder::new();
    let mut partial = folder.claim(1);
    partial.begin(document(1), version(1)).unwrap();
    partial.append(b"content").unwrap();
    fs::create_dir(note_of(&partial.path)).unwrap();
    let path = partial.commit(&folder.place(), "letter.pdf").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"content");
}
