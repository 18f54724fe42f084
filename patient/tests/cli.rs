//! What the program answers before it speaks to anybody: usage, damaged links, homes that are not what they should be.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rohrpost_e2ee::Link;
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{RootChain, StatementHash};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SafePin, Timestamp};

/// A name that resolves nowhere (RFC 6761 §6.4).
const NOWHERE: &str = "relay.invalid";

#[test]
fn help_and_version_are_no_errors_and_name_the_exit_codes() {
    let help = rohrpost(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(out(&help).contains("5 relay or data-safe not reachable"), "{}", out(&help));
    assert_eq!(rohrpost(&["--version"]).status.code(), Some(0));
    for command in ["accept", "list", "get", "status"] {
        let help = rohrpost(&[command, "--help"]);
        assert!(out(&help).contains("Example:"), "{command}");
    }
}

#[test]
fn a_command_line_that_means_nothing_exits_with_2() {
    for arguments in [&[][..], &["fetch"], &["accept"], &["get"], &["get", "3fa9", "--force"], &["list", "--all"]] {
        let output = rohrpost(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(out(&output).is_empty() && !err(&output).is_empty());
    }
}

#[test]
fn scripts_get_usage_errors_as_an_object() {
    let output = rohrpost(&["get", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let error = error_object(&output);
    assert_eq!((error["version"].as_u64(), error["code"].as_u64()), (Some(1), Some(2)));
    assert_eq!(error["kind"], "usage");
    assert!(error["error"].as_str().unwrap().ends_with("not provided: <ID>"), "{error}");
}

#[test]
fn without_an_account_every_command_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    for home in [folder.path().to_owned(), folder.path().join("none")] {
        for command in [&["list"][..], &["status"], &["get", "3fa9c1d2"]] {
            let output = at(&home, command);
            assert_eq!(output.status.code(), Some(1), "{command:?}");
            assert!(err(&output).contains("rohrpost accept LINK"), "{}", err(&output));
            assert_eq!(error_object(&at(&home, &[command, &["--json"]].concat()))["kind"], "not_enrolled");
        }
    }
}

#[test]
fn a_malformed_document_id_exits_with_2_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["3fa", "zzzz", "../x"] {
        let output = at(folder.path(), &["get", id]);
        assert_eq!(output.status.code(), Some(2), "{id}");
        assert!(err(&output).contains("rohrpost list"));
    }
}

#[test]
fn a_damaged_link_exits_with_4_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let whole = link().to_url("https://app.example/");
    for text in [&whole[..whole.len() - 3], "https://app.example/", "hello"] {
        let output = at(&home, &["accept", text]);
        assert_eq!(output.status.code(), Some(4), "{text}");
        assert!(err(&output).contains("complete link"), "{}", err(&output));
    }
    assert!(!home.exists());
}

#[test]
fn a_link_may_come_from_standard_input_and_the_pin_only_from_a_file_or_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    let mut child = command
        .args(["accept", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), link().to_url("").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(error_object(&output)["kind"], "pin_missing");
}

#[test]
fn a_pin_that_is_none_exits_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    fs::write(&pin, "12345").unwrap();
    let output = accept(&folder.path().join("home"), &pin);
    assert_eq!(output.status.code(), Some(4));
    assert!(err(&output).contains("six digits"));
}

#[test]
fn an_unreachable_relay_exits_with_5_and_the_enrolment_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let (home, pin) = (folder.path().join("home"), folder.path().join("pin"));
    fs::write(&pin, "123456\n").unwrap();
    let output = accept(&home, &pin);
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    let enrolment = format!("enrolment-{}", link().secret.id().0.to_hex());
    let begun = fs::read(home.join(&enrolment)).unwrap();
    assert_eq!(accept(&home, &pin).status.code(), Some(5));
    assert_eq!(fs::read(home.join(&enrolment)).unwrap(), begun, "the same key and request");
    assert!(!home.join("account").exists());
}

#[test]
fn a_damaged_home_exits_with_6_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    private(&folder.path().join("account"), b"damaged");
    for command in [&["list"][..], &["status"], &["get", "3fa9c1d2"]] {
        let output = at(folder.path(), command);
        assert_eq!(output.status.code(), Some(6), "{command:?}");
        assert!(err(&output).contains("account is damaged"), "{}", err(&output));
        assert!(out(&output).is_empty());
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_refused_in_a_clear_sentence() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    private(&account, b"whatever");
    fs::set_permissions(&account, fs::Permissions::from_mode(0o644)).unwrap();
    let output = at(folder.path(), &["list", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let error = error_object(&output);
    assert_eq!(error["kind"], "keys_exposed");
    assert!(error["error"].as_str().unwrap().contains("other users"));
}

#[test]
fn a_home_that_is_no_folder_exits_with_7() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    private(&file, b"");
    assert_eq!(at(&file, &["list"]).status.code(), Some(7));
}

fn link() -> Link {
    Link {
        expires: Timestamp(4_000_000_000),
        pin: SafePin(Fixed([1; 32])),
        epoch: 1,
        inbox: InboxId(Fixed([2; 16])),
        secret: LinkSecret::from_bytes([3; 32]),
        ticket: None,
        relay: RelayAddress { host: NOWHERE.into(), port: 4433, key_hash: RelayKeyHash::of_key(&[4; 32]) },
        chain: RootChain { length: 1, newest: StatementHash(Fixed([5; 32])) },
    }
}

fn accept(home: &Path, pin: &Path) -> Output {
    at(home, &["accept", &link().to_url("https://app.example/"), "--pin-file", pin.to_str().unwrap()])
}

fn at(home: &Path, arguments: &[&str]) -> Output {
    command(home).args(arguments).output().unwrap()
}

fn rohrpost(arguments: &[&str]) -> Output {
    at(Path::new("/nonexistent/rohrpost"), arguments)
}

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rohrpost"));
    command.env("ROHRPOST_HOME", home).stdin(Stdio::null());
    command
}

fn private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn error_object(output: &Output) -> serde_json::Value {
    serde_json::from_str(err(output).trim()).unwrap()
}
