//! The README's table of attacks: the same rows as ours, a sentence each, written by hand.

use std::fs;

use anyhow::{Context, Result};

use super::attacks::{self, Attack};
use super::row::{By, Extent};

/// Rows of the README that are missing, or name nothing of what shows them.
pub(crate) fn faults() -> Result<Vec<String>> {
    let text = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    Ok(attacks::all().iter().filter_map(|attack| fault(&text, attack)).collect())
}

fn fault(page: &str, Attack { row, .. }: &Attack) -> Option<String> {
    let start = format!("| {} |", row.key);
    let Some(line) = page.lines().find(|line| line.starts_with(&start)) else {
        return Some(format!("{PAGE} has no row {}", row.key));
    };
    let shown = match row.extent {
        Extent::NotBuilt(_) => line.contains("*not built*"),
        Extent::Open(_) => line.contains("*open*"),
        Extent::Whole | Extent::Part(_) => row.by.iter().any(|by| line.contains(word(*by))),
    };
    (!shown).then(|| format!("{PAGE}, row {}: it names none of what shows it", row.key))
}

/// How a README names it.
fn word(by: By) -> &'static str {
    match by {
        By::Test(name) | By::Target(name) => name.rsplit("::").next().unwrap_or(name),
        By::Step(name) => name,
    }
}

const PAGE: &str = "README.md";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reliability::row::Row;

    fn attack(extent: Extent, by: &'static [By]) -> Attack {
        Attack { attack: "it was open", row: Row { key: "A1", claim: "it is shut", extent, by, figures: &[] } }
    }

    #[test]
    fn a_row_of_the_readme_names_what_shows_it() {
        let shown = attack(Extent::Whole, &[By::Test("relay::lib::it_is_shut_at_night")]);
        assert_eq!(fault("| A1 | open | shut | `it_is_shut_at_night` |", &shown), None);
        assert!(fault("| A1 | open | shut | `it_is_open_by_day` |", &shown).is_some());
        assert!(fault("| A10 | open | shut | `it_is_shut_at_night` |", &shown).is_some());
    }

    #[test]
    fn what_is_not_built_says_so() {
        let not_built = attack(Extent::NotBuilt("doors"), &[]);
        assert_eq!(fault("| A1 | open | shut | *not built* |", &not_built), None);
        assert!(fault("| A1 | open | shut | |", &not_built).is_some());
    }
}
