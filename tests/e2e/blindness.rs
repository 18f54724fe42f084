//! What the relay keeps and says of a whole story: nothing that was sealed.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::{BASE64, HEXLOWER};
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::process::{self, program, run};
use rohrpost_tests::until;
use serde_json::Value;

const PATIENT: &str = "Žofie Canary-Müller";
const TITLE: &str = "Blutbild Canary 4711";
const FILE: &str = "canary-befund-0815.txt";
const TEXT: &str = "The canary document says: haemoglobin 14.2 g/dl";
const PRACTICE: &str = "Praxis Canary am Markt";

/// The forms in which a leak would most likely show.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        secret.as_bytes().to_vec(),
        secret.to_lowercase().into_bytes(),
        utf16,
        HEXLOWER.encode(secret.as_bytes()).into_bytes(),
        secret.bytes().rev().collect(),
    ];
    for skip in 0..3 {
        // Base64 at each alignment, without the characters that depend on the neighbours.
        let padded = [vec![b' '; skip], secret.as_bytes().to_vec()].concat();
        let text = BASE64.encode(&padded);
        forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    forms
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Everything in a folder: contents and names.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(path.file_name().unwrap().as_encoded_bytes());
        bytes.push(b'\n');
        if path.is_dir() {
            bytes.extend(bytes_of(&path));
        } else if let Ok(mut file) = fs::File::open(&path) {
            // A socket cannot be opened, and holds nothing.
            file.read_to_end(&mut bytes).unwrap();
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_story_is_in_the_relays_folder_or_log_or_in_a_copy_of_the_safe() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let log = fs::File::create(path("relay.log")).unwrap();
    let mut command = Command::new(program("rohrpost-relay"));
    command
        .args(["serve", "--log", "trace", "--listen", "127.0.0.1:0", "--data", &path("relay")])
        .stderr(Stdio::from(log));
    let (relay, greeting) = process::Running::start_logged(&mut command);
    let url = greeting.strip_prefix("relay: ").unwrap().to_owned();

    fs::write(path("pass"), "an invented passphrase\n").unwrap();
    fs::write(path(FILE), TEXT).unwrap();
    let safe = |arguments: &[&str]| -> Value {
        let (data, pass) = (path("safe"), path("pass"));
        let said =
            run("rohrpost-safe", &[arguments, &["--json", "--data", &data, "--passphrase-file", &pass]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    safe(&["init", "--practice", PRACTICE, "--relay", &url]);
    let serving = process::Running::start(Command::new(program("rohrpost-safe")).args([
        "serve",
        "--data",
        &path("safe"),
        "--passphrase-file",
        &path("pass"),
    ]));
    until("the safe is open", || folder.path().join("safe/admin.sock").exists()).await;
    until("the safe is connected", || safe(&["status"])["connected"] == true).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let patient = text(&safe(&["patient", "add", "--name", PATIENT])["patient_id"]);
    let document =
        text(&safe(&["document", "add", "--patient", &patient, "--title", TITLE, &path(FILE)])["document_id"]);
    safe(&["share", "--patient", &patient, "--document", &document]);
    let link = safe(&["link", "--patient", &patient]);
    let invitation = Invitation { link: text(&link["link"]), pin: text(&link["pin"]) };

    // Wrong first, then right: error paths leak as easily as good ones.
    let wrong = if invitation.pin == "000000" { "000001" } else { "000000" };
    let home = path("home");
    for (pin, code) in [(wrong, 4), (invitation.pin.as_str(), 0)] {
        fs::write(path("pin"), pin).unwrap();
        let said = run("rohrpost", &["accept", &invitation.link, "--home", &home, "--pin-file", &path("pin")]);
        assert_eq!(said.code, code, "{said:?}");
    }
    let got = path("got");
    assert_eq!(run("rohrpost", &["get", &document, "--home", &home, "-o", &got]).code, 0);
    assert_eq!(run("rohrpost", &["get", "00000000000000000000000000000000", "--home", &home]).code, 3);
    serving.stop();
    relay.stop();

    let secret = invitation.link.split('#').nth(1).unwrap();
    let names = [PATIENT, TITLE, FILE, TEXT, PRACTICE];
    let relays = [bytes_of(Path::new(&path("relay"))), fs::read(path("relay.log")).unwrap()].concat();
    assert!(relays.len() > 10_000, "the relay did keep and log something");
    // Part of a link is public: expiry, pin, epoch, inbox, relay. Its secret stands in the middle.
    let [_, secret_part] = [0, 70].map(|start| &secret[start..]);
    for canary in names.iter().copied().chain([&secret_part[..40], document.as_str(), patient.as_str()]) {
        for form in forms(canary) {
            assert!(!contains(&relays, &form), "the relay has {canary:?}");
        }
    }

    let copied = bytes_of(Path::new(&path("safe")));
    for canary in names {
        for form in forms(canary) {
            assert!(!contains(&copied, &form), "a copy of the safe shows {canary:?}");
        }
    }
    // The same search finds what is there: the file as it was, and as the patient got it.
    let inbox = [fs::read(&got).unwrap(), fs::read(path(FILE)).unwrap()].concat();
    assert!(contains(&inbox, &forms(TEXT)[0]));
    let hexed = HEXLOWER.encode(format!("xx{TEXT}yy").as_bytes()).into_bytes();
    assert!(forms(TEXT).iter().any(|form| contains(&hexed, form)));
    let encoded = BASE64.encode(format!("x{TEXT}y").as_bytes()).into_bytes();
    assert!(forms(TEXT).iter().any(|form| contains(&encoded, form)));
}
