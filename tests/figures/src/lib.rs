//! Figures that a test measured, for the reliability report.
//!
//! A test publishes what it counted when it has succeeded. The figures appear in its output, and as a JSON file in the
//! folder that `ROHRPOST_FIGURES` names; `cargo xtask reliability` reads those files and nobody types a figure.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};

/// The folder to which figures are written, if there is one.
pub const FOLDER_VARIABLE: &str = "ROHRPOST_FIGURES";

/// What one test measured.
#[derive(Clone, Debug)]
#[must_use = "figures that are not published are lost"]
pub struct Figures {
    name: &'static str,
    seed: Option<u64>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    label: String,
    value: f64,
    unit: &'static str,
}

impl Figures {
    /// Begins the figures of a thing, named `area.thing`.
    pub fn of(name: &'static str) -> Self {
        Self { name, seed: None, rows: Vec::new() }
    }

    /// The seed from which the run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Something that was counted.
    #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
    pub fn count(self, label: impl Into<String>, value: u64) -> Self {
        self.measure(label, value as f64, "")
    }

    /// Something of which the test found none: it would have failed on the first, and so published nothing.
    pub fn none(self, label: impl Into<String>) -> Self {
        self.count(label, 0)
    }

    /// Something that was measured, with its unit.
    pub fn measure(mut self, label: impl Into<String>, value: f64, unit: &'static str) -> Self {
        self.rows.push(Row { label: label.into(), value, unit });
        self
    }

    /// Prints them, and writes them where the report looks.
    ///
    /// # Panics
    ///
    /// If the folder cannot be written: a report without its figures is worth nothing.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests sees what they measured")]
    #[expect(clippy::expect_used, reason = "a helper of tests fails as a test does")]
    pub fn publish(self) {
        eprintln!("{}", self.line());
        if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
            let folder = Path::new(&folder);
            fs::create_dir_all(folder).expect("the folder of figures can be made");
            fs::write(folder.join(format!("{}.json", self.name)), self.json().to_string())
                .expect("the figures can be written");
        }
    }

    fn line(&self) -> String {
        let mut line = format!("figures {}:", self.name);
        if let Some(seed) = self.seed {
            let _infallible = write!(line, " seed {seed};");
        }
        for Row { label, value, unit } in &self.rows {
            let _infallible = write!(line, " {label} {value}{unit};");
        }
        line
    }

    fn json(&self) -> Value {
        let row = |row: &Row| json!({ "label": row.label, "value": row.value, "unit": row.unit });
        json!({ "name": self.name, "seed": self.seed, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_a_file_hold_what_was_measured() {
        let figures = Figures::of("some.thing").seed(7).count("tries", 1000).measure("slowest", 1.5, " ms");
        assert_eq!(figures.line(), "figures some.thing: seed 7; tries 1000; slowest 1.5 ms;");
        assert_eq!(
            figures.json(),
            json!({ "name": "some.thing", "seed": 7, "rows": [
                { "label": "tries", "value": 1000.0, "unit": "" },
                { "label": "slowest", "value": 1.5, "unit": " ms" },
            ] })
        );
    }
}
