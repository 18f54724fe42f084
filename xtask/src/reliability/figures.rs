//! The figures that tests and commands published, as they lie in a run's folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// What one test or command measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) seed: Option<u64>,
    /// Each with its label and unit.
    pub(crate) rows: Vec<String>,
}

/// Reads them all, by name and seed; those in folders within the folder too, where a run has several parts.
pub(crate) fn read(folder: &Path) -> Result<Vec<Figure>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(read(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            found.push(parse(&text).with_context(|| format!("{} holds no figures", path.display()))?);
        }
    }
    found.sort_by(|one, other| (&one.name, one.seed).cmp(&(&other.name, other.seed)));
    Ok(found)
}

fn parse(text: &str) -> Option<Figure> {
    let value: Value = serde_json::from_str(text).ok()?;
    let row = |row: &Value| {
        let (label, unit) = (row.get("label")?.as_str()?, row.get("unit")?.as_str()?);
        Some(format!("{label} {}{unit}", row.get("value")?.as_f64()?))
    };
    let rows = value.get("rows")?.as_array()?.iter().map(row).collect::<Option<_>>()?;
    Some(Figure { name: value.get("name")?.as_str()?.to_owned(), seed: value.get("seed")?.as_u64(), rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_they_were_published() {
        let text = r#"{"name":"a.b","seed":7,"rows":[{"label":"tries","value":1000.0,"unit":""},
            {"label":"slowest","value":1.5,"unit":" ms"}]}"#;
        let rows = vec!["tries 1000".to_owned(), "slowest 1.5 ms".to_owned()];
        assert_eq!(parse(text), Some(Figure { name: "a.b".to_owned(), seed: Some(7), rows }));
        assert_eq!(parse("{}"), None);
    }
}
