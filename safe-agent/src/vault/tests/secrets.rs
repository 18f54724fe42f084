use super::*;
use rohrpost_e2ee::object::ObjectKey;

#[test]
fn no_secret_prints_itself() {
    let place = TempDir::new().unwrap();
    let folder = fresh_folder(&place);
    let passphrase = Passphrase::new("correct horse".into());
    let recovery = RecoverySecret::from_bytes([0xaa; 32]);
    let mut store = MemoryStore::new();
    put(&mut store, Table::Patients, b"Mustermann", "Mustermann");
    let mut draft = Draft::new(&store);
    draft.put(Table::Patients, b"Mustermann", row("Mustermann")).unwrap();
    let mut writer =
        ContentWriter::create(&folder, ContentId(rohrpost_wire::fixed::Fixed([0xab; 16])), &content_key(), &mut rng(5))
            .unwrap();
    writer.write(b"Mustermann").unwrap();

    assert_eq!(format!("{:?}", row("Mustermann")), "Row(10 bytes)");
    assert_eq!(format!("{:?}", vault_key(1)), "VaultKey");
    assert_eq!(format!("{passphrase:?}"), "Passphrase");
    assert_eq!(format!("{recovery:?}"), "RecoverySecret");
    assert_eq!(format!("{:?}", Unlock::Passphrase(&passphrase)), "Passphrase(Passphrase)");
    assert_eq!(format!("{:?}", Unlock::Recovery(&recovery)), "Recovery(RecoverySecret)");
    assert_eq!(format!("{draft:?}"), "Draft(1 writes)");
    assert_eq!(format!("{:?}", draft.into_writes()), "WriteSet(1 writes)");
    assert_eq!(format!("{store:?}"), "MemoryStore(1 rows)");
    assert_eq!(format!("{:?}", fresh_database(place.path())), "SqliteStore { poisoned: false, .. }");
    assert_eq!(format!("{writer:?}"), "ContentWriter(10 bytes)");
    writer.finish().unwrap();
    let reader =
        ContentReader::open(&folder, ContentId(rohrpost_wire::fixed::Fixed([0xab; 16])), &content_key()).unwrap();
    assert_eq!(format!("{reader:?}"), "ContentReader(0 of 10 bytes)");
    let keeper = Keeper::start(Box::new(store));
    assert_eq!(format!("{keeper:?}"), "Keeper { counts: Counts { jobs: 0, flushes: 0 }, .. }");
    assert_eq!(format!("{:?}", keeper.handle()), "VaultHandle { counts: Counts { jobs: 0, flushes: 0 }, .. }");
}

fn content_key() -> ObjectKey {
    ObjectKey::from_bytes([3; 32])
}
