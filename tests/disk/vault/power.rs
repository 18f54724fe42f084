//! Power cuts under a served safe: everything that was not synced is gone.

use rohrpost_figures::Figures;
use rohrpost_safe_agent::vault::{
    Cost, Folder, Passphrase, Unlock, UnlockError, change_passphrase, system_rng, unlock_with_passphrase,
};

use super::served::{found, passphrase};
use super::trial::run;
use crate::plan::Plan;
use crate::site::Site;
use crate::volume::{Kind, Volume};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_safe_has_answered_is_there_and_recorded_after_a_power_cut_on_ext4() {
    cut_and_compare("disk.vault_power_ext4", Kind::Ext4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_safe_has_answered_is_there_and_recorded_after_a_power_cut_on_xfs() {
    cut_and_compare("disk.vault_power_xfs", Kind::Xfs).await;
}

async fn cut_and_compare(name: &'static str, kind: Kind) {
    let plan = Plan::of(name);
    let site = || Volume::with_power(kind, name).map(Site::Volume);
    let Some(totals) = run(plan.rounds(10, 200), &plan, site).await else { return };
    Figures::of(name)
        .seed(plan.seed)
        .count("power cuts", totals.crashes)
        .count("power cuts while recovering", totals.recoveries)
        .count("power cuts after a kill and a start", totals.restarts)
        .count("answered", totals.answers)
        .none("answered and lost")
        .none("answered and not recorded")
        .none("broken leaves of the record")
        .none("called set back")
        .count("commits that the witness lagged behind, at most", totals.unwitnessed)
        .publish();
}

/// Who changed a passphrase because somebody knew it relies on the change.
#[test]
fn a_changed_passphrase_outlives_a_power_cut_and_the_old_one_does_not() {
    for kind in [Kind::Ext4, Kind::Xfs] {
        let Some(volume) = Volume::with_power(kind, "power cut after a change of passphrase") else { continue };
        let (data, new) = (volume.path().join("data"), Passphrase::new("another invented one".into()));
        let nowhere = format!("rohrpost-relay://127.0.0.1:9#{}", "00".repeat(32));
        found(&data, &nowhere.parse().unwrap());
        let folder = Folder::open(&data).unwrap();
        let old = passphrase();
        change_passphrase(&folder, &Unlock::Passphrase(&old), &new, Cost::LOWEST, &mut system_rng()).unwrap();
        volume.cut_power();
        drop(folder);
        volume.restart();
        let folder = Folder::open(&data).unwrap();
        assert!(unlock_with_passphrase(&folder, &new).is_ok(), "{kind:?}");
        assert!(matches!(unlock_with_passphrase(&folder, &old), Err(UnlockError::WrongPassphrase)), "{kind:?}");
        drop(folder);
    }
}
