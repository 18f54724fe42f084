//! A twin and a replayed corpus for every target there is.
//!
//! `ROHRPOST_FUZZ_SEED` repeats a run, `ROHRPOST_LONG=1` tries twenty times as much. What fails is printed with the input
//! made small; as a file in the corpus of its target it is replayed for ever.

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use rohrpost_figures::Figures;
use rohrpost_fuzz::dice::Dice;
use rohrpost_fuzz::twin::{self, Fault, Tally};
use rohrpost_fuzz::{TARGETS, Target, corpus};

/// The seed of a run that was given none: every commit is held against the same inputs, and a failure is the commit's.
const SEED: u64 = 20_260_101;
/// How many times the tries of its row a target gets: together half a minute on two cores.
const USUAL: u64 = 4;
/// The same for the long form.
const LONG: u64 = 80;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = TARGETS.iter().flat_map(|target| {
        [
            Trial::test(format!("{}_replays_its_corpus", target.name), || replay(target)),
            Trial::test(format!("{}_holds_against_spoiled_inputs", target.name), || hold(target)),
        ]
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn replay(target: &Target) -> Result<(), Failed> {
    let committed = corpus::read(target.name);
    let in_bounds = (1..=corpus::MOST_FILES).contains(&committed.len());
    if !in_bounds {
        return Err(format!("a corpus of {} files", committed.len()).into());
    }
    let bases = [(target.seeds)(), committed.clone()].concat();
    let tally = twin::replay(target.run, &bases).map_err(|fault| told(&fault, 0))?;
    Figures::of(leaked(format!("fuzz.corpus.{}", target.name)))
        .count("committed inputs", committed.len() as u64)
        .count("genuine inputs", (bases.len() - committed.len()) as u64)
        .count("taken", tally.taken)
        .none("broken promises")
        .publish();
    Ok(())
}

fn hold(target: &Target) -> Result<(), Failed> {
    let seed = env::var("ROHRPOST_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let tries = u64::from(target.tries) * if env::var_os("ROHRPOST_LONG").is_some() { LONG } else { USUAL };
    let bases = [(target.seeds)(), corpus::read(target.name)].concat();
    let tally =
        twin::mutate(target.run, &bases, tries, &mut Dice::of(seed, target.name)).map_err(|f| told(&f, seed))?;
    // A twin whose inputs never get in, or are never turned away, tests one half of its promise.
    let Tally { taken, refused } = tally;
    if taken == 0 || refused == 0 {
        return Err(format!("of {tries} inputs {taken} were taken and {refused} refused (seed {seed})").into());
    }
    Figures::of(leaked(format!("fuzz.twin.{}", target.name)))
        .seed(seed)
        .count("inputs", taken + refused)
        .count("taken", taken)
        .count("refused", refused)
        .none("broken promises")
        .publish();
    Ok(())
}

fn told(fault: &Fault, seed: u64) -> Failed {
    format!("seed {seed}: {fault}").into()
}

/// A name for figures, which live as long as the run.
fn leaked(name: String) -> &'static str {
    static NAMES: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::from(name.as_str()));
    name.leak()
}
