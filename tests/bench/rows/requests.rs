//! Small requests and replies: what the relay adds, against the bare splice and against nothing in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::clock;
use crate::ends::{Caller, REQUEST_BYTES, Wanted};
use crate::machine;
use crate::plan::{self, Plan};
use crate::relay::Room;
use crate::report::Report;
use crate::stats::{Comparison, Round, Summary, Target, number, percentile};
use crate::way::Way;

const WANTED: Wanted = Wanted { reply: 4096, bulk: 0 };
/// As for bulk: what two hops cost by themselves is not the relay's doing.
const TIME: Target = Target::AtMost(1.3);
/// As for bulk, too.
const SPENT: Target = Target::AtMost(1.3);
/// One through that.
const RATE: Target = Target::AtLeast(0.77);

/// Many requests.
#[derive(Clone, Copy)]
struct Sample {
    /// In a second.
    rate: f64,
    /// Microseconds within which half of them, and all but one in a hundred, were answered.
    half: f64,
    most: f64,
    /// Microseconds of processor time of what lies in between, for one; nothing where that cannot be seen.
    spent: f64,
}

/// The ways side by side.
struct Ways {
    direct: Way,
    bare: Way,
    ours: Way,
}

/// All rounds with so many requests on their way.
struct Measured {
    outstanding: usize,
    direct: Vec<Sample>,
    rounds: Vec<Round<Sample>>,
}

pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let what = format!("{REQUEST_BYTES} B asked, {} B answered; rate, p50, p99", WANTED.reply);
    let mut report = Report::begin("requests", what);
    let folder = plan::folder()?;
    let (direct, bare) = (Way::direct().await?, Way::bare().await?);
    let ways = Ways { direct, bare, ours: Way::relay(folder.path(), Room::Wide).await? };
    for (outstanding, full, quick) in [(1, 4000, 1000), (64, 40_000, 8000)] {
        let measured = ways.measure(plan.rounds(), outstanding, plan.amount(full, quick)).await?;
        measured.tell(&mut report)?;
    }
    Ok(report.finish())
}

impl Ways {
    async fn measure(&self, rounds: usize, outstanding: usize, count: usize) -> Result<Measured> {
        for way in [&self.direct, &self.bare, &self.ours] {
            ask(way, outstanding, count / 10).await?;
        }
        let mut measured = Measured { outstanding, direct: Vec::new(), rounds: Vec::new() };
        for _ in 0..rounds {
            measured.direct.push(ask(&self.direct, outstanding, count).await?);
            let before = ask(&self.bare, outstanding, count).await?;
            let ours = ask(&self.ours, outstanding, count).await?;
            measured.rounds.push(Round { before, ours, after: ask(&self.bare, outstanding, count).await? });
        }
        Ok(measured)
    }
}

impl Measured {
    fn tell(&self, report: &mut Report) -> Result<()> {
        let compare = |figure: fn(&Sample) -> f64| Comparison::of(&self.rounds, figure).context("no rounds");
        let (rate, half, most) = (compare(RATE_OF)?, compare(HALF_OF)?, compare(MOST_OF)?);
        let direct = |figure: fn(&Sample) -> f64| Summary::of(self.direct.iter().map(figure)).context("no rounds");
        let against_direct = |figure: fn(&Sample) -> f64| {
            let pairs = self.rounds.iter().zip(&self.direct);
            Summary::of(pairs.map(|(round, direct)| figure(&round.ours) / figure(direct))).context("no rounds")
        };
        let out = format!("{} out", self.outstanding);
        let figures = [direct(RATE_OF)?, direct(HALF_OF)?, direct(MOST_OF)?];
        report.figure(&format!("direct, {out}"), with_units(figures), "");
        report.figure(&format!("bare splice, {out}"), with_units([rate.base, half.base, most.base]), "");
        report.figure(&format!("relay, {out}"), with_units([rate.ours, half.ours, most.ours]), "");
        let ratios = [against_direct(RATE_OF)?, against_direct(HALF_OF)?, against_direct(MOST_OF)?];
        report.figure("  relay against direct, by round", bare(ratios), "");
        report.figure("  relay against splice, by round", bare([rate.ratio, half.ratio, most.ratio]), "");
        report.figure("  splice against splice", bare([rate.control, half.control, most.control]), "");
        if self.outstanding == 1 {
            report.claim(&format!("p50 ratio to splice, {out}"), TIME, half.judge(TIME));
        } else {
            report.claim(&format!("rate ratio to splice, {out}"), RATE, rate.judge(RATE));
        }
        if machine::no_proc().is_none() {
            let spent = compare(|sample| sample.spent)?;
            report.comparison(("bare splice, processor, each", "relay, processor, each"), &spent, "us");
            report.claim(&format!("processor ratio to splice, {out}"), SPENT, spent.judge(SPENT));
        }
        Ok(())
    }
}

const RATE_OF: fn(&Sample) -> f64 = |sample| sample.rate;
const HALF_OF: fn(&Sample) -> f64 = |sample| sample.half;
const MOST_OF: fn(&Sample) -> f64 = |sample| sample.most;

fn with_units([rate, half, most]: [Summary; 3]) -> String {
    format!("{rate} /s, {half} us, {most} us")
}

fn bare([rate, half, most]: [Summary; 3]) -> String {
    format!("{rate}, {half}, {most}")
}

/// Asks so often, with so many requests on their way at any time.
async fn ask(way: &Way, outstanding: usize, count: usize) -> Result<Sample> {
    let (spent, begun) = (way.processor_time().unwrap_or_default(), clock::now());
    let left = Arc::new(AtomicUsize::new(count));
    let mut askers = JoinSet::new();
    for _ in 0..outstanding {
        askers.spawn(ask_until_none_is_left(Arc::clone(&way.caller), Arc::clone(&left)));
    }
    let mut times = Vec::with_capacity(count);
    while let Some(asker) = askers.join_next().await {
        times.extend(asker??);
    }
    let took = begun.elapsed();
    let spent = way.processor_time().unwrap_or_default().saturating_sub(spent);
    times.sort_unstable();
    let within = |percent| percentile(&times, percent).map(|time| time.as_secs_f64() * 1e6).context("no answers");
    let answered = number(times.len() as u64);
    let rate = answered / took.as_secs_f64();
    Ok(Sample { rate, half: within(50)?, most: within(99)?, spent: spent.as_secs_f64() * 1e6 / answered })
}

async fn ask_until_none_is_left(caller: Arc<Caller>, left: Arc<AtomicUsize>) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let begun = clock::now();
        caller.call(WANTED).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}
