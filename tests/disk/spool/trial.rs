//! Rounds of depositing and crashing on one data folder.
//!
//! Several clients deposit at once, in half of the rounds while the safe takes its envelopes away; somewhere in it
//! the relay crashes, now and then also while it recovers. The next round starts with what the last one left.

use std::fs;

use rohrpost_client::{Connection, Role};
use rohrpost_tests::until;
use rohrpost_wire::frame::Deposit;
use rohrpost_wire::{InboxId, RelayAddress};
use tempfile::NamedTempFile;
use tokio::task::JoinSet;

use super::ledger::{Account, Ledger};
use super::relay::{Owner, Relay, drain, take_page};
use crate::plan::Dice;
use crate::program::Program;
use crate::site::Site;

/// Clients at once: enough that commits are shared, as in life.
const CLIENTS: u64 = 4;

/// What a relay says that has lost what it confirmed.
pub(crate) const SET_BACK: &str = "spool is set back: confirmed commits are missing";

/// What one says whose database names fewer rows than it counted.
pub(crate) const HIDES: &str = "spool hides rows: a page of it is damaged";

/// All that no crash may bring about.
const ALARMS: [&str; 5] = [
    SET_BACK,
    HIDES,
    "witness of the spool is lost",
    "count of the spool's rows is damaged",
    "rows that nobody counted",
];

/// One data folder and all that is known of it.
pub(crate) struct Trial {
    site: Site,
    ledger: Ledger,
    owner: Owner,
    dice: Dice,
    /// What all its relays told their operator.
    log: NamedTempFile,
    /// Crashes while depositing.
    pub(crate) crashes: u64,
    /// Crashes while recovering from a crash.
    pub(crate) crashed_recoveries: u64,
    /// Kills and starts before a crash.
    pub(crate) restarts: u64,
}

impl Trial {
    /// Begins on an empty folder.
    pub(crate) fn new(site: Site, dice: Dice) -> Self {
        let (ledger, owner, log) = (Ledger::default(), Owner::new(), NamedTempFile::new().unwrap());
        Self { site, ledger, owner, dice, log, crashes: 0, crashed_recoveries: 0, restarts: 0 }
    }

    /// Recovers, deposits, crashes.
    pub(crate) async fn round(&mut self) {
        if self.dice.one_in(3) {
            self.crash_while_recovering().await;
        }
        let relay = Relay::heard(&self.site.data(), self.log.path());
        let safe = self.owner.login(&relay.address).await;
        if self.dice.one_in(3) {
            // Delivered, and not acked: all of it must come again.
            self.ledger.delivered(&safe.fetch(self.owner.inbox(), false).await.unwrap());
        } else {
            drain(&safe, self.owner.inbox(), &self.ledger).await;
        }
        let mut tasks = JoinSet::new();
        for _ in 0..CLIENTS {
            let dice = Lengths(self.dice.below(u64::MAX));
            tasks.spawn(deposit(relay.address.clone(), self.owner.deposit(), self.ledger.clone(), dice));
        }
        if self.dice.one_in(2) {
            tasks.spawn(take_away(safe, self.owner.inbox(), self.ledger.clone()));
        }
        let aim = self.ledger.answered() + 1 + self.dice.below(60);
        until("so many deposits are answered", || self.ledger.answered() >= aim).await;
        let program = self.killed_before(relay.program);
        self.site.crash(program, &mut self.dice, || self.ledger.deafen()).await;
        tasks.shutdown().await;
        self.ledger.listen();
        self.crashes += 1;
    }

    /// In every third round it has been killed and started again on the same machine, which still has what nobody synced.
    fn killed_before(&mut self, program: Program) -> Program {
        if self.crashes % 3 < 2 {
            return program;
        }
        program.kill();
        self.restarts += 1;
        Relay::heard(&self.site.data(), self.log.path()).program
    }

    async fn crash_while_recovering(&mut self) {
        let program = Program::heard(&mut Relay::command(&self.site.data()), self.log.path());
        self.site.crash_at_start(program, &mut self.dice).await;
        self.crashed_recoveries += 1;
    }

    /// Recovers once more, takes everything, and has heard no false alarm.
    pub(crate) async fn end(mut self) -> Account {
        let relay = Relay::heard(&self.site.data(), self.log.path());
        let safe = self.owner.login(&relay.address).await;
        drain(&safe, self.owner.inbox(), &self.ledger).await;
        relay.program.kill();
        let said = fs::read_to_string(self.log.path()).unwrap();
        assert!(!ALARMS.iter().any(|alarm| said.contains(alarm)), "{said}");
        self.ledger.account()
    }
}

/// Lengths from one page of the database to many, cheap to draw in a task.
struct Lengths(u64);

impl Lengths {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = self.0 >> 33;
        let most = if drawn.is_multiple_of(4) { 40_000 } else { 3000 };
        200 + usize::try_from((drawn >> 2) % most).unwrap()
    }
}

async fn deposit(relay: RelayAddress, deposit: Deposit, ledger: Ledger, mut lengths: Lengths) {
    let Ok(visitor) = Connection::dial(&relay, Role::Visitor).await else { return };
    loop {
        let envelope = ledger.sending(&deposit, lengths.next());
        match visitor.deposit(&deposit, &envelope).await {
            Ok(id) => ledger.queued(id),
            Err(_) => return,
        }
    }
}

async fn take_away(safe: Connection, inbox: InboxId, ledger: Ledger) {
    while take_page(&safe, inbox, &ledger, true).await.is_ok() {}
}
