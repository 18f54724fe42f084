//! Rounds of work at a served safe and of crashing it, on one data folder.

use rohrpost_tests::{World, until};
use tokio::task::JoinSet;

use super::found::Found;
use super::served::{Keys, found};
use super::told::{Findings, Told};
use super::work;
use crate::plan::{Dice, Plan};
use crate::program::Program;
use crate::site::Site;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Crashes at work.
    pub(crate) crashes: u64,
    /// Crashes while recovering from a crash.
    pub(crate) recoveries: u64,
    /// Kills and starts before a crash.
    pub(crate) restarts: u64,
    /// Answers that were heard before them.
    pub(crate) answers: u64,
    /// The most commits that a witness did not know of.
    pub(crate) unwitnessed: u64,
}

/// So many rounds, on a new safe now and then: every round reads all that its safe holds.
pub(crate) async fn run(rounds: u64, plan: &Plan, site: impl Fn() -> Option<Site>) -> Option<Totals> {
    const ROUNDS_PER_SAFE: u64 = 40;
    let (mut totals, mut dice) = (Totals::default(), plan.dice());
    while totals.crashes < rounds {
        let mut trial = Trial::new(site()?, dice).await;
        for _ in 0..ROUNDS_PER_SAFE.min(rounds - totals.crashes) {
            assert_eq!(trial.round(&mut totals).await, Findings::default(), "after crash {}", totals.crashes);
        }
        totals.answers += trial.told.answers();
        dice = trial.dice;
    }
    Some(totals)
}

/// One safe and all that was told of it.
struct Trial {
    world: World,
    site: Site,
    keys: Keys,
    told: Told,
    dice: Dice,
}

impl Trial {
    /// Makes a safe, whose relay is in this process and does not crash.
    async fn new(site: Site, dice: Dice) -> Self {
        let world = World::start().await;
        found(&site.data(), world.relay());
        let (keys, told) = (Keys::write(), Told::default());
        Self { world, site, keys, told, dice }
    }

    /// Serves, works, crashes and compares.
    async fn round(&mut self, totals: &mut Totals) -> Findings {
        let safe = self.keys.serve(&self.site.data()).await;
        let mut tasks = JoinSet::new();
        let (data, told) = (self.site.data(), self.told.clone());
        tasks.spawn_blocking(move || drop(work::own(&data, &told)));
        for _ in 0..2 {
            let (data, homes, told) = (self.site.data(), self.world.place("homes"), self.told.clone());
            std::fs::create_dir_all(&homes).unwrap();
            tasks.spawn(async move { work::enrol_and_read(data, homes, told).await.unwrap_or_default() });
        }
        let aim = self.told.answers() + 1 + self.dice.below(70);
        until("so much is answered", || self.told.answers() >= aim).await;
        // In every third round it has been killed and started again on the same machine, which still has what nobody flushed.
        let safe = if totals.crashes % 3 == 2 { self.start_again(safe, totals).await } else { safe };
        self.site.crash(safe, &mut self.dice, || self.told.deafen()).await;
        tasks.shutdown().await;
        self.told.listen();
        totals.crashes += 1;
        if self.dice.one_in(3) {
            let program = Program::spawn(&mut self.keys.command(&self.site.data()));
            self.site.crash_at_start(program, &mut self.dice).await;
            totals.recoveries += 1;
        }
        let found = Found::at(&self.site.data());
        totals.unwitnessed = totals.unwitnessed.max(found.unwitnessed);
        self.told.compare(&found)
    }

    async fn start_again(&self, safe: Program, totals: &mut Totals) -> Program {
        safe.kill();
        totals.restarts += 1;
        self.keys.serve(&self.site.data()).await
    }
}
