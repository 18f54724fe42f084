//! `cargo xtask fuzz [TARGET|all] [SECONDS]`: the table of fuzz targets under libFuzzer, and what it found worth keeping.
//!
//! The twins under plain `cargo test` need none of this. Here nightly builds the program of `tests/fuzz/libfuzzer` with
//! instrumentation; each target runs for so long, and of all inputs a few that reach the most go into its corpus.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{self, cargo, program};
use crate::step::{self, Outcome, Step};

mod choice;

const MANIFEST: &str = "tests/fuzz/libfuzzer/Cargo.toml";
const CORPUS: &str = "tests/fuzz/corpus";
const BUILT: &str = "target/fuzz";
const SECONDS: &str = "60";
/// Longer inputs are made of choices, not of bytes.
const LONGEST: &str = "-max_len=4096";
/// What `cargo fuzz` asks of the compiler, without a sanitiser: there is no unsafe code of ours to watch.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=4 --cfg fuzzing";

/// Fuzzes one target or all of them.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = arguments.first().map_or("all", String::as_str).to_owned();
    let seconds = arguments.get(1).map_or(SECONDS, String::as_str).to_owned();
    step::run(vec![Step::new("fuzz", move || fuzz(&wanted, &seconds))], &[])
}

fn fuzz(wanted: &str, seconds: &str) -> Result<Outcome> {
    if !command::answers("cargo", &["+nightly", "--version"]) {
        return Ok(Outcome::Skip("no nightly toolchain (rustup toolchain install nightly)".to_owned()));
    }
    let known = command::read(&mut table(&["list"]))?;
    let targets: Vec<&str> = known.lines().filter_map(|line| line.split('\t').next()).collect();
    let chosen: Vec<&str> = targets.iter().copied().filter(|name| wanted == "all" || *name == wanted).collect();
    if chosen.is_empty() {
        bail!("there is no target `{wanted}`; there are: {}", targets.join(", "));
    }
    let fuzzer = build()?;
    for name in chosen {
        one(&fuzzer, name, seconds)?;
    }
    Ok(Outcome::Pass)
}

/// The program that knows the table.
fn table(arguments: &[&str]) -> std::process::Command {
    let mut command = cargo(&["run", "--quiet", "--locked", "--package", "rohrpost-fuzz", "--"]);
    command.args(arguments);
    command
}

fn build() -> Result<PathBuf> {
    let about = command::read(&mut program("rustc", &["+nightly", "--version", "--verbose"]))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).context("nightly does not say its host")?;
    // With a target named, build scripts and macros stay without instrumentation.
    let arguments = ["+nightly", "build", "--release", "--manifest-path", MANIFEST, "--target", host];
    command::run(cargo(&arguments).args(["--target-dir", BUILT]).env("RUSTFLAGS", FLAGS))?;
    Ok(Path::new(BUILT).join(host).join("release/rohrpost-libfuzzer"))
}

fn one(fuzzer: &Path, name: &str, seconds: &str) -> Result<()> {
    let work = Path::new(BUILT).join("found").join(name);
    let (found, seeds, broken) = (work.join("inputs"), work.join("seeds"), work.join("broken"));
    for folder in [&found, &seeds, &broken] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    command::run(&mut table(&["seeds", name, &seeds.to_string_lossy()]))?;
    let corpus = Path::new(CORPUS).join(name);
    fs::create_dir_all(&corpus)?;
    let artifacts = format!("-artifact_prefix={}/", broken.display());
    let time = format!("-max_total_time={seconds}");
    let mut fuzzing = call(fuzzer, name);
    fuzzing.args([&time, &artifacts, LONGEST, "-timeout=20", "-print_final_stats=1"]);
    command::run(fuzzing.args([&found, &seeds, &corpus])).with_context(|| {
        format!("{name}: what broke lies in {}; mend it, and keep the input in {}", broken.display(), corpus.display())
    })?;
    keep(fuzzer, name, &work, &corpus)
}

/// Puts the few inputs that reach the most in the place of the corpus.
fn keep(fuzzer: &Path, name: &str, work: &Path, corpus: &Path) -> Result<()> {
    let (merged, control) = (work.join("merged"), work.join("control"));
    for old in [&merged, &control] {
        // Left by a run before; a missing one is as good.
        drop(fs::remove_dir_all(old));
        drop(fs::remove_file(old));
    }
    fs::create_dir_all(&merged)?;
    let control_file = format!("-merge_control_file={}", control.display());
    let mut merging = call(fuzzer, name);
    merging.args(["-merge=1", &control_file, LONGEST]).args([&merged, &work.join("inputs"), corpus]);
    command::run(&mut merging)?;
    let kept: Vec<(PathBuf, Vec<u8>)> = choice::choose(&fs::read_to_string(&control)?)
        .into_iter()
        .map(|path| Ok((path.clone(), fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?)))
        .collect::<Result<_>>()?;
    for entry in fs::read_dir(corpus)? {
        let entry = entry?;
        // What somebody named is there because it once broke something.
        if choice::is_found(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    for (path, bytes) in &kept {
        fs::write(corpus.join(path.file_name().context("an input has a name")?), bytes)?;
    }
    println!("{name}: {} inputs kept in {}", kept.len(), corpus.display());
    Ok(())
}

fn call(fuzzer: &Path, name: &str) -> std::process::Command {
    let mut command = program(&fuzzer.to_string_lossy(), &[]);
    command.env("ROHRPOST_FUZZ_TARGET", name);
    command
}
