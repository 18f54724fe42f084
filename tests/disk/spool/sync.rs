//! A sync that fails: the disk took something back, so nothing may be promised any more.

use rohrpost_client::{Connection, Role};
use rohrpost_figures::Figures;

use super::ledger::Ledger;
use super::relay::{Owner, Relay, drain};
use crate::plan::Plan;
use crate::site::Site;
use crate::syncs::Syncs;

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_sync_failed_acknowledges_nothing_and_ends() {
    let plan = Plan::of("disk.spool_sync");
    let Some(syncs) = Syncs::prepare("failed sync of a relay") else { return };
    let (site, mut owner, ledger) = (Site::folder(), Owner::new(), Ledger::default());
    let rounds = plan.rounds(5, 50);
    for round in 0..rounds {
        let mut relay = Relay::listening(syncs.spawn(&Relay::command(&site.data())));
        drain(&owner.login(&relay.address).await, owner.inbox(), &ledger).await;
        let visitor = Connection::dial(&relay.address, Role::Visitor).await.unwrap();
        let deposit = owner.deposit();
        for _ in 0..10 {
            ledger.queued(visitor.deposit(&deposit, &ledger.sending(&deposit, 3000)).await.unwrap());
        }
        syncs.fail(&relay.program);
        let refused = visitor.deposit(&deposit, &ledger.sending(&deposit, 3000)).await;
        assert!(refused.is_err(), "acknowledged although its sync failed, in round {round}");
        // It ends by itself: the disk being well again is no reason to go on, and a retried sync would say so falsely.
        assert_eq!(relay.program.ended().await, 7);
    }
    let relay = Relay::start(&site.data());
    drain(&owner.login(&relay.address).await, owner.inbox(), &ledger).await;
    let account = ledger.account();
    assert_eq!((account.queued, account.lost, account.wrong), (rounds * 10, 0, 0));
    Figures::of("disk.spool_sync")
        .seed(plan.seed)
        .count("failed syncs", rounds)
        .none("acknowledged after one")
        .count("acknowledged before and lost", account.lost)
        .publish();
}
