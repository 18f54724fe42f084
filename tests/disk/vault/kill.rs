//! `kill -9` of a served safe at any moment.

use rohrpost_figures::Figures;

use super::trial::run;
use crate::plan::Plan;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_safe_has_answered_is_there_and_recorded_after_a_kill() {
    let plan = Plan::of("disk.vault_kill");
    let totals = run(plan.rounds(20, 1000), &plan, || Some(Site::folder())).await.unwrap();
    // The one commit that may lie between its flush and its witness.
    assert!(totals.unwitnessed <= 1, "{totals:?}");
    Figures::of("disk.vault_kill")
        .seed(plan.seed)
        .count("kills", totals.crashes)
        .count("kills while recovering", totals.recoveries)
        .count("answered", totals.answers)
        .none("answered and lost")
        .none("answered and not recorded")
        .none("broken leaves of the record")
        .none("called set back")
        .count("commits that the witness lagged behind, at most", totals.unwitnessed)
        .publish();
}
