//! Bulk through the relay: what a gigabyte costs it, against the least that has to be done.

use anyhow::{Context as _, Result};

use crate::clock;
use crate::ends::Wanted;
use crate::machine;
use crate::plan::{self, Plan};
use crate::relay::Room;
use crate::report::Report;
use crate::stats::{Comparison, Round, Target, number};
use crate::way::Way;

/// Processor time of the relay against that of the bare splice.
const TARGET: Target = Target::AtMost(1.3);

/// One transfer.
#[derive(Clone, Copy)]
struct Sample {
    /// Processor seconds of what lies in between, for 10^9 bytes.
    seconds_per_gb: f64,
    /// 10^6 bytes in a second, of the whole chain on all cores.
    rate: f64,
}

pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let megabytes = plan.amount(200, 50);
    let what = format!("{megabytes} MB from an answering end through the relay to a client");
    let mut report = Report::begin("bulk", what);
    if let Some(why) = machine::no_proc() {
        return Ok(report.skipped(why));
    }
    let folder = plan::folder()?;
    let (bare, ours) = (Way::bare().await?, Way::relay(folder.path(), Room::Usual).await?);
    for way in [&bare, &ours] {
        transfer(way, megabytes / 10).await?;
    }
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds() {
        let before = transfer(&bare, megabytes).await?;
        let ours = transfer(&ours, megabytes).await?;
        rounds.push(Round { before, ours, after: transfer(&bare, megabytes).await? });
    }
    let compare = |figure: fn(&Sample) -> f64| Comparison::of(&rounds, figure).context("no rounds");
    let (cost, rate) = (compare(|sample| sample.seconds_per_gb)?, compare(|sample| sample.rate)?);
    report.comparison(("bare splice, processor", "relay, processor"), &cost, "s/GB");
    report.comparison(("bare splice, whole chain", "relay, whole chain"), &rate, "MB/s");
    report.claim("processor ratio", TARGET, cost.judge(TARGET));
    Ok(report.finish())
}

async fn transfer(way: &Way, megabytes: u64) -> Result<Sample> {
    let bytes = megabytes * 1_000_000;
    let (spent, begun) = (way.processor_time()?, clock::now());
    way.caller.call(Wanted { reply: 4096, bulk: bytes }).await?;
    let took = begun.elapsed();
    let spent = way.processor_time()?.saturating_sub(spent);
    let seconds_per_gb = spent.as_secs_f64() / (number(bytes) / 1e9);
    Ok(Sample { seconds_per_gb, rate: number(megabytes) / took.as_secs_f64() })
}
