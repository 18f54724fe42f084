//! Power cuts under the relay: everything that was not synced is gone.

use rohrpost_figures::Figures;

use super::relay::Relay;
use super::trial::Trial;
use crate::plan::Plan;
use crate::site::Site;
use crate::volume::{Kind, Volume};

#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_answered_queued_is_there_after_a_power_cut_on_ext4() {
    cut_and_count("disk.spool_power_ext4", Kind::Ext4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_answered_queued_is_there_after_a_power_cut_on_xfs() {
    cut_and_count("disk.spool_power_xfs", Kind::Xfs).await;
}

async fn cut_and_count(name: &'static str, kind: Kind) {
    let plan = Plan::of(name);
    let Some(volume) = Volume::with_power(kind, name) else { return };
    let mut trial = Trial::new(Site::Volume(volume), plan.dice());
    for _ in 0..plan.rounds(10, 200) {
        trial.round().await;
    }
    let (crashes, recoveries, restarts) = (trial.crashes, trial.crashed_recoveries, trial.restarts);
    let account = trial.end().await;
    assert_eq!((account.lost, account.wrong, account.came_back), (0, 0, 0), "{account:?}");
    Figures::of(name)
        .seed(plan.seed)
        .count("power cuts", crashes)
        .count("power cuts while recovering", recoveries)
        .count("power cuts after a kill and a start", restarts)
        .count("acknowledged", account.queued)
        .count("acknowledged and lost", account.lost)
        .count("wrong bytes", account.wrong)
        .count("back after an answered ack", account.came_back)
        .none("called set back")
        .publish();
}

/// A URL is given out as soon as it is printed: the key behind it must not be lost.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_behind_a_printed_url_outlives_a_power_cut() {
    let mut dice = Plan::of("disk.relay_key").dice();
    for kind in [Kind::Ext4, Kind::Xfs] {
        let Some(volume) = Volume::with_power(kind, "power cut after the first start") else { continue };
        let site = Site::Volume(volume);
        let first = Relay::start(&site.data());
        site.crash(first.program, &mut dice, || {}).await;
        let again = Relay::start(&site.data());
        assert_eq!(first.address.key_hash, again.address.key_hash, "{kind:?}");
        again.program.kill();
    }
}
