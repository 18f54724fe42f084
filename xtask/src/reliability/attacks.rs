//! Attacks that have happened to medical software, and what shows that they fail here.
//!
//! `README.md` has the same rows for people, a sentence each; `cargo xtask ci promises` holds the two together.

use super::row::Row;

mod centre;
mod edge;

/// One attack and what stands against it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    /// What was done elsewhere.
    pub(crate) attack: &'static str,
    pub(crate) row: Row,
}

/// Every attack, in order.
pub(crate) fn all() -> Vec<Attack> {
    [centre::ROWS, edge::ROWS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_are_numbered_without_a_gap() {
        let keys: Vec<_> = all().iter().map(|attack| attack.row.key.to_owned()).collect();
        let numbers: Vec<_> = (1..=keys.len()).map(|number| format!("A{number}")).collect();
        assert_eq!(keys, numbers);
    }
}
