//! What a bad disk has done to a vault, told by a real safe and its owner's commands: a log cut short behind what was
//! confirmed, a lost witness, a page that hides rows.

use std::path::Path;
use std::process::Output;
use std::{fs, io};

use rohrpost_figures::Figures;
use rohrpost_safe_agent::office::{Reply, Request};
use rohrpost_tests::{Patient, World};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::served::{Keys, desk, found, open};
use super::told::Told;
use super::work;
use crate::damage::{self, spoil_the_end};
use crate::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_that_lost_a_revocation_is_not_served_until_its_owner_accepts_that() {
    let (world, keys) = (World::start().await, Keys::write());
    let data = world.place("safe");
    found(&data, world.relay());
    let safe = keys.serve(&data).await;
    enrol(&data, &world.place("device")).await;
    revoke(&data).await;
    safe.kill();
    let whole = world.place("copy");
    damage::copy(&data, &whole);
    assert!(revoked(&keys, &whole), "nothing is missing yet");
    spoil_the_end(&data.join("vault.db-wal"));

    for arguments in [["status"].as_slice(), &["device", "list"], &["serve"]] {
        let refused = keys.run(&data, arguments);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(6), "{arguments:?}: {said}");
        assert!(said.contains("vault.db") && said.contains("rohrpost-safe accept-loss"), "{said}");
    }
    let accepted = json(&keys.run(&data, &["accept-loss", "--json"]));
    assert_eq!((&accepted["kind"], &accepted["missing_writes"]), (&"loss_accepted".into(), &1.into()));
    assert!(!revoked(&keys, &data), "what it warns of: the revocation is forgotten");
    let record = json(&keys.run(&data, &["log", "--json"]));
    let last = record["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["actor"], &last["action"]), (&"practice".into(), &"loss accepted".into()));
    assert_eq!(last["missing_writes"], 1);
    let shown = String::from_utf8(keys.run(&data, &["log"]).stdout).unwrap();
    assert!(shown.lines().any(|line| line.ends_with("loss accepted  confirmed writes gone: 1")), "{shown}");
    let again = json(&keys.run(&data, &["accept-loss", "--json"]));
    assert_eq!((&again["kind"], &again["vault"]), (&"nothing_accepted".into(), &"sound".into()));

    let safe = keys.serve(&data).await;
    revoke(&data).await;
    safe.kill();
    assert!(revoked(&keys, &data), "and it can be revoked again");
    Figures::of("disk.vault_setback")
        .count("commands refused by a vault without its last revocation", 3)
        .none("revocations forgotten without a word")
        .publish();
}

#[test]
fn a_damaged_or_lost_witness_is_told_by_the_next_command_and_made_anew() {
    let folder = TempDir::new().unwrap();
    let (data, keys) = (folder.path().join("data"), Keys::write());
    let nowhere = format!("rohrpost-relay://127.0.0.1:9#{}", "00".repeat(32));
    found(&data, &nowhere.parse().unwrap());
    let witness = data.join("vault.witness");
    for spoil in [|at: &Path| fs::write(at, b"spoiled").unwrap(), |at: &Path| fs::remove_file(at).unwrap()] {
        spoil(&witness);
        let told = keys.run(&data, &["status", "--json"]);
        assert!(String::from_utf8(told.stderr.clone()).unwrap().contains("vault.witness"), "{told:?}");
        json(&told);
        let again = keys.run(&data, &["status", "--json"]);
        assert!(again.status.success() && again.stderr.is_empty(), "{again:?}");
    }
}

/// The command makes the witness anew, so it is the last that can tell.
#[test]
fn an_owner_who_accepts_a_loss_where_nobody_can_tell_is_told_that_and_not_that_all_is_well() {
    let folder = TempDir::new().unwrap();
    let (data, keys) = (folder.path().join("data"), Keys::write());
    let nowhere = format!("rohrpost-relay://127.0.0.1:9#{}", "00".repeat(32));
    found(&data, &nowhere.parse().unwrap());
    fs::write(data.join("vault.witness"), b"spoiled").unwrap();
    let doubtful = keys.run(&data, &["accept-loss"]);
    let (said, warned) = (String::from_utf8(doubtful.stdout).unwrap(), String::from_utf8(doubtful.stderr).unwrap());
    assert!(said.contains("Nobody can tell") && warned.contains("vault.witness"), "{said}{warned}");
    damage::VAULT.hide_a_row(&data.join("vault.db"));
    let damaged = keys.run(&data, &["accept-loss", "--json"]);
    assert!(String::from_utf8(damaged.stderr.clone()).unwrap().contains("(vault.db) is damaged"), "{damaged:?}");
    assert_eq!(json(&damaged)["vault"], "damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_hides_a_row_is_told_by_every_command_and_by_a_safe_that_is_served() {
    let folder = TempDir::new().unwrap();
    let (data, keys) = (folder.path().join("data"), Keys::write());
    let nowhere = format!("rohrpost-relay://127.0.0.1:9#{}", "00".repeat(32));
    found(&data, &nowhere.parse().unwrap());
    let sound = keys.run(&data, &["status"]);
    assert!(sound.status.success() && sound.stderr.is_empty(), "{sound:?}");
    damage::VAULT.hide_a_row(&data.join("vault.db"));
    for arguments in [["status", "--json"].as_slice(), &["device", "list", "--json"], &["status", "--json"]] {
        let told = keys.run(&data, arguments);
        assert!(String::from_utf8(told.stderr.clone()).unwrap().contains("(vault.db) is damaged"), "{told:?}");
        json(&told);
    }
    let log = folder.path().join("log");
    let safe = Program::heard(&mut keys.command(&data), &log);
    open(&data).await;
    let served = keys.run(&data, &["status", "--json"]);
    safe.kill();
    assert!(String::from_utf8(served.stderr.clone()).unwrap().contains("(vault.db) is damaged"), "{served:?}");
    assert_eq!(json(&served)["vault"], "damaged");
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.lines().any(|line| line.contains("ERROR") && line.contains("(vault.db) is damaged")), "{said}");
}

/// Enrols the one device there is.
async fn enrol(data: &Path, home: &Path) {
    let at = data.to_owned();
    let (_, _, invitation) = spawn_blocking(move || work::prepare(&at, &Told::default()).unwrap()).await.unwrap();
    work::enrol(&Patient { home: home.to_owned() }, &invitation).await;
}

/// The last thing that the safe confirms.
async fn revoke(data: &Path) {
    let at = data.to_owned();
    let told = spawn_blocking(move || {
        let desk = desk(&at)?;
        let Reply::Devices { devices, .. } = desk.perform(Request::DeviceList, &mut io::empty())? else {
            panic!("no devices")
        };
        desk.perform(Request::DeviceRevoke { device: devices[0].device_id.clone() }, &mut io::empty())
    });
    assert!(matches!(told.await.unwrap(), Ok(Reply::DeviceRevoked { .. })));
}

/// Whether the device is revoked, as its owner is shown.
fn revoked(keys: &Keys, data: &Path) -> bool {
    let list = json(&keys.run(data, &["device", "list", "--json"]));
    list["devices"][0]["revoked"].is_string()
}

fn json(said: &Output) -> serde_json::Value {
    assert!(said.status.success(), "{said:?}");
    serde_json::from_slice(&said.stdout).unwrap()
}
