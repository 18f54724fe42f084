//! How a row is told: figures, what they are held to, and the verdict.

use std::fmt;

use crate::machine;
use crate::stats::{Comparison, Target, Verdict};

/// One row's outcome.
#[derive(Debug)]
pub(crate) struct Report {
    name: &'static str,
    what: String,
    load: (String, String),
    figures: Vec<(String, String)>,
    claims: Vec<(String, Target, Verdict)>,
    skipped: Option<String>,
}

impl Report {
    /// Begins a row; the load of the machine is noted now and when it is finished.
    pub(crate) fn begin(name: &'static str, what: impl Into<String>) -> Self {
        let load = (machine::load(), String::new());
        Self { name, what: what.into(), load, figures: Vec::new(), claims: Vec::new(), skipped: None }
    }

    /// A row that cannot run here.
    pub(crate) fn skipped(mut self, why: String) -> Self {
        self.skipped = Some(why);
        self
    }

    /// Adds a figure.
    pub(crate) fn figure(&mut self, name: &str, value: impl fmt::Display, unit: &str) {
        self.figures.push((name.to_owned(), format!("{value} {unit}").trim_end().to_owned()));
    }

    /// Adds both sides of a comparison, its ratio and its control.
    pub(crate) fn comparison(&mut self, names: (&str, &str), compared: &Comparison, unit: &str) {
        self.figure(names.0, compared.base, unit);
        self.figure(names.1, compared.ours, unit);
        self.figure("  ratio, by round", compared.ratio, "");
        self.figure("  base against base", compared.control, "");
    }

    /// Adds a verdict.
    pub(crate) fn claim(&mut self, what: &str, target: Target, verdict: Verdict) {
        self.claims.push((what.to_owned(), target, verdict));
    }

    /// Ends the row.
    pub(crate) fn finish(mut self) -> Self {
        self.load.1 = machine::load();
        self
    }

    /// Whether a target was missed beyond doubt.
    pub(crate) fn failed(&self) -> bool {
        self.claims.iter().any(|(_, _, verdict)| *verdict == Verdict::Fail)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.what)?;
        if let Some(why) = &self.skipped {
            return writeln!(f, "  SKIP {}: {why}", self.name);
        }
        for (name, value) in &self.figures {
            writeln!(f, "  {name:<36} {value}")?;
        }
        writeln!(f, "  {:<36} {} before, {} after", "load", self.load.0, self.load.1)?;
        for (what, target, verdict) in &self.claims {
            writeln!(f, "  {:<36} {verdict}", format!("{what} {target}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_target_missed_beyond_doubt_counts_as_failed() {
        let mut report = Report::begin("bulk", "a test");
        report.claim("ratio", Target::AtMost(1.3), Verdict::Pass);
        report.claim("ratio", Target::AtMost(1.3), Verdict::NoClaim("noise"));
        assert!(!report.failed());
        report.claim("ratio", Target::AtMost(1.3), Verdict::Fail);
        assert!(report.failed());
    }

    #[test]
    fn a_row_that_cannot_run_is_named() {
        let report = Report::begin("memory", "a test").skipped("no /proc".to_owned()).finish();
        assert!(report.to_string().ends_with("  SKIP memory: no /proc\n"));
    }
}
