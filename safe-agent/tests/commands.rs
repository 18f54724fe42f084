//! `rohrpost-safe` as a program: what it does when nobody can read what it says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const RELAY: &str =
    "rohrpost-relay://relay.example:4433#0707070707070707070707070707070707070707070707070707070707070707";

/// A folder for a safe, and the file with its passphrase.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        fs::create_dir(place.path().join("credentials")).unwrap();
        fs::write(place.path().join("credentials/passphrase"), "an invented passphrase\n").unwrap();
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rohrpost-safe"));
        command.args(arguments).arg("--data").arg(self.path().join("safe"));
        command.env("CREDENTIALS_DIRECTORY", self.path().join("credentials"));
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn init(&self) -> Command {
        self.command(&["init", "--practice", "Practice on the Hill", "--relay", RELAY])
    }

    fn made() -> Self {
        let place = Self::new();
        assert!(place.init().stdout(Stdio::null()).status().unwrap().success());
        place
    }
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader has gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn run(mut command: Command, stdout: Stdio) -> Output {
    command.stdout(stdout).spawn().unwrap().wait_with_output().unwrap()
}

fn sentence(said: &Output) -> String {
    let text = String::from_utf8(said.stderr.clone()).unwrap();
    assert!(text.starts_with("error: ") && text.lines().count() == 1, "{text}");
    text
}

/// `init` into a full disk panicked with the vault complete and both root keys gone.
#[test]
fn init_makes_no_safe_whose_sheets_nobody_got() {
    let place = Place::new();
    for lost in [full(), closed()] {
        let said = run(place.init(), lost);
        assert_eq!(said.status.code(), Some(7));
        assert!(sentence(&said).contains("no safe was made"));
    }
    let said = run(place.init(), Stdio::piped());
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.contains("RP1-") && text.contains("RP2-"));
}

#[test]
fn an_answer_that_cannot_be_written_is_a_sentence_and_one_that_nobody_wants_is_nothing() {
    let place = Place::made();
    let said = run(place.command(&["status"]), full());
    assert_eq!(said.status.code(), Some(7));
    sentence(&said);
    for arguments in [["status"].as_slice(), &["status", "--json"]] {
        let said = run(place.command(arguments), closed());
        assert_eq!((said.status.code(), said.stderr.as_slice()), (Some(0), b"".as_slice()));
    }
}

/// Under a service manager the credential was taken for the new passphrase too: the old one stayed, and the program said
/// that it no longer opened the safe.
#[test]
fn a_credential_is_never_taken_for_the_new_passphrase() {
    let place = Place::made();
    let said = run(place.command(&["passphrase"]), Stdio::piped());
    assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(2), b"".as_slice()));
    sentence(&said);

    let new = place.path().join("new");
    fs::write(&new, "another invented passphrase\n").unwrap();
    let said = run(place.command(&["passphrase", "--new-passphrase-file", new.to_str().unwrap()]), Stdio::piped());
    assert!(said.status.success(), "{said:?}");
    assert_eq!(run(place.command(&["status"]), Stdio::piped()).status.code(), Some(4));
    let said = run(place.command(&["status", "--passphrase-file", new.to_str().unwrap()]), Stdio::piped());
    assert!(said.status.success(), "{said:?}");
}
