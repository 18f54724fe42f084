//! `cargo xtask bench`: what relay and safe cost, each row beside what it is held to.
//!
//! Every process it needs is its own child on the loopback interface, every file lies in a temporary folder, every wait
//! has a limit. See `docs/benchmarks.md` for what the rows mean and how far to trust them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on standard output and error")]

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::plan::Plan;
use crate::report::Report;

mod bare;
mod clock;
mod ends;
mod machine;
mod plan;
mod practice;
mod process;
mod relay;
mod report;
mod rows;
mod stats;
mod way;

/// No row takes nearly as long; one that hangs ends.
const ROW: Duration = Duration::from_mins(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(run(&arguments))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<bool> {
    if let Some((flag, role)) = arguments.split_first()
        && flag == "--role"
    {
        end_with_standard_input();
        return play(role).await.map(|()| true);
    }
    let plan = Plan::parse(arguments)?;
    // Leaving through here, and not by the signal itself, ends the children.
    tokio::select! {
        done = measure(&plan) => done,
        stopped = told_to_stop() => stopped,
    }
}

/// Runs the rows that were asked for; false if one of them missed its target.
async fn measure(plan: &Plan) -> Result<bool> {
    println!("{}\n", machine::describe(plan.rounds()));
    let mut met = true;
    for row in plan::ROWS {
        if plan.wants(row) {
            eprintln!("measuring {row}");
            let report = tokio::time::timeout(ROW, row_of(row, plan)).await??;
            println!("{report}");
            met &= !report.failed();
        }
    }
    Ok(met)
}

async fn row_of(row: &str, plan: &Plan) -> Result<Report> {
    match row {
        "bulk" => Box::pin(rows::bulk::run(plan)).await,
        "requests" => Box::pin(rows::requests::run(plan)).await,
        "sealed" => Box::pin(rows::sealed::run(plan)).await,
        "memory" => Box::pin(rows::memory::run(plan)).await,
        unknown => bail!("there is no row `{unknown}`"),
    }
}

/// What a row starts this program again for.
async fn play(role: &[String]) -> Result<()> {
    match role.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["splice"] => bare::splice().await,
        ["answer", place] => ends::answer_at(&place.parse()?, false).await,
        ["answer", place, "login"] => ends::answer_at(&place.parse()?, true).await,
        ["answer-directly"] => ends::answer_directly().await,
        _ => bail!("there is no such role"),
    }
}

/// A role ends when whoever started it is gone, however that came.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        // An error ends it as well.
        let _over = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

async fn told_to_stop() -> Result<bool> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("told to stop"),
    }
}
