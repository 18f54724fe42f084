//! Bits that flip, sectors that vanish and files that end early, under a spool.
//!
//! Each damage is done to a copy of one folder, on which a relay is then started twice. What it delivers is held against
//! what was confirmed: right, or missing, never other bytes; it never panics; it tells of what is missing, and of nothing
//! that is not. The second start shows what the first one made of the damage.

mod look;

use std::sync::atomic::Ordering;

use rohrpost_figures::Figures;

use self::look::{Look, Served, look};
use super::scene::{Item, Scene};
use crate::damage::{self, Damage, SPOOL, count_panics};
use crate::plan::{Dice, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_spool_delivers_right_bytes_or_none() {
    let plan = Plan::of("disk.spool_damage");
    let (scene, mut dice, panics) = (Scene::make().await, plan.dice(), count_panics());
    let mut tally = Tally::default();
    for _ in 0..plan.rounds(200, 3000) {
        try_one(&scene, &mut dice, &mut tally).await;
        assert_eq!((tally.wrong, panics.load(Ordering::Relaxed)), (0, 0), "{tally:?}");
        assert_eq!((tally.unnoticed_in_log, tally.unnoticed, tally.false_alarms), (0, 0, 0), "{tally:?}");
    }
    assert!(tally.noticed > 0 && tally.set_back > 0 && tally.whole > 0, "nothing was damaged: {tally:?}");
    tally.publish(plan.seed);
}

/// What the damages came to.
#[derive(Debug, Default)]
struct Tally {
    damages: u64,
    bits: u64,
    whole: u64,
    refused: u64,
    stopped: u64,
    noticed: u64,
    set_back: u64,
    hidden: u64,
    unnoticed: u64,
    unknown: u64,
    unnoticed_in_log: u64,
    false_alarms: u64,
    missing: u64,
    again: u64,
    stopped_again: u64,
    missing_again: u64,
    wrong: u64,
}

impl Tally {
    fn publish(self, seed: u64) {
        Figures::of("disk.spool_damage")
            .seed(seed)
            .count("damages", self.damages)
            .count("of them single bits", self.bits)
            .count("served wrong", self.wrong)
            .none("panics")
            .count("all served", self.whole)
            .count("rows set aside, all others served", self.noticed)
            .count("start refused", self.refused)
            .count("stopped while serving", self.stopped)
            .count("set back, told and served", self.set_back)
            .count("rows hidden, told and served", self.hidden)
            .count("more told as hidden than was missing", self.false_alarms)
            .count("log damaged, the newest missing without a word", self.unnoticed_in_log)
            .count("otherwise something missing without a word", self.unnoticed)
            .count("a record set unknown until it is published again, without a word", self.unknown)
            .count("confirmed rows missing where the relay served", self.missing)
            .count("served at a second start", self.again)
            .count("refused or stopped at a second start", self.stopped_again)
            .count("confirmed rows missing from the second start on, all of them told", self.missing_again)
            .publish();
    }

    /// What the first start came to.
    fn take(&mut self, file: &str, look: &Look) {
        match look {
            Look::Refused => self.refused += 1,
            Look::Stopped => self.stopped += 1,
            Look::Wrong => self.wrong += 1,
            Look::Served(served) => self.take_served(file, served),
        }
    }

    fn take_served(&mut self, file: &str, served: &Served) {
        let Served { lost, damaged, aside, set_back, hidden } = served;
        let (lost, told) = (lost.len() as u64, damaged.max(aside) + hidden);
        // Its sum is looked at when it is asked for: under a damaged name nobody does.
        let unnamed = u64::from(served.lost.contains(&Item::Records));
        self.missing += lost;
        assert!(set_back + hidden == 0 || file != "spool.witness", "a damaged witness raised the alarm");
        assert!(*hidden == 0 || file != "spool.db-wal", "a damaged log hides no rows of what it has left");
        match file {
            _ if *set_back > 0 => self.set_back += 1,
            _ if *hidden > lost => self.false_alarms += 1,
            _ if lost == 0 => self.whole += 1,
            _ if lost > told + unnamed && file == "spool.db-wal" => self.unnoticed_in_log += 1,
            _ if lost > told + unnamed => self.unnoticed += 1,
            _ if lost > told => self.unknown += 1,
            _ if *hidden > 0 => self.hidden += 1,
            _ => self.noticed += 1,
        }
    }

    /// What the second start came to, of which the first has seen all that was damaged and made a commit.
    fn take_again(&mut self, before: &Served, look: &Look) {
        match look {
            Look::Refused | Look::Stopped => self.stopped_again += 1,
            Look::Wrong => self.wrong += 1,
            Look::Served(served) => {
                let lost = served.lost.difference(&before.lost).count() as u64;
                let told = served.damaged.max(served.aside.saturating_sub(before.aside)) + served.hidden;
                self.again += 1;
                self.missing_again += lost;
                self.false_alarms += u64::from(served.hidden > lost || served.set_back > 0);
                self.unnoticed += u64::from(lost > told);
            }
        }
    }
}

async fn try_one(scene: &Scene, dice: &mut Dice, tally: &mut Tally) {
    let copy = tempfile::tempdir().unwrap();
    // Half of the time as a crash leaves it: the newest rows are in the log.
    let settled = dice.one_in(2);
    let (from, file) = if settled {
        (&scene.settled, "spool.db")
    } else {
        (&scene.crashed, ["spool.db", "spool.db-wal", "spool.db-wal", "spool.witness"][dice.place(4)])
    };
    damage::copy(from, copy.path());
    let path = copy.path().join(file);
    let damage =
        if settled && dice.one_in(2) { Damage::mislead(&path, &SPOOL, dice) } else { Damage::inflict(&path, dice) };
    tally.damages += 1;
    tally.bits += u64::from(damage == Damage::Bit);
    let first = look(copy.path(), &scene.expected, 0).await;
    tally.take(file, &first);
    if let Look::Served(first) = first {
        tally.take_again(&first, &look(copy.path(), &scene.expected, 1).await);
    }
}
