//! Kills, full disks, damaged and foreign files: a clear sentence, nothing half-written, nothing lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rohrpost_client::{Connection, Role};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_tests::process::{RelayProcess, Running, Said, program, run};
use rohrpost_tests::{Patient, Practice, World, content, samples, until};
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, InboxId};
use tempfile::TempDir;

/// A vault that commands open for themselves; nothing is served.
struct Vault {
    folder: TempDir,
    data: PathBuf,
}

impl Vault {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("safe");
        Self::at(folder, data)
    }

    fn at(folder: TempDir, data: PathBuf) -> Self {
        let vault = Self { folder, data };
        fs::write(vault.path("pass"), "an invented passphrase\n").unwrap();
        let url = format!("rohrpost-relay://127.0.0.1:4433#{}", "00".repeat(32));
        assert_eq!(vault.says(&["init", "--practice", "Praxis", "--relay", &url]).code, 0);
        vault
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn says(&self, arguments: &[&str]) -> Said {
        let (data, pass) = (&self.data, self.path("pass"));
        let own = ["--json", "--data", data.to_str().unwrap(), "--passphrase-file", pass.to_str().unwrap()];
        run("rohrpost-safe", &[arguments, &own].concat())
    }

    fn patient(&self) -> String {
        let said = self.says(&["patient", "add", "--name", "Erika Beispiel"]);
        said.json()["patient_id"].as_str().unwrap().to_owned()
    }

    fn documents(&self) -> usize {
        self.says(&["document", "list"]).json()["documents"].as_array().unwrap().len()
    }

    /// Files under `content`, finished or not.
    fn contents(&self) -> usize {
        let shelves = fs::read_dir(self.data.join("content")).unwrap();
        shelves.map(|shelf| fs::read_dir(shelf.unwrap().path()).unwrap().count()).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_killed_while_it_imports_keeps_what_it_had_and_nothing_half() {
    let vault = Vault::new();
    let patient = vault.patient();
    let whole = vault.path("whole.bin");
    fs::write(&whole, content(100_000, 1)).unwrap();
    assert_eq!(vault.says(&["document", "add", "--patient", &patient, whole.to_str().unwrap()]).code, 0);

    // Standard input that never ends holds the import in its middle.
    let mut importing = Command::new(program("rohrpost-safe"))
        .args(["document", "add", "--patient", &patient, "-", "--data"])
        .arg(vault.path("safe"))
        .arg("--passphrase-file")
        .arg(vault.path("pass"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = importing.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &content(1_000_000, 2)).unwrap();
    until("the import has begun", || vault.contents() == 2).await;
    importing.kill().unwrap();
    importing.wait().unwrap();

    assert_eq!(vault.documents(), 1);
    assert_eq!(vault.contents(), 1, "the half document is swept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_in_the_middle_of_deposits_loses_none_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut relay = RelayProcess::start(&folder.path().join("relay"));
    let address = relay.url.parse().unwrap();
    let route = SigningSecret::from_bytes(&[7; 32]);
    let inbox = InboxId::of_route_key(&route.public().0);
    let deposit = Deposit { to: Destination::Inbox(inbox), ticket: None, ttl: TtlClass::Day, reply_mailbox: None };

    // A safe that has never been seen has no mailbox: it logs in once.
    let safe = Connection::dial(&address, Role::Safe).await.unwrap();
    safe.login(&route, 1).await.unwrap();
    safe.close().await;

    let visitor = Connection::dial(&address, Role::Visitor).await.unwrap();
    let mut queued: Vec<EnvelopeId> = Vec::new();
    let envelopes: Vec<Vec<u8>> = (0..200).map(|number| content(5000, number)).collect();
    for (number, envelope) in envelopes.iter().enumerate() {
        if number == 100 {
            relay.kill();
        }
        match visitor.deposit(&deposit, envelope).await {
            Ok(id) => queued.push(id),
            Err(_) => break,
        }
    }
    assert_eq!(queued.len(), 100);
    relay.start_again();
    // What was not acknowledged is deposited again; so is something that was, as a client that never heard would.
    let visitor = Connection::dial(&address, Role::Visitor).await.unwrap();
    for envelope in &envelopes[99..] {
        queued.push(visitor.deposit(&deposit, envelope).await.unwrap());
    }
    queued.sort();
    queued.dedup();

    let safe = Connection::dial(&address, Role::Safe).await.unwrap();
    safe.login(&route, 2).await.unwrap();
    let mut fetched: Vec<EnvelopeId> = Vec::new();
    loop {
        let delivered = safe.fetch(inbox, false).await.unwrap();
        if delivered.is_empty() {
            break;
        }
        let ids: Vec<EnvelopeId> = delivered.iter().map(|delivered| delivered.delivery.id).collect();
        for delivered in &delivered {
            assert_eq!(deposit.envelope_id(&delivered.envelope), delivered.delivery.id);
        }
        fetched.extend(&ids);
        safe.ack(ids).await.unwrap();
    }
    fetched.sort();
    assert_eq!(fetched, queued, "each once, none lost");
    assert_eq!(fetched.len(), 200);
}

#[test]
fn damaged_foreign_and_missing_files_are_named_with_a_remedy() {
    let vault = Vault::new();
    let sentence = |said: Said, code: i32, file: &str| {
        let object = said.error_json();
        assert_eq!(said.code, code, "{object}");
        assert!(object["error"].as_str().unwrap().contains(file), "{object}");
    };
    let (keys, database) = (vault.path("safe/vault.keys"), vault.path("safe/vault.db"));
    let (good_keys, good_database) = (fs::read(&keys).unwrap(), fs::read(&database).unwrap());

    fs::write(&keys, flipped(&good_keys, good_keys.len() / 2)).unwrap();
    sentence(vault.says(&["status"]), 6, "vault.keys");
    fs::write(&keys, &good_keys).unwrap();
    fs::write(&database, b"not a database at all, but long enough to be looked at".repeat(100)).unwrap();
    sentence(vault.says(&["status"]), 6, "vault.db");
    fs::write(&database, &good_database).unwrap();
    assert_eq!(vault.says(&["status"]).code, 0, "and all is well when the files are back");

    let url = format!("rohrpost-relay://127.0.0.1:4433#{}", "00".repeat(32));
    sentence(vault.says(&["init", "--practice", "P", "--relay", &url]), 1, "safe");
    assert_eq!(vault.says(&["status"]).code, 0, "and `init` on a safe that is there changes nothing");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

#[test]
fn an_address_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let relay = RelayProcess::start(&folder.path().join("relay"));
    let place = relay.url.trim_start_matches("rohrpost-relay://").split('#').next().unwrap().to_owned();
    let other = folder.path().join("other");
    let said = run("rohrpost-relay", &["serve", "--listen", &place, "--data", other.to_str().unwrap()]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.err.contains(&place), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_nothing_half_is_kept() {
    let mount = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(mount.path()) else {
        samples::skip("full disk", "a small file system can be mounted by root alone");
        return;
    };
    let vault = Vault::at(tempfile::tempdir().unwrap(), mount.path().join("safe"));
    let patient = vault.patient();
    let large = vault.path("large.bin");
    fs::write(&large, content(16 << 20, 1)).unwrap();
    let said = vault.says(&["document", "add", "--patient", &patient, large.to_str().unwrap()]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(said.err.contains("free some space"), "{said:?}");
    assert_eq!((vault.documents(), vault.contents()), (0, 0));
    let small = vault.path("small.bin");
    fs::write(&small, content(1000, 2)).unwrap();
    assert_eq!(vault.says(&["document", "add", "--patient", &patient, small.to_str().unwrap()]).code, 0);
}

/// A file system of 8 MiB in memory.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_safe_killed_at_any_time_comes_back_with_everything() {
    let vault = Vault::new();
    let patient = vault.patient();
    let file = vault.path("finding.bin");
    fs::write(&file, content(10_000, 1)).unwrap();
    let mut added = 0;
    for round in 0..5 {
        let mut command = Command::new(program("rohrpost-safe"));
        command.arg("serve").arg("--data").arg(vault.path("safe")).arg("--passphrase-file").arg(vault.path("pass"));
        let serving = Running::start(&mut command);
        until("the safe is served", || vault.path("safe/admin.sock").exists()).await;
        for _ in 0..=round {
            let said = vault.says(&["document", "add", "--patient", &patient, file.to_str().unwrap()]);
            assert_eq!(said.code, 0, "{said:?}");
            added += 1;
        }
        serving.kill();
        assert_eq!(vault.documents(), added, "after kill number {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_one_patients_misfortune_and_nobody_elses() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (unlucky, unlucky_id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let (other, other_id) = Patient::enrolled(&world, &practice, "Max Muster").await;
    for id in [&unlucky_id, &other_id] {
        practice.shared(id, "finding.txt", b"content").await;
    }
    practice.spoil_grants(&unlucky_id).await;
    let problem = unlucky.list().await.unwrap_err();
    assert_eq!(problem.exit(), rohrpost_patient::exit::Exit::Damaged, "{problem:?}");
    assert_eq!(other.list().await.unwrap().len(), 1);
    assert_eq!(practice.status().await.connected, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_without_its_relay_for_weeks_comes_back_with_prekeys() {
    let mut world = World::start().await;
    let mut practice = Practice::open(&world, "practice").await;
    let (patient, _) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    world.relay_dies();
    practice.disconnected().await;
    practice.lose_prekeys().await;
    world.relay_returns().await;
    practice.connected().await;
    assert!(patient.list().await.unwrap().is_empty(), "new ones were made and published before the login was over");
    practice.closes().await;
}
