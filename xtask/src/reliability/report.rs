//! The page itself.

use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::evidence::{Evidence, Outcome, Step};
use super::figures::Figure;
use super::row::{By, Row};
use super::state::{self, State};
use super::surface::{self, Surface};
use super::{attacks, promises};
use crate::planted::bug;

/// The whole page. Fails where a row says more than the run bears out.
pub(crate) fn page(head: &str, evidence: &Evidence) -> Result<String> {
    let mut text = INTRODUCTION.to_owned();
    writeln!(text, "{head}. {}\n", count_tests(evidence))?;
    writeln!(text, "## Promises\n\n{}", promise_table(evidence)?)?;
    writeln!(text, "## Attacks that have happened\n\n{}", attack_table(evidence)?)?;
    writeln!(text, "{PLANTED}\n\n{}", planted()?)?;
    writeln!(text, "{SURFACE}\n")?;
    for surface in surface::ALL {
        writeln!(text, "### {}\n\n{}", surface.title, surface_table(surface, evidence)?)?;
    }
    writeln!(text, "## Figures\n\n{}", figures(&evidence.figures)?)?;
    writeln!(text, "## Skipped where this ran\n\n{}", skipped(evidence)?)?;
    writeln!(text, "## Steps of the run\n\n{}", steps(&evidence.steps)?)?;
    Ok(text.trim_end().to_owned() + "\n")
}

fn count_tests(evidence: &Evidence) -> String {
    let left_out = evidence.tests.values().filter(|outcome| matches!(outcome, Outcome::Skipped(_))).count();
    format!("{} tests, of which {left_out} left something out.", evidence.tests.len())
}

fn promise_table(evidence: &Evidence) -> Result<String> {
    let rows = promises::all();
    let states = states(rows.iter().copied(), evidence)?;
    let mut table = count(&states) + "\n\n| # | promise | state | shown by | figures |\n|---|---|---|---|---|\n";
    for (row, state) in rows.iter().zip(&states) {
        let figures = figures_of(row, evidence)?;
        writeln!(table, "| {} | {} | {state} | {} | {figures} |", row.key, row.claim, shown_by(row.by))?;
    }
    Ok(table)
}

fn attack_table(evidence: &Evidence) -> Result<String> {
    let attacks = attacks::all();
    let states = states(attacks.iter().map(|attack| attack.row), evidence)?;
    let mut table =
        count(&states) + "\n\n| # | attack | what holds | state | shown by | figures |\n|---|---|---|---|---|---|\n";
    for (attack, state) in attacks.iter().zip(&states) {
        let (row, figures) = (attack.row, figures_of(&attack.row, evidence)?);
        let shown_by = shown_by(row.by);
        writeln!(table, "| {} | {} | {} | {state} | {shown_by} | {figures} |", row.key, attack.attack, row.claim)?;
    }
    Ok(table)
}

fn states(rows: impl Iterator<Item = Row>, evidence: &Evidence) -> Result<Vec<State>> {
    rows.map(|row| State::of(&row, evidence)).collect()
}

fn count(states: &[State]) -> String {
    let count = |wanted: fn(&State) -> bool| states.iter().filter(|state| wanted(state)).count();
    let shown = count(|state| matches!(state, State::Shown));
    let partly = count(|state| matches!(state, State::Partly(_)));
    let open = count(|state| matches!(state, State::Open(_)));
    let not_built = count(|state| matches!(state, State::NotBuilt(_)));
    format!("{shown} shown, {partly} partly, {open} open, {not_built} not built.")
}

fn shown_by(by: &[By]) -> String {
    let word = |by: &By| match by {
        By::Test(name) => {
            let package = name.split("::").next().unwrap_or_default();
            format!("{package} `{}`", name.rsplit("::").next().unwrap_or(name))
        }
        By::Target(name) => format!("all of `{name}`"),
        By::Step(name) => format!("`cargo xtask ci {name}`"),
    };
    by.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A figure that a row names was measured, unless the row's tests had nothing to work with.
fn figures_of(row: &Row, evidence: &Evidence) -> Result<String> {
    let left_out = !state::skipped(row.key, row.by, evidence)?.is_empty();
    let mut shown = Vec::new();
    for name in row.figures {
        match evidence.figures.iter().find(|figure| figure.name == *name) {
            Some(figure) => shown.push(figure.rows.join(", ")),
            None => ensure!(left_out, "{}: the run published no figures {name}", row.key),
        }
    }
    Ok(shown.join("; "))
}

fn planted() -> Result<String> {
    let mut table = "| bug | what it breaks | caught by |\n|---|---|---|\n".to_owned();
    for bug in bug::all()? {
        let names: Vec<_> = bug.tests.iter().map(|test| format!("`{}`", test.path)).collect();
        let long = if bug.long { " (by the long script)" } else { "" };
        writeln!(table, "| {} | {} | {}{long} |", bug.name, bug.sentence, names.join(", "))?;
    }
    Ok(table)
}

fn surface_table(surface: &Surface, evidence: &Evidence) -> Result<String> {
    let mut table = "| | attacked by |\n|---|---|\n".to_owned();
    for (variant, by) in surface.rows {
        state::skipped(variant, by, evidence)?;
        writeln!(table, "| `{variant}` | {} |", shown_by(by))?;
    }
    Ok(table)
}

/// Every figure of a run.
pub(crate) fn figures(figures: &[Figure]) -> Result<String> {
    let mut table = "| figures | seed | measured |\n|---|---|---|\n".to_owned();
    for Figure { name, seed, rows } in figures {
        let seed = seed.map(|seed| seed.to_string()).unwrap_or_default();
        writeln!(table, "| {name} | {seed} | {} |", rows.join("<br>"))?;
    }
    Ok(table)
}

fn skipped(evidence: &Evidence) -> Result<String> {
    let mut list = String::new();
    let steps = evidence.steps.iter().map(|step| (format!("step {}", step.name), &step.outcome));
    let tests = evidence.tests.iter().map(|(name, outcome)| (format!("`{}`", name.path), outcome));
    for (name, outcome) in steps.chain(tests) {
        if let Outcome::Skipped(why) = outcome {
            writeln!(list, "- {name}: {why}")?;
        }
    }
    Ok(if list.is_empty() { "Nothing.\n".to_owned() } else { list })
}

/// How each step of a run ended.
pub(crate) fn steps(steps: &[Step]) -> Result<String> {
    let mut table = "| step | ended | seconds |\n|---|---|---|\n".to_owned();
    for Step { name, seconds, outcome } in steps {
        let word = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed => "FAILED".to_owned(),
            Outcome::Skipped(why) => format!("skipped: {why}"),
        };
        writeln!(table, "| {name} | {word} | {seconds} |")?;
    }
    Ok(table)
}

const INTRODUCTION: &str = "\
# Reliability

What is promised, what attacks each promise at every change, and what that measured. Written by `cargo xtask reliability`
from one run of everything that `cargo xtask ci` runs; nothing on this page is typed by hand. The rows are in
`xtask/src/reliability`. What takes hours is in [reliability-long.md](reliability-long.md), performance in
[benchmarks.md](benchmarks.md).

*Shown*: the tests named held in this run. *Partly*: they held, and the row says what they do not reach. *Open*: it exists
and nothing shows it yet. *Not built*: it does not exist.

";
const PLANTED: &str = "\
## Planted bugs

Who tests the test: each of these was built into a copy on purpose, and each test named failed there.";
const SURFACE: &str = "\
## Everything that can be asked or stored

Read from the sources: an operation, frame or table without a row here fails the checks.";
