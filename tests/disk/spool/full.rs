//! A disk without room, and one that may not be written any more.

use std::fs;
use std::time::Duration;

use rohrpost_client::{AskError, Connection, Role};
use rohrpost_figures::Figures;
use rohrpost_tests::{PATIENCE, until};
use rohrpost_wire::ErrorCode;

use super::ledger::Ledger;
use super::relay::{Owner, Relay, drain, take_page};
use crate::clock;
use crate::program::Program;
use crate::site::Site;
use crate::volume::{Kind, SmallDisk, Volume};

/// Large, so that a disk is soon full.
const ENVELOPE: usize = 200_000;

/// A relay on a small disk, its safe and a client.
struct Scene {
    relay: Relay,
    owner: Owner,
    safe: Connection,
    visitor: Connection,
    ledger: Ledger,
}

impl Scene {
    async fn on(data: &std::path::Path) -> Self {
        let (relay, mut owner) = (Relay::start(data), Owner::new());
        let safe = owner.login(&relay.address).await;
        let visitor = Connection::dial(&relay.address, Role::Visitor).await.unwrap();
        Self { relay, owner, safe, visitor, ledger: Ledger::default() }
    }

    async fn deposit(&self) -> Result<(), AskError> {
        let deposit = self.owner.deposit();
        let envelope = self.ledger.sending(&deposit, ENVELOPE);
        let id = self.visitor.deposit(&deposit, &envelope).await?;
        self.ledger.queued(id);
        Ok(())
    }

    /// Deposits until the relay takes no more.
    async fn fill(&self) {
        while self.ledger.answered() < 10_000 {
            match self.deposit().await {
                Ok(()) => {}
                Err(refused) => return assert_eq!(refused, AskError::Refused(ErrorCode::Busy)),
            }
        }
        panic!("the disk is larger than it was made");
    }

    /// Deposits until one is taken; how long that took.
    async fn deposit_again(&self) -> Duration {
        let passed = clock::start();
        let mut look = tokio::time::interval(Duration::from_millis(20));
        let taken = async {
            while let Err(refused) = self.deposit().await {
                assert_eq!(refused, AskError::Refused(ErrorCode::Busy));
                look.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.expect("deposits are taken again");
        passed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_before_queued_keeps_delivering_and_takes_again_when_there_is_room() {
    let Some(disk) = SmallDisk::make("full disk of a relay", 64) else { return };
    let scene = Scene::on(&disk.path().join("data")).await;
    let inbox = scene.owner.inbox();
    // Deposits alone: what waits is delivered and acked all the same, and that makes room.
    scene.fill().await;
    while take_page(&scene.safe, inbox, &scene.ledger, false).await.unwrap() > 0 {}
    let after_acks = scene.deposit_again().await;

    // Somebody else takes the last byte: what waits is still delivered.
    let ballast = disk.path().join("ballast");
    assert!(fs::write(&ballast, vec![1; 64 << 20]).is_err(), "the disk is full");
    scene.fill().await;
    let delivered = scene.ledger.delivered(&scene.safe.fetch(inbox, false).await.unwrap());
    assert!(!delivered.is_empty());
    fs::remove_file(&ballast).unwrap();
    let after_room = scene.deposit_again().await;
    drain(&scene.safe, inbox, &scene.ledger).await;
    let account = scene.ledger.account();
    assert_eq!((account.lost, account.wrong), (0, 0), "{account:?}");
    scene.relay.program.kill();
    Figures::of("disk.spool_full")
        .count("acknowledged", account.queued)
        .count("acknowledged and lost", account.lost)
        .measure("taken again after acks", after_acks.as_secs_f64(), " s")
        .measure("taken again after room was made", after_room.as_secs_f64(), " s")
        .publish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turned_read_only_ends_the_relay_without_an_acknowledgement() {
    let Some(volume) = Volume::make(Kind::Ext4, "read-only disk of a relay", 64) else { return };
    let site = Site::Volume(volume);
    let Scene { mut relay, mut owner, ledger, visitor, safe } = deposit_some(&site).await;
    let Site::Volume(volume) = &site else { return };
    volume.turn_read_only();
    let deposit = owner.deposit();
    let refused = visitor.deposit(&deposit, &ledger.sending(&deposit, ENVELOPE)).await;
    assert!(refused.is_err(), "acknowledged on a disk that cannot be written");
    assert_eq!(relay.program.ended().await, 7);
    drop((visitor, safe));

    let mut again = Program::spawn(&mut Relay::command(&site.data()));
    assert_eq!(again.first_line(), "", "a relay that cannot store does not listen");
    assert_ne!(again.ended().await, 0);
    volume.restart();
    relay = Relay::start(&site.data());
    drain(&owner.login(&relay.address).await, owner.inbox(), &ledger).await;
    assert_eq!((ledger.account().lost, ledger.account().queued), (0, 10));
}

async fn deposit_some(site: &Site) -> Scene {
    let scene = Scene::on(&site.data()).await;
    for _ in 0..10 {
        scene.deposit().await.unwrap();
    }
    until("ten are answered", || scene.ledger.answered() == 10).await;
    scene
}
