//! Memory: what relay, safe and client hold at most while a long document goes through them.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::clock;
use crate::machine;
use crate::plan::Plan;
use crate::practice::{Practice, device_command, text};
use crate::process::Process;
use crate::relay::Room;
use crate::report::Report;
use crate::stats::{Target, number};

const RELAY: Target = Target::AtMost(64.0);
const SAFE: Target = Target::AtMost(96.0);
const CLIENT: Target = Target::AtMost(96.0);

const MIB: u64 = 1024 * 1024;
/// Room on the disk beyond the sealed document and its copy.
const SPARE: u64 = 512 * MIB;
/// A disk of 10 MB/s makes it; a transfer that hangs does not go on for ever.
const TRANSFER: Duration = Duration::from_mins(10);
/// Of the document's pieces as they are made and compared.
const PIECE: usize = 1024 * 1024;

pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let pieces = plan.amount(2048, 256);
    let mut report = Report::begin("memory", format!("one document of {pieces} MiB, safe to client, bytes compared"));
    if let Some(why) = machine::no_proc() {
        return Ok(report.skipped(why));
    }
    let practice = Practice::open(Room::Usual).await?;
    let needed = 2 * pieces * MIB + SPARE;
    if room(practice.folder())? < needed {
        return Ok(report.skipped(format!("needs {} MiB on the disk of the temporary folder", needed / MIB)));
    }
    let at_start = practice.safe.peak_memory()?;
    report.figure("safe, unlocking (Argon2id 64 MiB)", mebibytes(at_start), "MiB");
    practice.safe.reset_peak()?;
    let document = import(&practice, pieces).await?;
    report.figure("safe, importing", mebibytes(practice.safe.peak_memory()?), "MiB");
    practice.safe.reset_peak()?;
    practice.relay.reset_peak()?;
    let fetched = practice.folder().join("fetched");
    let (client, took) = fetch(&practice, &document, &fetched).await?;
    compare(&fetched, pieces)?;
    report.figure("fetched and compared", format!("{:.0}", number(pieces) / took.as_secs_f64()), "MiB/s");
    let peaks = [
        ("relay", practice.relay.peak_memory()?, RELAY),
        ("safe", practice.safe.peak_memory()?, SAFE),
        ("client", client, CLIENT),
    ];
    for (name, peak, target) in peaks {
        report.figure(&format!("{name}, transferring"), mebibytes(peak), "MiB");
        report.claim(&format!("{name}, MiB"), target, target.judge_one(number(peak) / number(MIB)));
    }
    Ok(report.finish())
}

/// Makes the document as it goes into the safe, and shares it; it never lies on the disk unsealed.
async fn import(practice: &Practice, pieces: u64) -> Result<(String, String)> {
    let patient = practice.patient().await?;
    let mut command = practice.prepare(&["document", "add", "--patient", &patient, "--title", "Long", "-"])?;
    let mut adding = Process::start("document add", command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let input = adding.stdin()?;
    let writing = std::thread::spawn(move || write_document(input, pieces));
    adding.ended(TRANSFER, |_| ()).await?;
    writing.join().ok().context("the document was not made")??;
    let document = text(&adding.json()?, "document_id")?;
    practice.command(&["share", "--patient", &patient, "--document", &document]).await?;
    Ok((patient, document))
}

async fn fetch(practice: &Practice, (patient, document): &(String, String), to: &Path) -> Result<(u64, Duration)> {
    let home = practice.enrol(patient, "device").await?;
    let mut command = device_command(&home)?;
    command.args(["get", document, "--output"]).arg(to).stdin(Stdio::null()).stdout(Stdio::null());
    let begun = clock::now();
    let mut getting = Process::start("get", &mut command)?;
    let mut peak = 0;
    // The peak goes with the process, so it is asked for until it ends; it never falls.
    let look = |process: &Process| peak = process.peak_memory().map_or(peak, |now| now.max(peak));
    getting.ended(TRANSFER, look).await?;
    ensure!(peak > 0, "the client ended before it was seen");
    Ok((peak, begun.elapsed()))
}

fn write_document(mut input: ChildStdin, pieces: u64) -> Result<()> {
    let (mut source, mut piece) = (source(), vec![0; PIECE]);
    for _ in 0..pieces {
        source.fill_bytes(&mut piece);
        input.write_all(&piece).context("the safe stopped taking the document")?;
    }
    Ok(())
}

fn compare(path: &Path, pieces: u64) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (mut source, mut wanted, mut found) = (source(), vec![0; PIECE], vec![0; PIECE]);
    for number in 0..pieces {
        source.fill_bytes(&mut wanted);
        file.read_exact(&mut found).with_context(|| format!("MiB {number} is missing"))?;
        ensure!(wanted == found, "MiB {number} is not what was imported");
    }
    ensure!(file.read(&mut found)? == 0, "there is more than was imported");
    Ok(())
}

/// The same bytes every time; they do not compress.
fn source() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn room(folder: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", number(bytes) / number(MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetched_document_is_compared_to_its_last_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fetched");
        let mut bytes = vec![0; 2 * PIECE];
        source().fill_bytes(&mut bytes[..PIECE]);
        let (first, second) = bytes.split_at_mut(PIECE);
        let mut twice = source();
        twice.fill_bytes(first);
        twice.fill_bytes(second);
        std::fs::write(&path, &bytes).unwrap();
        compare(&path, 2).unwrap();
        assert!(compare(&path, 1).unwrap_err().to_string().starts_with("there is more"));
        assert!(compare(&path, 3).unwrap_err().to_string().starts_with("MiB 2 is missing"));
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(compare(&path, 2).unwrap_err().to_string().starts_with("MiB 1 is not"));
    }
}
