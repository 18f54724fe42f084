//! An enrolment's two transactions, and the moment at which its answer leaves.
//!
//! Whoever watches the safe's answers, the relay above all, must not learn from their time how an enrolment went. So
//! whoever holds a link costs two flushes whatever comes of it, and every answer, a stranger's too, leaves on a grid of
//! time that begins with the request. See `docs/decisions/0006-an-enrolment-takes-its-time.md`.

use std::sync::Arc;
use std::time::Duration;

use rohrpost_wire::Timestamp;
use tokio::time::MissedTickBehavior;

use crate::handlers::enrol::{self, Counted};
use crate::requests::{Answer, Enrolment, Incoming};
use crate::vault::{Draft, StoreError, VaultHandle, system_rng};

/// Answers to enrolments leave a multiple of this after the request came. Two flushes of a slow card fit into one, and
/// somebody who has just typed a PIN does not notice it.
pub(crate) const GRID: Duration = Duration::from_millis(500);

/// The attempt is durable before the PIN is looked at: two transactions, each answered only after its flush.
pub(crate) async fn enrol(
    vault: &VaultHandle,
    incoming: Incoming,
    enrolment: Enrolment,
    now: Timestamp,
) -> Result<Result<Answer, StoreError>, StoreError> {
    let request = Arc::new((incoming, enrolment));
    let first = Arc::clone(&request);
    let count = move |draft: &mut Draft<'_>| enrol::count(draft, &first.0, &first.1, now, &mut system_rng());
    match vault.transact(count).await? {
        Ok(Counted::Compare) => {
            let compare =
                move |draft: &mut Draft<'_>| enrol::compare(draft, &request.0, &request.1, now, &mut system_rng());
            vault.transact(compare).await
        }
        Ok(Counted::Answer { answer, recorded: true }) => {
            let settled = vault.transact(move |draft: &mut Draft<'_>| enrol::settle(draft, &request.1)).await?;
            Ok(settled.map(|()| answer))
        }
        Ok(Counted::Answer { answer, recorded: false }) => Ok(Ok(answer)),
        Err(error) => Ok(Err(error)),
    }
}

/// Does the work and hands its result out at the next multiple of `grid`, counted from the call.
pub(crate) async fn on_the_grid<T>(grid: Duration, work: impl Future<Output = T>) -> T {
    let mut lines = tokio::time::interval(grid);
    // A line that nobody was awake for is no line to leave on.
    lines.set_missed_tick_behavior(MissedTickBehavior::Skip);
    lines.reset();
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            _ = lines.tick() => {}
            done = &mut work => break done,
        }
    };
    lines.tick().await;
    done
}

#[cfg(test)]
mod tests;
