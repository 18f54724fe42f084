//! Sealed exchanges: how many a safe answers in a second of one core, opening, deciding, making durable and sealing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rohrpost_client::{Visit, random};
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_patient::Home;
use rustix::fs::statfs;
use tokio::task::JoinSet;

use crate::clock;
use crate::machine;
use crate::plan::Plan;
use crate::practice::Practice;
use crate::relay::Room;
use crate::report::Report;
use crate::stats::{Summary, Target, number, percentile};

/// A practice with ten thousand patients who all ask within a minute is below 200 a second; five times that, on one
/// core, leaves the others to everything else.
const TARGET: Target = Target::AtLeast(1000.0);

/// Devices that ask, each over a connection of its own.
const DEVICES: usize = 4;
/// Requests each has on their way: 64 in all.
const EACH: usize = 16;
/// How long a request has its effect.
const REQUEST_SECONDS: u64 = 600;
/// `TMPFS_MAGIC` of statfs(2).
const TMPFS: u64 = 0x0102_1994;

/// A device on its visit.
struct Device {
    visit: Visit,
    key: SigningSecret,
    sequence: AtomicU64,
}

/// Many exchanges.
struct Sample {
    count: usize,
    /// Processor time of the safe.
    spent: Duration,
    took: Duration,
    times: Vec<Duration>,
}

pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let count = plan.amount(3200, 640);
    let what = format!("{count} status requests a round, {} in flight, durable before each answer", DEVICES * EACH);
    let mut report = Report::begin("sealed", what);
    if let Some(why) = machine::no_proc() {
        return Ok(report.skipped(why));
    }
    let practice = Practice::open(Room::Wide).await?;
    let patient = practice.patient().await?;
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        let home = practice.enrol(&patient, &format!("device-{number}")).await?;
        devices.push(Arc::new(Device::begin(&home).await?));
    }
    measure(&practice, &devices, count / 10).await?;
    let mut halves = Vec::new();
    for _ in 0..plan.rounds() {
        let first = measure(&practice, &devices, count / 2).await?;
        halves.push((first, measure(&practice, &devices, count / 2).await?));
    }
    tell(&mut report, &halves)?;
    if is_in_memory(practice.folder()) {
        report.figure("note", "the vault lies in memory: flushes cost nothing here", "");
    }
    Ok(report.finish())
}

fn tell(report: &mut Report, halves: &[(Sample, Sample)]) -> Result<()> {
    let over_rounds =
        |figure: fn(&(Sample, Sample)) -> f64| Summary::of(halves.iter().map(figure)).context("no rounds");
    let per_core = over_rounds(|(first, second)| {
        number((first.count + second.count) as u64) / (first.spent + second.spent).as_secs_f64()
    })?;
    let control = over_rounds(|(first, second)| second.per_second_of(second.spent) / first.per_second_of(first.spent))?;
    let rate = over_rounds(|(first, second)| {
        number((first.count + second.count) as u64) / (first.took + second.took).as_secs_f64()
    })?;
    let mut times: Vec<Duration> =
        halves.iter().flat_map(|(first, second)| [&first.times, &second.times]).flatten().copied().collect();
    times.sort_unstable();
    let within = |percent| percentile(&times, percent).map(|time| time.as_secs_f64() * 1e3).context("no answers");
    report.figure("exchanges per second of one core", per_core, "/s");
    report.figure("  second half against first", control, "");
    report.figure("processor time of the safe, each", format!("{:.0}", 1e6 / per_core.median), "us");
    report.figure("exchanges, whole chain", rate, "/s");
    report.figure("answered within, p50 and p99", format!("{:.1} and {:.1}", within(50)?, within(99)?), "ms");
    report.claim("exchanges per second of one core", TARGET, TARGET.judge(&per_core, &control));
    Ok(())
}

impl Sample {
    fn per_second_of(&self, time: Duration) -> f64 {
        number(self.count as u64) / time.as_secs_f64()
    }
}

async fn measure(practice: &Practice, devices: &[Arc<Device>], count: usize) -> Result<Sample> {
    let (spent, begun) = (practice.safe.processor_time()?, clock::now());
    let mut askers = JoinSet::new();
    for device in devices {
        for _ in 0..EACH {
            askers.spawn(ask(Arc::clone(device), count / (DEVICES * EACH)));
        }
    }
    let mut times = Vec::with_capacity(count);
    while let Some(asker) = askers.join_next().await {
        times.extend(asker??);
    }
    let spent = practice.safe.processor_time()?.saturating_sub(spent);
    Ok(Sample { count: times.len(), spent, took: begun.elapsed(), times })
}

async fn ask(device: Arc<Device>, count: usize) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = clock::now();
        device.ask().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

impl Device {
    async fn begin(home: &Path) -> Result<Self> {
        let account = Home::at(home).account()?.context("no account")?;
        let mut sequence = account.sequence;
        let visit =
            Visit::begin(&account.safe.relay, account.safe.inbox, &account.safe.known(), clock::timestamp()).await?;
        Ok(Self { visit, key: account.key(), sequence: AtomicU64::new(sequence.reserve().number) })
    }

    async fn ask(&self) -> Result<()> {
        let now = clock::timestamp();
        let id = RequestId::generate(&mut random::system());
        let expires = now.plus(REQUEST_SECONDS);
        let draft = RequestDraft { id, created: now, expires, operation: Operation::Status };
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let answer = self.visit.ask(&draft, &Author::Device { key: &self.key, sequence }).await?;
        ensure!(answer.reply.status == Status::Done, "the safe answered {:?}", answer.reply.status);
        Ok(())
    }
}

fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == TMPFS))
}
