//! `kill -9` of the relay at any moment.

use rohrpost_figures::Figures;

use super::trial::Trial;
use crate::plan::Plan;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_answered_queued_is_there_after_a_kill() {
    let plan = Plan::of("disk.spool_kill");
    let mut trial = Trial::new(Site::folder(), plan.dice());
    for _ in 0..plan.rounds(40, 1000) {
        trial.round().await;
    }
    let (crashes, recoveries) = (trial.crashes, trial.crashed_recoveries);
    let account = trial.end().await;
    assert_eq!((account.lost, account.wrong, account.came_back), (0, 0, 0), "{account:?}");
    Figures::of("disk.spool_kill")
        .seed(plan.seed)
        .count("kills", crashes)
        .count("kills while recovering", recoveries)
        .count("acknowledged", account.queued)
        .count("acknowledged and lost", account.lost)
        .count("wrong bytes", account.wrong)
        .count("back after an answered ack", account.came_back)
        .none("called set back")
        .count("delivered twice for want of an answered ack", account.repeated)
        .publish();
}
