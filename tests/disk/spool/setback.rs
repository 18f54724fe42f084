//! A log that a bad disk has cut short behind what was confirmed, and a page that hides rows, under a real relay.

use std::fs;
use std::path::Path;

use rohrpost_client::{Connection, Role};
use rohrpost_figures::Figures;
use rohrpost_tests::content;
use tempfile::TempDir;

use super::relay::{Owner, Relay};
use super::trial::{HIDES, SET_BACK};
use crate::damage::{self, SPOOL, spoil_the_end};
use crate::program::Program;

/// Deposits, each confirmed by itself.
const DEPOSITS: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_lost_what_it_confirmed_says_so_in_its_log_and_serves_the_rest() {
    let folder = TempDir::new().unwrap();
    let (data, log, mut owner) = (folder.path().join("data"), folder.path().join("log"), Owner::new());
    fill(&data, &log, &owner).await.kill();

    // A start empties the log.
    let copy = folder.path().join("copy");
    damage::copy(&data, &copy);
    let whole = Relay::heard(&copy, &log);
    assert_eq!(waiting(&mut owner, &whole).await, DEPOSITS);
    whole.program.kill();
    assert!(!fs::read_to_string(&log).unwrap().contains(SET_BACK), "a false alarm");

    spoil_the_end(&data.join("spool.db-wal"));
    let relay = Relay::heard(&data, &log);
    let left = waiting(&mut owner, &relay).await;
    assert!(left < DEPOSITS && left > 0, "{left}");
    let said = fs::read_to_string(&log).unwrap();
    let line = said.lines().find(|line| line.contains(SET_BACK)).expect("it says so");
    assert!(line.contains("ERROR") && line.contains("spool.db"), "{line}");
    relay.program.kill();
    Figures::of("disk.spool_setback")
        .count("confirmed envelopes", DEPOSITS)
        .count("lost with the end of the log, and told", DEPOSITS - left)
        .publish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_a_page_that_hides_an_envelope_says_so_in_its_log_and_serves_the_rest() {
    let folder = TempDir::new().unwrap();
    let (data, log, mut owner) = (folder.path().join("data"), folder.path().join("log"), Owner::new());
    fill(&data, &log, &owner).await.kill();
    // A start writes the log back: all of it is in the database now.
    Relay::heard(&data, &log).program.kill();
    SPOOL.hide_a_row(&data.join("spool.db"));
    let relay = Relay::heard(&data, &log);
    assert_eq!(waiting(&mut owner, &relay).await, DEPOSITS - 1);
    let said = fs::read_to_string(&log).unwrap();
    let line = said.lines().find(|line| line.contains(HIDES)).expect("it says so");
    assert!(line.contains("ERROR") && line.contains("spool.db") && line.contains("rows=1"), "{line}");
    relay.program.kill();
}

/// A relay that has confirmed so many deposits.
async fn fill(data: &Path, log: &Path, owner: &Owner) -> Program {
    let relay = Relay::heard(data, log);
    let visitor = Connection::dial(&relay.address, Role::Visitor).await.unwrap();
    for number in 0..DEPOSITS {
        visitor.deposit(&owner.deposit(), &content(600, number)).await.unwrap();
    }
    relay.program
}

async fn waiting(owner: &mut Owner, relay: &Relay) -> u64 {
    let safe = owner.login(&relay.address).await;
    safe.fetch(owner.inbox(), false).await.unwrap().len() as u64
}
