//! Bits that flip, sectors that vanish and files that end early, under a spool.
//!
//! Each damage is done to a copy of one folder. What the relay then delivers is held against what was deposited: right,
//! or missing, never other bytes; it never panics; and where a damaged log has lost what was confirmed, or a damaged page
//! hides rows, it says so.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rohrpost_client::{AskError, Connection, Role};
use rohrpost_figures::Figures;
use rohrpost_relay::{BindError, Config, Limits, Relay, status};
use tempfile::TempDir;

use super::scene::{Expected, Scene};
use crate::damage::{self, Damage, count_panics};
use crate::plan::{Dice, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_spool_delivers_right_bytes_or_none() {
    let plan = Plan::of("disk.spool_damage");
    let (scene, mut dice, panics) = (Scene::make().await, plan.dice(), count_panics());
    let mut tally = Tally::default();
    for _ in 0..plan.rounds(200, 3000) {
        try_one(&scene, &mut dice, &mut tally).await;
        assert_eq!((tally.wrong, panics.load(Ordering::Relaxed)), (0, 0), "{tally:?}");
        assert_eq!((tally.unnoticed_in_log, tally.unnoticed), (0, 0), "{tally:?}");
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
    missing: u64,
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
            .count("log damaged, the newest missing without a word", self.unnoticed_in_log)
            .count("otherwise something missing without a word", self.unnoticed)
            .count("a record set unknown until it is published again, without a word", self.unknown)
            .count("envelopes missing where the relay served", self.missing)
            .publish();
    }
}

async fn try_one(scene: &Scene, dice: &mut Dice, tally: &mut Tally) {
    let copy = tempfile::tempdir().unwrap();
    // Half of the time as a crash leaves it: the newest rows are in the log.
    let (from, file) = if dice.one_in(2) {
        (&scene.settled, "spool.db")
    } else {
        (&scene.crashed, ["spool.db", "spool.db-wal", "spool.db-wal", "spool.witness"][dice.place(4)])
    };
    damage::copy(from, copy.path());
    let damage = Damage::inflict(&copy.path().join(file), dice);
    tally.damages += 1;
    tally.bits += u64::from(damage == Damage::Bit);
    match look(&copy, &scene.expected).await {
        Look::Refused => tally.refused += 1,
        Look::Stopped => tally.stopped += 1,
        Look::Wrong => tally.wrong += 1,
        Look::Served { missing, unknown, set_aside, set_back, hidden } => {
            tally.missing += missing;
            assert!(set_back + hidden == 0 || file != "spool.witness", "a damaged witness raised the alarm");
            assert!(hidden == 0 || file != "spool.db-wal", "a damaged log hides no rows of what it has left");
            match (missing, set_aside, set_back, file) {
                (_, _, 1.., _) => tally.set_back += 1,
                _ if hidden > 0 => tally.hidden += 1,
                (0, ..) if unknown == 0 => tally.whole += 1,
                (_, 1.., ..) => tally.noticed += 1,
                (_, _, _, "spool.db-wal") => tally.unnoticed_in_log += 1,
                // Its sum is looked at when it is asked for: under a damaged name nobody does.
                (0, ..) => tally.unknown += 1,
                _ => tally.unnoticed += 1,
            }
        }
    }
}

/// What a relay on a damaged folder does.
enum Look {
    /// It does not start.
    Refused,
    /// It started and ended by itself.
    Stopped,
    /// It delivered what nobody had sent.
    Wrong,
    /// It served, and took something new.
    Served {
        /// Of what was deposited.
        missing: u64,
        /// Of what was published.
        unknown: u64,
        /// Rows that it found damaged.
        set_aside: u64,
        /// Confirmed commits that it knows to be missing.
        set_back: u64,
        /// Rows that it knows to be missing.
        hidden: u64,
    },
}

async fn look(data: &TempDir, expected: &Expected) -> Look {
    let relay = match bind(data.path()).await {
        Ok(relay) => relay,
        Err(BindError::Spool(_)) => return Look::Refused,
        Err(error) => panic!("the relay does not start: {error}"),
    };
    let asked = tokio::select! {
        biased;
        _ = relay.failed() => None,
        asked = ask(&relay, expected) => Some(asked),
    };
    let (set_back, hidden) = (relay.metrics().missing.read(), relay.metrics().hidden.read());
    drop(relay);
    match asked {
        Some(Ok((missing, unknown))) => {
            Look::Served { missing, unknown, set_aside: set_aside(data.path()), set_back, hidden }
        }
        // The client has held the bytes against the id they came under.
        Some(Err(AskError::Misbehaved)) => Look::Wrong,
        Some(Err(AskError::Refused(_) | AskError::Lost | AskError::TimedOut)) | None => Look::Stopped,
    }
}

async fn bind(data: &Path) -> Result<Relay, BindError> {
    let (data, listen) = (PathBuf::from(data), "127.0.0.1:0".parse().unwrap());
    Relay::bind(Config { data, listen, public: None, limits: Limits::default() }).await
}

/// Asks for everything, and leaves something new. How many of the old envelopes and record sets are missing.
async fn ask(relay: &Relay, expected: &Expected) -> Result<(u64, u64), AskError> {
    let safe = Connection::dial(&relay.url(), Role::Safe).await.map_err(|_| AskError::Lost)?;
    safe.login(&expected.route, 1000).await?;
    let missing = (expected.missing(&safe).await?, expected.missing_records(&safe).await?);
    let fresh = expected.fresh();
    safe.deposit(&fresh.0, &fresh.1).await?;
    let after = safe.fetch(expected.inbox(), false).await?;
    let taken = after.iter().any(|delivered| delivered.envelope == fresh.1);
    if taken { Ok(missing) } else { Err(AskError::Lost) }
}

fn set_aside(data: &Path) -> u64 {
    status::read(data).map_or(1, |status| status.spool.quarantined)
}
