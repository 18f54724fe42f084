//! What a run says of a row.

use std::fmt;

use anyhow::{Result, bail, ensure};

use super::evidence::{Evidence, Outcome};
use super::row::{By, Extent, Row};
use super::{target_name, test_name};

/// How far a claim is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Every test it names held.
    Shown,
    /// They held, but for this.
    Partly(String),
    /// Nothing shows it, though what it is about exists.
    Open(String),
    /// What it is about does not exist.
    NotBuilt(String),
}

impl State {
    /// Computes it. A test that failed or was not run is an error: the row says more than the run bears out.
    pub(crate) fn of(row: &Row, evidence: &Evidence) -> Result<Self> {
        let skipped = skipped(row.key, row.by, evidence)?;
        let here = || format!("skipped where this ran: {}", skipped.join("; "));
        Ok(match row.extent {
            Extent::NotBuilt(what) => Self::NotBuilt(what.to_owned()),
            Extent::Open(what) => Self::Open(what.to_owned()),
            Extent::Whole if skipped.is_empty() => Self::Shown,
            Extent::Whole => Self::Partly(here()),
            Extent::Part(what) if skipped.is_empty() => Self::Partly(what.to_owned()),
            Extent::Part(what) => Self::Partly(format!("{what}; {}", here())),
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown => f.write_str("shown"),
            Self::Partly(but) => write!(f, "partly: {but}"),
            Self::Open(what) => write!(f, "*open*: {what}"),
            Self::NotBuilt(what) => write!(f, "*not built*: {what}"),
        }
    }
}

/// What of the evidence was left out; an error if any of it is not there or does not hold.
pub(crate) fn skipped(key: &str, by: &[By], evidence: &Evidence) -> Result<Vec<String>> {
    let mut skipped = Vec::new();
    for by in by {
        for (name, outcome) in outcomes(*by, evidence)? {
            match outcome {
                Outcome::Passed => {}
                Outcome::Skipped(why) => skipped.push(why.clone()),
                Outcome::Failed => bail!("{key}: {name} failed"),
            }
        }
    }
    Ok(skipped)
}

fn outcomes(by: By, evidence: &Evidence) -> Result<Vec<(String, &Outcome)>> {
    let found: Vec<_> = match by {
        By::Test(short) => {
            let outcome = evidence.verdict(&test_name(short)?);
            outcome.map(|outcome| (short.to_owned(), outcome)).into_iter().collect()
        }
        By::Target(short) => {
            let (package, target) = target_name(short)?;
            let all = evidence.of_target(&package, target).into_iter();
            all.map(|(name, outcome)| (name.to_string(), outcome)).collect()
        }
        By::Step(step) => evidence.step(step).map(|outcome| (format!("step {step}"), outcome)).into_iter().collect(),
    };
    ensure!(!found.is_empty(), "{by:?} was not run");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row =
        Row { key: "1", claim: "it holds", extent: Extent::Whole, by: &[By::Test("relay::lib::a_b")], figures: &[] };

    fn after(outcome: Option<Outcome>) -> Result<State> {
        let mut evidence = Evidence::default();
        let name = test_name("relay::lib::quota::tests::a_b").unwrap();
        evidence.tests.extend(outcome.map(|outcome| (name, outcome)));
        State::of(&ROW, &evidence)
    }

    #[test]
    fn only_what_held_is_shown() {
        assert_eq!(after(Some(Outcome::Passed)).unwrap(), State::Shown);
        let partly = after(Some(Outcome::Skipped("loop: no root".to_owned()))).unwrap();
        assert_eq!(partly, State::Partly("skipped where this ran: loop: no root".to_owned()));
        assert!(after(Some(Outcome::Failed)).is_err());
        assert!(after(None).is_err());
    }

    #[test]
    fn what_is_missing_is_said_although_all_tests_hold() {
        let row = Row { extent: Extent::Part("half of it"), by: &[], ..ROW };
        assert_eq!(State::of(&row, &Evidence::default()).unwrap(), State::Partly("half of it".to_owned()));
    }

    #[test]
    fn a_target_of_which_nothing_ran_shows_nothing() {
        let row = Row { by: &[By::Target("relay::lib")], ..ROW };
        assert!(State::of(&row, &Evidence::default()).is_err());
    }
}
