//! A safe's data folder as a thief copies it, and its log as a helper of the practice is sent it.

use rohrpost_canary::{Canary, Scanner};
use rohrpost_figures::Figures;

use crate::story::{self, Told};

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_data_folder_and_the_log_of_a_safe_show_nothing() {
    let Told { house, secrets, canaries, end_cores, .. } = story::tell().await;
    // A folder's keys are made of ids, so whoever copies it sees these; docs/storage-format.md says so.
    let open = ["patient's id", "document's id", "device's id"];
    let hidden: Vec<_> = canaries.into_iter().filter(|canary| !open.contains(&canary.label())).collect();
    let scanner = Scanner::new(&hidden);
    let control = scanner.folder(&house.path("said")).unwrap();
    assert!(control.count("patient's name") > 0 && control.count("PIN") > 0, "not in play: {control}");

    let folder = scanner.folder(&house.path("safe")).unwrap();
    assert_eq!(folder.total(), 0, "a copied folder: {folder}");
    let log = scanner.file(&house.path("safe.log")).unwrap();
    assert_eq!(log.total(), 0, "the safe's log: {log}");
    assert!(log.bytes() > 100_000, "the log was at its most verbose");
    let text = std::fs::read_to_string(house.path("safe.log")).unwrap();
    assert!(!text.contains("panicked"), "nothing of this makes a safe panic");
    // What is typed to open the vault is forgotten once it is open.
    let passphrase = Scanner::new(&[Canary::text("passphrase", &secrets.passphrase)]);
    for core in &end_cores {
        let found = passphrase.file(core).unwrap();
        assert_eq!(found.total(), 0, "the memory of a served safe: {found}");
    }
    Figures::of("blindness.safe")
        .seed(secrets.seed)
        .count("secrets put into play", hidden.len() as u64)
        .count("bytes of the copied folder", folder.bytes())
        .count("bytes of its log", log.bytes())
        .none("found")
        .publish();
}
